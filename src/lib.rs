//! PET-CT response assessment: from DICOM to SUV, reference regions, lesions, Deauville score and Lugano response.
//!
//! Decision support for research, never a medical device.
//!
//! Data flows one way: files → [`dicom`] → [`volume`] → [`suv`] → [`reference`](mod@reference) and [`lesion`] →
//! [`deauville`] → [`response`] → [`report`].

pub mod acquisition;
pub mod alignment;
pub mod anatomy;
pub mod assessment;
pub mod criteria;
pub mod deauville;
pub mod diagnostic;
pub mod dicom;
pub mod geometry;
pub mod lesion;
pub mod mask_file;
pub mod matching;
pub mod nifti_file;
pub mod phantom;
pub mod quality;
pub mod reference;
pub mod render;
pub mod report;
pub mod resample;
pub mod response;
pub mod segmentation;
pub mod statistics;
pub mod suv;
pub mod volume;
