//! NIfTI, RTSTRUCT and SEG onto a small lattice.
#![no_main]

use std::sync::LazyLock;

use glam::DVec3;
use libfuzzer_sys::fuzz_target;
use petct::geometry::VolumeGeometry;
use petct::mask_file::read_regions;

/// The lattice for which the seeds are drawn: two slices of 3 x 5 voxels.
static LATTICE: LazyLock<VolumeGeometry> = LazyLock::new(|| {
    VolumeGeometry::new([2, 3, 5], DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X])
        .expect("the steps span space")
});

fuzz_target!(
    init: petct_fuzz::quiet_contained_panics(),
    |bytes: &[u8]| {
        let Ok(found) = read_regions(&petct_fuzz::one_file(bytes), &LATTICE, Some("1.2")) else {
            return;
        };
        assert!(!found.output.is_empty());
        for region in &found.output {
            assert_eq!(region.mask.geometry(), &*LATTICE);
        }
    }
);
