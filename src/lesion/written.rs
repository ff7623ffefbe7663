//! Thresholds and sites as people write them.

use std::str::FromStr;

use super::{Site, Threshold};

/// What a threshold looks like, for sentences.
const MEANT: &str = "a threshold such as 41%, 4.0, liver or liver140%";

/// A number between two bounds, or what was meant to be given.
fn number(written: &str, low: f64, high: f64) -> Option<f64> {
    written.trim().parse::<f64>().ok().filter(|value| (low..=high).contains(value))
}

impl FromStr for Threshold {
    type Err = String;

    /// `41%` of SUVmax, `4.0` SUV, `liver`, `liver140%` of the liver's mean.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "liver" {
            return Ok(Self::Liver);
        }
        if let Some(percent) = text.strip_prefix("liver").and_then(|rest| rest.strip_suffix('%')) {
            let percent = number(percent, 1.0, 1000.0).map(Self::PercentOfLiver);
            return percent
                .ok_or_else(|| format!("{text:?} is not {MEANT} (1 to 1000 % of the liver)"));
        }
        if let Some(percent) = text.strip_suffix('%') {
            let percent = number(percent, 1.0, 100.0).map(Self::PercentOfMaximum);
            return percent
                .ok_or_else(|| format!("{text:?} is not {MEANT} (1 to 100 % of SUVmax)"));
        }
        number(text, 1e-3, 1e3).map(Self::Fixed).ok_or_else(|| format!("{text:?} is not {MEANT}"))
    }
}

impl FromStr for Site {
    type Err = String;

    /// The English name, in letters of any size.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.trim().to_lowercase();
        let found = Self::ALL.iter().find(|site| site.name() == wanted);
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|site| site.name()).collect();
            format!("{text:?} is no site, which are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds() {
        let rows = [
            ("41%", Some(Threshold::PercentOfMaximum(41.0))),
            ("4.0", Some(Threshold::Fixed(4.0))),
            ("liver", Some(Threshold::Liver)),
            ("liver140%", Some(Threshold::PercentOfLiver(140.0))),
            ("0%", None),
            ("141%", None),
            ("liver140", None),
            ("NaN", None),
            ("-1", None),
            ("inf", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse().ok(), expected, "{text:?}");
        }
        // What is shown can be given back.
        for threshold in rows.into_iter().filter_map(|(_, threshold)| threshold) {
            assert_eq!(threshold.to_string().parse(), Ok(threshold));
        }
    }

    #[test]
    fn sites_are_known_by_their_names() {
        for site in Site::ALL {
            assert_eq!(site.name().parse(), Ok(*site));
        }
        assert_eq!(" Urinary Bladder".parse(), Ok(Site::Bladder));
        let sentence = "toe".parse::<Site>().unwrap_err();
        assert!(sentence.contains("\"toe\"") && sentence.contains("lower limb"), "{sentence}");
    }
}
