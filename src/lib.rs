//! PET-CT response assessment: from DICOM to SUV, reference regions, lesions, Deauville score and Lugano response.
//!
//! Decision support for research, never a medical device.
//!
//! # The way
//!
//! 1. [`dicom::scan`] finds series by their headers, [`dicom::select`] chooses the PET and its CT.
//! 2. [`suv::plan`] turns headers into one factor a slice, with the clock it rests on, or refuses.
//! 3. [`dicom::load_pet`] and [`dicom::load_ct`] give a [`volume::Volume`] on a [`geometry::VolumeGeometry`] each.
//! 4. [`assessment::assess_scan`] finds the [`anatomy`], places the [`reference`](mod@reference) regions, finds and
//!    names each [`lesion`], and scores by [`deauville`]. A person's [`decisions`] take the place of what is proposed.
//! 5. [`assessment::assess_series`] brings scans into one frame ([`alignment`]), links lesions ([`matching`]), checks
//!    whether the scans may be compared ([`quality`]) and calls the [`response`].
//! 6. [`report`] makes documents and [`render`] figures of it.
//!
//! Only [`dicom`], [`nifti_file`] and [`mask_file`] touch files; everything else is a function of its arguments, prints
//! nothing, and gives the same result for any number of threads. Clinical numbers are gathered in [`criteria`].
//!
//! # Units
//!
//! Positions are millimetres in the DICOM patient frame (LPS: left, posterior, superior). Shapes and spacings are
//! `[slice, row, column]`. Activity is Bq/mL, SUV g/mL (cm²/mL by body surface), CT numbers HU, volumes mL, total lesion
//! glycolysis g.
//!
//! # A whole example
//!
//! A synthetic body without files, scored:
//!
//! ```
//! use petct::assessment::{ScanInput, Settings, assess_scan};
//! use petct::deauville::Scored;
//! use petct::lesion::Class;
//! use petct::phantom::{Scanner, body};
//! use petct::suv::{SuvImage, SuvKind};
//!
//! let phantom = body(&Scanner::default());
//! // Bq/mL to SUVbw: body weight over the dose that is left at the start of the scan.
//! let volume = phantom.pet.map(|&bqml| (f64::from(bqml) * phantom.truth.suv_per_bqml) as f32);
//! let image = SuvImage { kind: SuvKind::BodyWeight, volume };
//! let scan = ScanInput { image: &image, bw_per_value: 1.0, ct: Some(&phantom.ct) };
//!
//! let found = assess_scan(&scan, &Settings::default())?;
//!
//! let liver = found.liver.usable().ok_or("the liver was refused")?;
//! assert!((liver.mean - phantom.truth.measured["liver"].suv_mean).abs() < 0.2);
//! let hottest = found.of_class(Class::Lesion).next().ok_or("no lesion")?;
//! let painted = phantom.truth.lesions.iter().map(|l| l.suv_max).fold(0.0, f64::max);
//! assert!((hottest.statistics.max - painted).abs() < 1e-3);
//! let Scored::Score(score) = found.deauville.score else { return Err("no score".into()) };
//! assert_eq!(score.to_string(), phantom.truth.deauville.to_string());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod acquisition;
pub mod alignment;
pub mod anatomy;
pub mod assessment;
pub mod criteria;
pub mod deauville;
pub mod decisions;
pub mod diagnostic;
pub mod dicom;
pub mod geometry;
pub mod lesion;
pub mod mask_file;
pub mod matching;
pub mod memory;
pub mod nifti_file;
pub mod organ;
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
pub mod visits;
pub mod volume;

/// The examples of the README are compiled with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// So are those of the book.
#[cfg(doctest)]
#[doc = include_str!("../docs/book/src/library.md")]
pub struct Book;
