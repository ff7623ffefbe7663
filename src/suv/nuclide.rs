//! Half-lives of the nuclides of PET, to check the file's or, loudly, to fill a missing one.
//!
//! A half-life is a constant of nature: where the nuclide is named without doubt, the table is no guess. Where the file
//! has a half-life, the file's is used.
//!
//! Source: the values most PET series carry (IBSI SUV manual 2026); Zr-89 and Cu-64 after DDEP.

use crate::acquisition::Radiopharmaceutical;

/// A nuclide of PET.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Nuclide {
    pub(super) name: &'static str,
    pub(super) half_life_secs: f64,
}

const NUCLIDES: [(&str, &str, Nuclide); 7] = [
    ("f", "fluorine", Nuclide { name: "F-18", half_life_secs: 6586.2 }),
    ("ga", "gallium", Nuclide { name: "Ga-68", half_life_secs: 4057.7 }),
    ("c", "carbon", Nuclide { name: "C-11", half_life_secs: 1223.0 }),
    ("n", "nitrogen", Nuclide { name: "N-13", half_life_secs: 598.0 }),
    ("zr", "zirconium", Nuclide { name: "Zr-89", half_life_secs: 282_276.0 }),
    ("cu", "copper", Nuclide { name: "Cu-64", half_life_secs: 45_724.0 }),
    ("ge", "germanium", Nuclide { name: "Ge-68", half_life_secs: 23_400_000.0 }),
];

/// The nuclide that the item names: by the meaning of its nuclide code, or, where that is empty, as FDG or by its half-life.
///
/// The code *value* is no evidence: the IBSI Ga-68 object carries that of Ga-66.
pub(super) fn of(item: &Radiopharmaceutical) -> Option<Nuclide> {
    if item.nuclide.trim().is_empty() {
        return if is_fdg(item) { Some(NUCLIDES[0].2) } else { by_half_life(item) };
    }
    let letters: String =
        item.nuclide.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
    let digits: String = item.nuclide.chars().filter(char::is_ascii_digit).collect();
    NUCLIDES.iter().find_map(|&(symbol, word, nuclide)| {
        let mass = nuclide.name.rsplit('-').next();
        let named = letters == symbol || letters == word || letters == format!("{word}{symbol}");
        (named && mass == Some(digits.as_str())).then_some(nuclide)
    })
}

/// The nuclide with the half-life of the item, to 1 %.
fn by_half_life(item: &Radiopharmaceutical) -> Option<Nuclide> {
    let secs = *item.half_life_secs.value()?;
    let near = |nuclide: &Nuclide| (secs / nuclide.half_life_secs - 1.0).abs() < 0.01;
    NUCLIDES.iter().map(|row| row.2).find(near)
}

/// Whether the tracer is fluorodeoxyglucose by its name.
pub(super) fn is_fdg(item: &Radiopharmaceutical) -> bool {
    let name = item.name.to_lowercase();
    ["fdg", "fluorodeoxyglucose", "fludeoxyglucose"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_in_use() {
        for (meaning, expected) in [
            ("18F", Some("F-18")),
            ("^18^Fluorine", Some("F-18")),
            ("F-18", Some("F-18")),
            ("Fluorine-18", Some("F-18")),
            ("Fluorine F^18^", Some("F-18")),
            ("^68^Gallium", Some("Ga-68")),
            ("68Gallium", Some("Ga-68")),
            ("^66^Gallium", None),
            ("^89^Zirconium", Some("Zr-89")),
            ("18 years of Fluorine", None),
            ("F", None),
        ] {
            let item = Radiopharmaceutical { nuclide: meaning.into(), ..Default::default() };
            assert_eq!(of(&item).map(|nuclide| nuclide.name), expected, "{meaning}");
        }
    }

    #[test]
    fn fdg_is_fluorine() {
        let item = |name: &str, nuclide: &str| Radiopharmaceutical {
            name: name.into(),
            nuclide: nuclide.into(),
            ..Default::default()
        };
        assert_eq!(of(&item("FDG -- fluorodeoxyglucose", "")).map(|n| n.name), Some("F-18"));
        assert_eq!(of(&item("PSMA", "")), None);
        assert_eq!(of(&item("FDG", "unknown")), None);
    }
}
