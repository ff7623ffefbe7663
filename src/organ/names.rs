//! Names and codes of organs.
//!
//! Source: the class names of TotalSegmentator; SNOMED CT and SRT codes of DICOM PS3.16 (CID 4030 and others; annex O
//! for SRT beside SCT); sides of CID 244.

use std::fmt;

pub(super) use super::numbers::{TOTAL_V1, TOTAL_V2};
use super::{Organ, Side, Spine};

/// One structure: names without side, the first in words; its codes in SCT and SRT ("" where there is none).
struct Row {
    names: &'static [&'static str],
    codes: [&'static str; 2],
    organ: Made,
}

/// With a side or without.
#[derive(Clone, Copy)]
enum Made {
    One(Organ),
    Sided(fn(Side) -> Organ),
}

const fn one(names: &'static [&'static str], codes: [&'static str; 2], organ: Organ) -> Row {
    Row { names, codes, organ: Made::One(organ) }
}

const fn two(
    names: &'static [&'static str],
    codes: [&'static str; 2],
    organ: fn(Side) -> Organ,
) -> Row {
    Row { names, codes, organ: Made::Sided(organ) }
}

const ROWS: &[Row] = &[
    one(&["brain"], ["12738006", "T-A0100"], Organ::Brain),
    one(&["spinal cord"], ["2748008", "T-A7010"], Organ::SpinalCord),
    one(&["thyroid gland", "thyroid"], ["69748006", "T-B6000"], Organ::Thyroid),
    one(&["trachea"], ["44567001", "T-25000"], Organ::Trachea),
    one(&["oesophagus", "esophagus"], ["32849002", "T-56000"], Organ::Oesophagus),
    two(&["lung upper lobe"], ["45653009", "T-28820"], Organ::LungUpperLobe),
    one(
        &["lung middle lobe", "right lung middle lobe"],
        ["72481006", "T-28300"],
        Organ::LungMiddleLobe,
    ),
    two(&["lung lower lobe"], ["90572001", "T-28830"], Organ::LungLowerLobe),
    two(&["lung"], ["39607008", "T-28000"], Organ::Lung),
    one(&["heart"], ["80891009", "T-32000"], Organ::Heart),
    one(&["myocardium", "heart myocardium"], ["74281007", ""], Organ::Myocardium),
    one(&["left atrium", "heart atrium left"], ["82471001", "T-32300"], Organ::LeftAtrium),
    one(&["left ventricle", "heart ventricle left"], ["87878005", "T-32600"], Organ::LeftVentricle),
    one(&["right atrium", "heart atrium right"], ["73829009", "T-32200"], Organ::RightAtrium),
    one(
        &["right ventricle", "heart ventricle right"],
        ["53085002", "T-32500"],
        Organ::RightVentricle,
    ),
    one(
        &["left atrial appendage", "atrial appendage left"],
        ["68786006", ""],
        Organ::LeftAtrialAppendage,
    ),
    one(&["aorta"], ["15825003", "T-42000"], Organ::Aorta),
    one(&["pulmonary artery"], ["81040000", "T-44000"], Organ::PulmonaryArtery),
    one(&["pulmonary vein"], ["122972007", "T-48581"], Organ::PulmonaryVein),
    one(&["superior vena cava"], ["48345005", "T-48610"], Organ::SuperiorVenaCava),
    one(&["inferior vena cava"], ["64131007", "T-48710"], Organ::InferiorVenaCava),
    one(&["portal vein", "portal vein and splenic vein"], ["110765007", ""], Organ::PortalVein),
    one(&["vessel"], ["", ""], Organ::Vessel),
    two(&["brachiocephalic vein"], ["8887007", ""], |_| Organ::Vessel),
    two(&["subclavian artery"], ["29700009", ""], |_| Organ::Vessel),
    two(&["common carotid artery"], ["32062004", ""], |_| Organ::Vessel),
    one(&["brachiocephalic trunk"], ["12691009", ""], Organ::Vessel),
    two(&["iliac artery"], ["73634005", ""], |_| Organ::Vessel),
    two(&["iliac vena", "iliac vein"], ["46027005", ""], |_| Organ::Vessel),
    one(&["liver"], ["10200004", "T-62000"], Organ::Liver),
    one(&["gallbladder"], ["28231008", "T-63000"], Organ::Gallbladder),
    one(&["spleen"], ["78961009", "T-C3000"], Organ::Spleen),
    one(&["pancreas"], ["15776009", "T-65000"], Organ::Pancreas),
    two(&["adrenal gland"], ["23451007", "T-B3000"], Organ::AdrenalGland),
    two(&["kidney"], ["64033007", "T-71000"], Organ::Kidney),
    two(&["kidney cyst"], ["", ""], Organ::KidneyCyst),
    one(&["stomach"], ["69695003", "T-57000"], Organ::Stomach),
    one(&["duodenum"], ["38848004", "T-58200"], Organ::Duodenum),
    one(&["small bowel", "small intestine"], ["30315005", "T-58000"], Organ::SmallBowel),
    one(&["colon"], ["71854001", "T-59300"], Organ::Colon),
    one(&["urinary bladder", "bladder"], ["89837001", "T-74000"], Organ::UrinaryBladder),
    one(&["prostate"], ["41216001", "T-92000"], Organ::Prostate),
    one(&["vertebrae"], ["", ""], Organ::Vertebrae),
    one(&["intervertebral discs"], ["", ""], Organ::IntervertebralDiscs),
    one(&["sacrum"], ["54735007", "T-11AD0"], Organ::Sacrum),
    one(&["skull"], ["89546000", "T-11100"], Organ::Skull),
    one(&["sternum"], ["56873002", "T-11210"], Organ::Sternum),
    one(&["costal cartilage", "costal cartilages"], ["", ""], Organ::CostalCartilage),
    two(&["clavicle", "clavicula"], ["51299004", "T-12310"], Organ::Clavicle),
    two(&["scapula"], ["79601000", "T-12280"], Organ::Scapula),
    two(&["humerus"], ["85050009", "T-12410"], Organ::Humerus),
    two(&["hip"], ["29836001", "T-D2500"], Organ::Hip),
    two(&["femur"], ["71341001", "T-12710"], Organ::Femur),
    one(&["muscle", "skeletal muscle"], ["127954009", ""], Organ::Muscle),
    two(&["gluteus maximus"], ["181674001", ""], |_| Organ::Muscle),
    two(&["gluteus medius"], ["78333006", ""], |_| Organ::Muscle),
    two(&["gluteus minimus"], ["75297007", ""], |_| Organ::Muscle),
    two(&["autochthon"], ["244849004", ""], |_| Organ::Muscle),
    two(&["iliopsoas"], ["68455001", ""], |_| Organ::Muscle),
    one(&["face"], ["89545001", ""], Organ::Face),
    // A lobe with the side in the code.
    one(&["left lung upper lobe"], ["44714003", "T-28600"], Organ::LungUpperLobe(Side::Left)),
    one(&["hip bone"], ["", ""], Organ::Hip(Side::Unsaid)),
];

