use super::packed::tests::{bytes_of, numbers_of, unpacked};
use super::*;
use crate::assessment::{Settings, assess_scan};
use crate::phantom::{Scanner, body};
use crate::suv::{SuvImage, SuvKind};

fn viewed(run: impl FnOnce(&ViewerData, ScanInput<'_>, &ScanAssessment)) {
    let phantom = body(&Scanner::default());
    let volume = phantom.pet.map(|&bqml| (f64::from(bqml) * phantom.truth.suv_per_bqml) as f32);
    let image = SuvImage { kind: SuvKind::BodyWeight, volume };
    let input = ScanInput { image: &image, bw_per_value: 1.0, ct: Some(&phantom.ct) };
    let assessment = assess_scan(&input, &Settings::default()).unwrap();
    let scan = ViewedScan { name: "baseline", input, assessment: &assessment };
    run(&ViewerData::new(&[scan], &[]), input, &assessment);
}

#[test]
fn regions_lie_where_they_were_found_and_hold_their_hottest_value() {
    viewed(|data, input, assessment| {
        let scan = &data.scans[0];
        let numbers = numbers_of(&bytes_of(&scan.runs));
        let pet = unpacked(&scan.pet.text, scan.pet.head.shape);
        let lattice = &scan.lattice.lattice;
        assert!(lattice.len() < input.image.volume.values().len(), "cut to the body");
        let mut numbers = numbers.into_iter();
        assert_eq!(scan.regions.len(), assessment.lesions.len() + 2);
        for (n, head) in scan.regions.iter().enumerate() {
            let head: serde_json::Value = serde_json::to_value(head).unwrap();
            let mut end = 0;
            let mut inside = Vec::new();
            for _ in 0..head["runs"].as_u64().unwrap() {
                let start = end + numbers.next().unwrap();
                end = start + numbers.next().unwrap();
                inside.extend(start..end);
            }
            let Some(lesion) = assessment.lesions.get(n) else { continue };
            assert_eq!(head["id"], lesion.id.to_string());
            assert_eq!(inside.len(), lesion.statistics.voxels);
            let hottest = lattice.voxel_at(lesion.hottest_mm).unwrap();
            let hottest = scan.lattice.offset_of(hottest);
            assert!(inside.contains(&hottest));
            let suv = f64::from(pet[hottest]) * scan.pet.head.step;
            assert!((suv - lesion.statistics.max).abs() <= scan.pet.head.step, "{suv}");
            assert_eq!(inside.iter().map(|&o| pet[o]).max(), Some(pet[hottest]));
        }
        assert_eq!(numbers.next(), None);
    });
}

#[test]
fn the_head_may_stand_in_a_page() {
    viewed(|data, _, assessment| {
        let head: serde_json::Value = serde_json::from_str(&data.head()).unwrap();
        assert_eq!(head[0]["name"], "baseline");
        assert_eq!(head[0]["link"]["matrix"][1][1], 1.0);
        assert!(!data.head().contains('<'));
        let names: Vec<String> = data.texts().map(|(name, _)| name).collect();
        assert_eq!(names, ["pet-0", "ct-0", "runs-0"]);
        let mut fewer = assessment.clone();
        fewer.lesions.clear();
        let mut data = data.clone();
        data.set_regions(0, &fewer);
        let head: serde_json::Value = serde_json::from_str(&data.head()).unwrap();
        assert_eq!(head[0]["regions"].as_array().unwrap().len(), 2, "the references");
    });
}

#[test]
fn scans_that_do_not_lie_on_each_other_are_not_linked() {
    let links = links(3, &[]);
    assert_eq!(links.len(), 3);
    assert!(links[0].matrix.is_some() && links[0].note.is_none());
    for link in &links[1..] {
        assert!(link.matrix.is_none() && link.note.as_ref().unwrap().contains("not linked"));
    }
}

#[test]
fn the_matrix_carries_places() {
    let turn =
        glam::DMat3::from_rotation_z(0.3) * glam::DMat3::from_diagonal(DVec3::new(1.1, 1.0, 0.9));
    let map = DAffine3::from_mat3_translation(turn, DVec3::new(5.0, -7.0, 11.0));
    let place = DVec3::new(-40.0, 25.0, -310.0);
    let found = rows(map).map(|[x, y, z, shift]| x * place.x + y * place.y + z * place.z + shift);
    assert!(DVec3::from_array(found).distance(map.transform_point3(place)) < 1e-9);
}
