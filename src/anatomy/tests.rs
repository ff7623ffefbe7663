//! Landmarks of synthetic bodies against what is true of them.

use std::sync::OnceLock;

use super::*;
use crate::phantom::{Phantom, Scanner, body};

/// A body on large voxels, made once for all tests.
fn coarse() -> &'static Phantom {
    static PHANTOM: OnceLock<Phantom> = OnceLock::new();
    PHANTOM.get_or_init(|| body(&Scanner::coarse()))
}

fn survey(phantom: &Phantom, ct: bool) -> Anatomy {
    let ct = ct.then_some(&phantom.ct);
    Anatomy::survey(&phantom.pet, phantom.truth.suv_per_bqml, ct).unwrap()
}

fn organ(phantom: &Phantom, name: &str) -> DVec3 {
    DVec3::from_array(phantom.truth.organs_mm[name])
}

#[test]
fn organs_lie_in_the_body_with_and_without_ct() {
    let phantom = coarse();
    for ct in [true, false] {
        let found = survey(phantom, ct);
        assert_eq!((found.hounsfield.is_some(), found.lungs.is_some()), (ct, ct));
        for name in ["liver", "spleen", "heart", "kidney left", "kidney right"] {
            let voxel = found.lattice().voxel_at(organ(phantom, name)).unwrap();
            assert!(found.body[voxel] && found.depth_mm[voxel] > 20.0, "{name}, CT {ct}");
        }
        // Half of the body is muscle and fat, which have less than blood and more than nothing.
        assert!((0.2..1.2).contains(&found.body_median), "{}", found.body_median);
        let vertebra = organ(phantom, "vertebra L4");
        let (x, y) = found.spine_at(vertebra.z);
        assert_eq!(found.spine.from_bone, ct);
        // With bone the arch behind the vertebral body draws the middle backwards.
        assert!((x - vertebra.x).abs() < 12.0, "x {x} of {}, CT {ct}", vertebra.x);
        assert!((y - vertebra.y).abs() < 30.0, "y {y} of {}, CT {ct}", vertebra.y);
    }
}

#[test]
fn lungs_are_found_in_ct_and_nothing_else_is() {
    let phantom = coarse();
    let found = survey(phantom, true);
    let lungs = found.lungs.as_ref().unwrap();
    let inside = |name: &str| lungs.mask[found.lattice().voxel_at(organ(phantom, name)).unwrap()];
    assert!(inside("lung left") && inside("lung right"));
    assert!(["liver", "spleen", "heart", "brain", "bladder"].iter().all(|name| !inside(name)));
    let middle = organ(phantom, "lung right").z;
    assert!(lungs.right_base_z < middle && lungs.left_base_z < middle && middle < lungs.apex_z);
    assert!((180.0..330.0).contains(&lungs.height_mm()), "{}", lungs.height_mm());
}

/// A mirrored and turned stack of the same body gives the same landmarks.
#[test]
fn the_order_of_slices_does_not_matter() {
    let phantom = coarse();
    let flipped = {
        let geometry = phantom.pet.geometry();
        let [slices, rows, columns] = geometry.shape();
        let [along, down, across] = geometry.steps_mm();
        let origin = geometry.centre_of([slices - 1, 0, 0]);
        let turned = VolumeGeometry::new([slices, rows, columns], origin, [-along, down, across]);
        let planes = phantom.pet.values().chunks_exact(rows * columns).rev();
        let values = planes.flatten().copied().collect();
        Phantom { pet: Volume::from_vec(turned.unwrap(), values), ..phantom.clone() }
    };
    let (found, again) = (survey(phantom, true), survey(&flipped, true));
    assert_eq!(found.spine, again.spine);
    assert!((found.body_median - again.body_median).abs() < 1e-6);
    assert!((found.lungs.unwrap().apex_z - again.lungs.unwrap().apex_z).abs() < 1e-9);
}

#[test]
fn where_there_is_no_body_nothing_is_found() {
    let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 8.0);
    let geometry = VolumeGeometry::new([12; 3], DVec3::ZERO, steps).unwrap();
    for suv in [0.0, 0.05, f32::NAN] {
        let empty = Volume::filled(geometry.clone(), suv);
        assert!(Anatomy::survey(&empty, 1.0, None).is_none(), "{suv}");
    }
    // A single slice is a body without depth: no landmarks, no panic.
    let slice = VolumeGeometry::new([1, 30, 30], DVec3::ZERO, steps).unwrap();
    let _ = Anatomy::survey(&Volume::filled(slice, 1.0), 1.0, None);
}

/// A CT of another place does not say where the body is.
#[test]
fn a_ct_that_misses_the_body_is_left_out() {
    let phantom = coarse();
    let (geometry, voxels) = phantom.ct.clone().into_parts();
    let far = VolumeGeometry::new(
        geometry.shape(),
        geometry.origin_mm() + DVec3::Z * 900.0,
        geometry.steps_mm(),
    );
    let moved = Volume::new(far.unwrap(), voxels);
    let found = Anatomy::survey(&phantom.pet, phantom.truth.suv_per_bqml, Some(&moved)).unwrap();
    assert!(found.hounsfield.is_none() && found.lungs.is_none() && !found.spine.from_bone);
}