/// C1 to S1: codes in SCT and SRT.
const VERTEBRAE: [[&str; 2]; 25] = [
    ["14806007", "T-11610"],
    ["39976000", "T-11620"],
    ["113205007", "T-11630"],
    ["5329002", "T-11640"],
    ["36978003", "T-11650"],
    ["36054005", "T-11660"],
    ["87391001", "T-11670"],
    ["64864005", "T-11710"],
    ["53733008", "T-11720"],
    ["1626008", "T-11730"],
    ["73071006", "T-11740"],
    ["56401006", "T-11750"],
    ["45296009", "T-11760"],
    ["62487009", "T-11770"],
    ["11068009", "T-11780"],
    ["82687006", "T-11790"],
    ["7610001", "T-117A0"],
    ["12989004", "T-117B0"],
    ["23215003", "T-117C0"],
    ["66794005", "T-11910"],
    ["14293000", "T-11920"],
    ["36470004", "T-11930"],
    ["11994002", "T-11940"],
    ["49668003", "T-11950"],
    ["65985001", ""],
];

/// First to twelfth rib, SCT.
const RIBS: [&str; 12] = [
    "48535007", "78247007", "25888004", "25523003", "15339008", "59558009", "24915002", "5953002",
    "22565002", "77644006", "58830002", "43993008",
];

/// The parts of the spine: letter and number of vertebrae. More than five sacral vertebrae are fused.
const SPINE: [(char, Spine, u8); 4] = [
    ('c', Spine::Cervical, 7),
    ('t', Spine::Thoracic, 12),
    ('l', Spine::Lumbar, 5),
    ('s', Spine::Sacral, 5),
];

/// What a code stands for, before its side.
#[derive(Clone, Copy)]
pub(super) enum Coded {
    Row(usize),
    Vertebra(usize),
    Rib(u8),
}

