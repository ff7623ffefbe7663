//! The liver on a real CT whose organs somebody else has outlined.

use petct::anatomy::Anatomy;
use petct::nifti_file;
use petct::reference::{Disease, Form, Method, place_liver};
use petct::resample::gaussian_smooth;
use petct::segmentation::sphere;

use crate::support::shared_data;

/// A CT of nine centimetres with the foot of the lungs in it: uptake is painted by density alone, so that nothing but the CT
/// tells the liver from other soft tissue.
#[test]
fn the_liver_sphere_on_a_real_ct_lies_in_the_liver() {
    let Some(folder) = shared_data("totalseg-ct") else { return };
    let ct = nifti_file::read(folder.join("example_ct_sm.nii.gz")).unwrap();
    let liver = nifti_file::read(folder.join("masks/liver.nii.gz")).unwrap();
    let sharp = ct.map(|&hu| match hu {
        -20.0.. => 2.0,
        -300.0..-20.0 => 0.4,
        _ => 0.1,
    });
    let pet = gaussian_smooth(&sharp, [3.0; 3]);
    let anatomy = Anatomy::survey(&pet, 1.0, Some(&ct.map(|&hu| hu as i16))).unwrap();
    let place = place_liver(&anatomy, &Disease::default()).unwrap();
    assert_eq!(place.method, Method::Ct);
    let Form::Sphere { centre_mm, radius_mm } = place.form else { panic!("{:?}", place.form) };
    let voxels = sphere(liver.geometry(), centre_mm, radius_mm).region;
    assert!(voxels.voxels() > 500);
    assert!(voxels.values(&liver).all(|inside| inside > 0.5), "{centre_mm}");
}
