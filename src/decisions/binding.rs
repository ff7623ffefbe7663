//! What decisions are bound to, as SHA-256.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::DecisionError;
use crate::anatomy::working_ct;
use crate::geometry::VolumeGeometry;
use crate::lesion::Lesion;
use crate::volume::Volume;

/// Decisions count for this scan, these settings and these proposals alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Binding {
    /// Hash of values and lattice of the PET in SUV, and of the CT.
    pub scan_sha256: String,
    /// The settings that determine regions and classes, by name, in words.
    pub settings: BTreeMap<String, String>,
    /// Hash of the settings.
    pub settings_sha256: String,
    /// Hash of the proposed regions with their classes and sites: what another version of the program finds differs here.
    pub regions_sha256: String,
}

impl Binding {
    /// The binding of a scan, settings and proposals.
    pub fn new(
        scan_sha256: String,
        settings: BTreeMap<String, String>,
        proposals: &[Lesion],
    ) -> Self {
        Self {
            scan_sha256,
            settings_sha256: digest_of_settings(&settings),
            settings,
            regions_sha256: digest_of_regions(proposals),
        }
    }

    /// Refuses decisions that were `made` for something else. Settings come first: another weight changes the SUV values,
    /// too.
    pub(super) fn check(&self, made: &Self, then: &str) -> Result<(), DecisionError> {
        if made.settings != self.settings {
            let differences = differences(&made.settings, &self.settings);
            return Err(DecisionError::OtherSettings { differences });
        }
        if made.settings_sha256 != self.settings_sha256 {
            let differences = "settings_sha256 does not belong to what [settings] says".into();
            return Err(DecisionError::OtherSettings { differences });
        }
        if made.scan_sha256 != self.scan_sha256 {
            return Err(DecisionError::OtherScan);
        }
        if made.regions_sha256 != self.regions_sha256 {
            let now = env!("CARGO_PKG_VERSION").into();
            return Err(DecisionError::OtherRegions { then: then.into(), now });
        }
        Ok(())
    }
}

/// `threshold was 4 and is 41%`
fn differences(made: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> String {
    let names: std::collections::BTreeSet<_> = made.keys().chain(now.keys()).collect();
    let word = |of: &BTreeMap<String, String>, name| {
        of.get(name).cloned().unwrap_or_else(|| "not known".into())
    };
    let changed = names.into_iter().filter(|name| made.get(*name) != now.get(*name));
    let words =
        changed.map(|name| format!("{name} was {}, is {}", word(made, name), word(now, name)));
    words.collect::<Vec<_>>().join(", ")
}

/// SHA-256 of a text or of any bytes, in hexadecimal digits.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex(Sha256::new().chain_update(bytes))
}

fn hex(hash: Sha256) -> String {
    let mut text = String::new();
    for byte in hash.finalize() {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Hash of values and lattice of the PET, and of the CT where there is one, at the resolution at which it is looked at: both
/// determine what is found.
pub fn digest_of_scan(pet: &Volume<f32>, ct: Option<&Volume<i16>>) -> String {
    let pet = || digest_of_volume(pet, |v, into| into.extend(v.to_le_bytes()));
    let ct = || {
        let ct = ct.map(working_ct);
        ct.map(|ct| digest_of_volume(&ct, |v, into| into.extend(v.to_le_bytes())))
    };
    let (pet, ct) = rayon::join(pet, ct);
    sha256(format!("pet {pet} ct {}", ct.as_deref().unwrap_or("none")))
}

fn digest_of_volume<T>(volume: &Volume<T>, bytes: impl Fn(&T, &mut Vec<u8>)) -> String {
    let mut hash = Sha256::new();
    hash.update(lattice(volume.geometry()));
    let mut buffer = Vec::with_capacity(1 << 16);
    for values in volume.values().chunks(1 << 14) {
        buffer.clear();
        for value in values {
            bytes(value, &mut buffer);
        }
        hash.update(&buffer);
    }
    hex(hash)
}

fn lattice(geometry: &VolumeGeometry) -> Vec<u8> {
    let mut bytes = Vec::new();
    for length in geometry.shape() {
        bytes.extend((length as u64).to_le_bytes());
    }
    for vector in [&[geometry.origin_mm()], &geometry.steps_mm()[..]].concat() {
        for number in vector.to_array() {
            bytes.extend(number.to_le_bytes());
        }
    }
    bytes
}

/// Hash of named settings.
pub fn digest_of_settings(settings: &BTreeMap<String, String>) -> String {
    let lines = settings.iter().map(|(name, value)| format!("{name} = {value}\n"));
    sha256(lines.collect::<String>())
}

/// Hash of regions: number, class, site and every voxel.
pub fn digest_of_regions(proposals: &[Lesion]) -> String {
    let mut hash = Sha256::new();
    for lesion in proposals {
        let (class, site) = (lesion.finding.class.name(), lesion.finding.site);
        hash.update(format!("{} {class} {site} {}\n", lesion.id, lesion.below_threshold));
        for run in lesion.region.runs() {
            hash.update((run.start as u64).to_le_bytes());
            hash.update((run.end as u64).to_le_bytes());
        }
    }
    hex(hash)
}