pub(super) fn name_of_code(value: &str, scheme: &str) -> Option<Coded> {
    let which = match scheme {
        "SCT" => 0,
        "SRT" | "99SDM" | "SNM3" => 1,
        _ => return None,
    };
    if value.is_empty() {
        return None;
    }
    let row = ROWS.iter().position(|row| row.codes[which] == value).map(Coded::Row);
    let vertebra = || VERTEBRAE.iter().position(|codes| codes[which] == value).map(Coded::Vertebra);
    let rib = || {
        let at = RIBS.iter().position(|&code| which == 0 && code == value)?;
        u8::try_from(at + 1).ok().map(Coded::Rib)
    };
    row.or_else(vertebra).or_else(rib)
}

pub(super) fn of_base(coded: Coded, side: Side) -> Option<Organ> {
    match coded {
        Coded::Row(row) => ROWS.get(row).map(|row| match row.organ {
            Made::One(organ) => organ,
            Made::Sided(make) => make(side),
        }),
        Coded::Rib(number) => Some(Organ::Rib(side, number)),
        Coded::Vertebra(at) => {
            let mut number = u8::try_from(at).ok()?;
            for (_, part, length) in SPINE {
                if number < length {
                    return Some(Organ::Vertebra(part, number + 1));
                }
                number -= length;
            }
            None
        }
    }
}

pub(super) fn side_of_code(value: &str, scheme: &str) -> Side {
    match (scheme, value) {
        ("SCT", "7771000") | ("SRT" | "99SDM" | "SNM3", "G-A101") => Side::Left,
        ("SCT", "24028007") | ("SRT" | "99SDM" | "SNM3", "G-A100") => Side::Right,
        _ => Side::Unsaid,
    }
}

/// Words in lower case, single blanks between them.
fn words(name: &str) -> Vec<String> {
    let apart = name.to_lowercase().replace(['_', '-', '.'], " ");
    apart.split_whitespace().map(str::to_owned).collect()
}

pub(super) fn from_name(name: &str) -> Option<Organ> {
    let words = words(name);
    let all = words.join(" ");
    let row = |base: &str| ROWS.iter().find(|row| row.names.contains(&base));
    if let Some(Made::One(organ)) = row(&all).map(|row| row.organ) {
        return Some(organ);
    }
    let side = words.iter().find_map(|word| match word.as_str() {
        "left" => Some(Side::Left),
        "right" => Some(Side::Right),
        _ => None,
    });
    let rest: Vec<&str> =
        words.iter().map(String::as_str).filter(|w| !["left", "right"].contains(w)).collect();
    let base = rest.join(" ");
    match rest.as_slice() {
        ["vertebra" | "vertebrae", level] | [level, "vertebra"] if side.is_none() => {
            vertebra(level)
        }
        ["rib", number] => {
            let number = number.parse().ok().filter(|n| (1..=12).contains(n))?;
            Some(Organ::Rib(side.unwrap_or(Side::Unsaid), number))
        }
        _ => match (row(&base)?.organ, side) {
            (Made::Sided(make), side) => Some(make(side.unwrap_or(Side::Unsaid))),
            // The middle lobe is on the right: nothing else has a side that its name need not say.
            (Made::One(Organ::LungMiddleLobe), Some(Side::Right)) => Some(Organ::LungMiddleLobe),
            (Made::One(organ), None) => Some(organ),
            (Made::One(_), Some(_)) => None,
        },
    }
}

fn vertebra(level: &str) -> Option<Organ> {
    let mut signs = level.chars();
    let letter = signs.next()?;
    let number: u8 = signs.as_str().parse().ok()?;
    let (_, part, length) = SPINE.into_iter().find(|&(own, ..)| own == letter)?;
    (1..=length).contains(&number).then_some(Organ::Vertebra(part, number))
}

pub(super) fn write(organ: Organ, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let side = |side: Side| match side {
        Side::Left => "left ",
        Side::Right => "right ",
        Side::Unsaid => "",
    };
    if let Organ::Vertebra(part, number) = organ {
        let letter = SPINE.into_iter().find(|&(_, own, _)| own == part).map_or('?', |(l, ..)| l);
        return write!(f, "{}{number} vertebra", letter.to_uppercase());
    }
    if let Organ::Rib(of, number) = organ {
        return write!(f, "{}rib {number}", side(of));
    }
    for row in ROWS {
        let name = row.names.first().copied().unwrap_or_default();
        match row.organ {
            Made::One(own) if own == organ => return f.write_str(name),
            Made::One(_) => {}
            Made::Sided(make) => {
                let sides = [Side::Left, Side::Right, Side::Unsaid];
                if let Some(of) = sides.into_iter().find(|&of| make(of) == organ) {
                    return write!(f, "{}{name}", side(of));
                }
            }
        }
    }
    f.write_str("organ")
}
