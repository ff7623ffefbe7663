//! The disease by its name.

use super::Histology;

/// Lymphomas that take up FDG, as written; letters and digits in lower case.
///
/// Source: Barrington 2014 JCO 32:3048 (PET-CT for all FDG-avid histologies: every one but those below).
const AVID: [&str; 33] = [
    "aitl",
    "alcl",
    "burkitt",
    "burkittlymphoma",
    "chl",
    "classicalhodgkinlymphoma",
    "dlbcl",
    "diffuselargebcelllymphoma",
    "fdgavidlymphoma",
    "fl",
    "follicularlymphoma",
    "hgbl",
    "highgradebcelllymphoma",
    "hl",
    "hodgkin",
    "hodgkinlymphoma",
    "hodgkinslymphoma",
    "lbcl",
    "lymphoma",
    "mantlecelllymphoma",
    "mcl",
    "nhl",
    "nktcl",
    "nlphl",
    "nonhodgkinlymphoma",
    "pmbcl",
    "pmbl",
    "ptcl",
    "peripheraltcelllymphoma",
    "anaplasticlargecelllymphoma",
    "angioimmunoblastictcelllymphoma",
    "extranodalnktcelllymphoma",
    "primarymediastinalbcelllymphoma",
];

/// Lymphomas whose response is judged by sizes on CT.
///
/// Source: Barrington 2014 JCO 32:3048; Cheson 2014 JCO 32:3059: chronic lymphocytic leukaemia or small lymphocytic lymphoma,
/// lymphoplasmacytic lymphoma (Waldenström), mycosis fungoides, marginal zone lymphoma, unless transformed.
const NOT_AVID: [&str; 16] = [
    "cll",
    "cllsll",
    "chroniclymphocyticleukaemia",
    "chroniclymphocyticleukemia",
    "lpl",
    "lymphoplasmacyticlymphoma",
    "malt",
    "maltlymphoma",
    "marginalzonelymphoma",
    "mycosisfungoides",
    "mzl",
    "nonavidlymphoma",
    "sll",
    "smalllymphocyticlymphoma",
    "waldenstrommacroglobulinemia",
    "waldenströmmacroglobulinemia",
];

impl Histology {
    /// The disease with this name: a lymphoma that takes up FDG, one that does not reliably, or, for every other name, a
    /// disease for which the criteria are not validated. Nothing written: not stated.
    pub fn by_name(name: &str) -> Self {
        let letters: String =
            name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let known = |names: &[&str]| names.contains(&letters.as_str());
        if letters.is_empty() {
            Self::NotStated
        } else if known(&AVID) {
            Self::AvidLymphoma
        } else if known(&NOT_AVID) {
            Self::NotAvid
        } else {
            Self::OffLabel(name.trim().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["DLBCL", "Hodgkin lymphoma", "Follicular lymphoma", "cHL", "Lymphoma"] {
            assert_eq!(Histology::by_name(name), Histology::AvidLymphoma, "{name}");
        }
        for name in ["CLL/SLL", "MZL", "Mycosis fungoides", "Waldenström macroglobulinemia"] {
            assert_eq!(Histology::by_name(name), Histology::NotAvid, "{name}");
        }
        for name in ["ALL", "B-ALL", "PCNSL", "renal cell carcinoma"] {
            assert_eq!(Histology::by_name(name), Histology::OffLabel(name.into()), "{name}");
        }
        assert_eq!(Histology::by_name(" - "), Histology::NotStated);
    }
}
