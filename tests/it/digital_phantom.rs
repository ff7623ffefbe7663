//! The IBSI digital phantom from its own files: statistics and peaks as the reference manual prints them.

use glam::DVec3;
use nifti::{IntoNdArray, NiftiObject, ReaderOptions};
use petct::geometry::VolumeGeometry;
use petct::segmentation::Region;
use petct::statistics::{peak_global, peak_local, percentile, statistics};
use petct::volume::Volume;

use crate::support::shared_data;

/// Values with the slowest axis of the file (z) first, and the voxel sides in that order.
fn read(path: &std::path::Path) -> (Vec<f32>, [usize; 3], [f64; 3]) {
    let object = ReaderOptions::new().read_file(path).unwrap();
    let [_, x, y, z, ..] = object.header().pixdim.map(f64::from);
    let array = object.into_volume().into_ndarray::<f32>().unwrap();
    let array = array.reversed_axes();
    let shape = array.shape().try_into().unwrap();
    (array.iter().copied().collect(), shape, [z, y, x])
}

#[test]
fn ibsi_reference_values() {
    let Some(folder) = shared_data("ibsi1-digital-phantom/nifti") else { return };
    let (image, shape, [z, y, x]) = read(&folder.join("image/phantom.nii.gz"));
    let (mask, mask_shape, _) = read(&folder.join("mask/mask.nii.gz"));
    assert_eq!(shape, mask_shape);
    let steps = [z * DVec3::Z, y * DVec3::Y, x * DVec3::X];
    let geometry = VolumeGeometry::new(shape, DVec3::ZERO, steps).unwrap();
    let volume = Volume::from_vec(geometry, image);
    let inside = mask.iter().enumerate().filter(|&(_, &m)| m > 0.0).map(|(offset, _)| offset);
    let region = Region::from_offsets(shape, inside);

    let s = statistics(&volume, &region).unwrap();
    for (name, found, printed, tolerance) in [
        ("volume, mm³", s.volume_ml * 1000.0, 592.0, 1e-6),
        ("mean", s.mean, 2.15, 0.005),
        ("variance", s.variance(), 3.05, 0.005),
        ("median", s.median, 1.0, 0.0),
        ("minimum", s.min, 1.0, 0.0),
        ("maximum", s.max, 6.0, 0.0),
        ("90th percentile", percentile(&volume, &region, 90.0).unwrap(), 4.0, 0.0),
        ("local peak", peak_local(&volume, &region).unwrap().mean, 2.6, 0.0),
        ("global peak", peak_global(&volume, &region).unwrap().mean, 3.1, 0.05),
        ("global peak", peak_global(&volume, &region).unwrap().mean, 90.0 / 29.0, 1e-12),
    ] {
        assert!((found - printed).abs() <= tolerance, "{name}: {found}, printed {printed}");
    }
}
