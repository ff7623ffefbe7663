//! The way in: DICOM files to plain values. The only module that knows DICOM types and reads images.

pub mod write;
