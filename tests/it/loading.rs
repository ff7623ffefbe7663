//! The way in: folders of DICOM files to studies, series and voxels.

use petct::dicom::{load_ct, load_pet, scan, select};

use crate::support::shared_data;

#[test]
fn the_attenuation_corrected_pet_and_its_ct_are_chosen() {
    let Some(folder) = shared_data("acrin-nsclc-042") else { return };
    let studies = scan(&folder).unwrap().output;
    let selection = select(&studies, None).unwrap();
    eprintln!("{:?}", selection.set_aside);
    let pet = load_pet(selection.pet, &vec![1.0; 135]).unwrap();
    let ct = load_ct(selection.ct.unwrap()).unwrap();
    eprintln!("{:?} {:?}", pet.geometry(), ct.geometry());
    eprintln!("{:?}", pet.values().iter().copied().fold(f32::MIN, f32::max));
    eprintln!("{:?}", ct.values().iter().copied().max());
}
