//! The way in: DICOM files to plain values. The only module that knows DICOM types and reads images.
//!
//! [`scan()`] lists studies and series from headers, [`select()`] chooses a PET and its CT, [`load_pet`] and [`load_ct`]
//! read the voxels.

pub mod attribute;
pub mod codec;
pub mod data_set;
mod error;
mod file;
mod load;
mod pet;
mod pixels;
mod record;
pub(crate) mod region;
pub mod rtstruct;
mod scan;
pub mod seg;
mod select;
mod series;
mod stack;
mod stream;
pub mod write;

pub use error::{GeometryFault, ReadError};
pub use load::{load_ct, load_ct_reduced, load_pet};
pub use scan::scan;
pub use select::{Selection, SetAside, select};
pub use series::{Patient, Reconstruction, Series, Study};
