//! Names, numbers and codes against what is known of them.

use super::*;

#[test]
fn every_class_of_totalsegmentator_is_known() {
    for numbering in [Numbering::TotalV1, Numbering::TotalV2] {
        let count = if numbering == Numbering::TotalV1 { 104 } else { 117 };
        for label in 1..=count {
            assert!(numbering.organ(label).is_some(), "{numbering:?} {label}");
        }
        assert_eq!(numbering.organ(0), None);
        assert_eq!(numbering.organ(count + 1), None);
        assert_eq!(numbering.organ(u32::MAX), None);
    }
    let rows = [
        (5, Organ::Liver, Organ::Liver),
        (7, Organ::Aorta, Organ::Pancreas),
        (52, Organ::Vessel, Organ::Aorta),
        (44, Organ::Myocardium, Organ::Vertebra(Spine::Cervical, 7)),
        (36, Organ::Vertebra(Spine::Cervical, 6), Organ::Vertebra(Spine::Thoracic, 8)),
        (90, Organ::Hip(Side::Left), Organ::Brain),
        (104, Organ::UrinaryBladder, Organ::Rib(Side::Right, 1)),
    ];
    for (label, first, second) in rows {
        assert_eq!(Numbering::TotalV1.organ(label), Some(first), "{label}");
        assert_eq!(Numbering::TotalV2.organ(label), Some(second), "{label}");
    }
}

#[test]
fn labels_above_those_of_version_1_show_version_2() {
    assert!(Numbering::need_no_version(&[7, 5, 116]));
    assert!(!Numbering::need_no_version(&[7, 5, 104]));
    assert!(Numbering::need_no_version(&[1, 5]));
    assert!(Numbering::need_no_version(&[]));
}

#[test]
fn names_are_read_as_people_write_them_and_unknown_ones_are_none() {
    let rows = [
        ("kidney_left", Some(Organ::Kidney(Side::Left))),
        ("Right Kidney", Some(Organ::Kidney(Side::Right))),
        ("kidney", Some(Organ::Kidney(Side::Unsaid))),
        ("vertebrae_T8", Some(Organ::Vertebra(Spine::Thoracic, 8))),
        ("T8 vertebra", Some(Organ::Vertebra(Spine::Thoracic, 8))),
        ("vertebrae_T13", None),
        ("rib_left_13", None),
        ("heart_atrium_left", Some(Organ::LeftAtrium)),
        ("left atrium", Some(Organ::LeftAtrium)),
        ("right lung upper lobe", Some(Organ::LungUpperLobe(Side::Right))),
        ("lung_middle_lobe_right", Some(Organ::LungMiddleLobe)),
        ("lung_middle_lobe_left", None),
        ("liver_left", None),
        ("liver tumor", None),
        ("deliver", None),
        ("", None),
    ];
    for (name, organ) in rows {
        assert_eq!(Organ::from_name(name), organ, "{name}");
    }
}

#[test]
fn what_an_organ_is_called_names_it_again() {
    for label in 1..=117 {
        for organ in [Numbering::TotalV1.organ(label), Numbering::TotalV2.organ(label)] {
            let Some(organ) = organ else { continue };
            assert_eq!(Organ::from_name(&organ.to_string()), Some(organ), "{organ}");
        }
    }
    assert_eq!(Organ::Kidney(Side::Left).to_string(), "left kidney");
    assert_eq!(Organ::Vertebra(Spine::Thoracic, 4).to_string(), "T4 vertebra");
}

#[test]
fn codes_with_their_sides_old_and_new() {
    let (left, right) = (Some(("7771000", "SCT")), Some(("G-A100", "SRT")));
    let rows = [
        (("10200004", "SCT"), None, Some(Organ::Liver)),
        (("T-62000", "SRT"), None, Some(Organ::Liver)),
        (("T-62000", "SCT"), None, None),
        (("64033007", "SCT"), left, Some(Organ::Kidney(Side::Left))),
        (("T-71000", "SRT"), right, Some(Organ::Kidney(Side::Right))),
        (("64033007", "SCT"), None, Some(Organ::Kidney(Side::Unsaid))),
        (("11068009", "SCT"), None, Some(Organ::Vertebra(Spine::Thoracic, 8))),
        (("49668003", "SCT"), None, Some(Organ::Vertebra(Spine::Lumbar, 5))),
        (("65985001", "SCT"), None, Some(Organ::Vertebra(Spine::Sacral, 1))),
        (("T-11610", "SRT"), None, Some(Organ::Vertebra(Spine::Cervical, 1))),
        (("5953002", "SCT"), left, Some(Organ::Rib(Side::Left, 8))),
        (("52988006", "SCT"), None, None),
        (("", "SRT"), None, None),
        (("10200004", "FMA"), None, None),
    ];
    for (code, side, organ) in rows {
        assert_eq!(Organ::from_code(code, side), organ, "{code:?} {side:?}");
    }
}

#[test]
fn parts_are_joined_and_what_is_empty_is_not_there() {
    let shape = [1, 2, 4];
    let mut organs = OrganMap::new(shape);
    organs.add(Organ::Muscle, &Region::from_offsets(shape, [0, 1]));
    organs.add(Organ::Muscle, &Region::from_offsets(shape, [5]));
    organs.add(Organ::Liver, &Region::empty(shape));
    organs.add(Organ::Colon, &Region::from_offsets(shape, [1, 2]));
    assert_eq!(organs.get(Organ::Muscle), Some(&Region::from_offsets(shape, [0, 1, 5])));
    assert_eq!(organs.get(Organ::Liver), None);
    assert_eq!(organs.at(1).collect::<Vec<_>>(), [Organ::Colon, Organ::Muscle]);
    assert_eq!(organs.union(|organ| organ != Organ::Muscle).voxels(), 2);
}
