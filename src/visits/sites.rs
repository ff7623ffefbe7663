//! Lists of sites in one field: `pancreas = V @32; spleen = IV; * = resolved`.

use super::plain;
use crate::criteria::Change;
use crate::deauville::{DeauvilleScore, WrittenScore};
use crate::response::lugano::Attribution;

/// What is said of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteState {
    /// Nothing is left.
    Resolved,
    /// Not in the field of view.
    Unseen,
    /// Uptake is there, changed like this since the baseline.
    Changed(Change),
}

/// A site of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteEntry {
    /// Its name; `None` for `*`, every known site that is not named.
    pub name: Option<String>,
    /// Its score.
    pub score: Option<DeauvilleScore>,
    /// Its SUVmax.
    pub suv_max: Option<f64>,
    /// What became of it.
    pub state: Option<SiteState>,
}

impl SiteEntry {
    /// Whether it is the site of this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.as_deref().is_some_and(|own| plain(own) == plain(name))
    }

    /// Whether there is uptake at the site.
    pub(super) fn has_uptake(&self) -> bool {
        !matches!(self.state, Some(SiteState::Resolved | SiteState::Unseen))
    }
}

/// A new site of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSite {
    /// Its name.
    pub name: String,
    /// What it is due to, where that is said.
    pub attribution: Option<Attribution>,
}

/// The parts of a list, each a name and what stands behind its `=`.
fn parts(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, words) = part.split_once('=').unwrap_or((part, ""));
        let (name, words) = (name.trim(), words.trim());
        if name.is_empty() {
            return Err(format!("{part:?} names no site; write NAME = SCORE @SUVMAX"));
        }
        if found.iter().any(|(other, _)| plain(other) == plain(name)) {
            return Err(format!("the site {name:?} stands there twice; name it once"));
        }
        found.push((name, words));
    }
    Ok(found)
}

pub(super) fn sites(text: &str) -> Result<Vec<SiteEntry>, String> {
    parts(text)?.into_iter().map(|(name, words)| site(name, words)).collect()
}

fn site(name: &str, words: &str) -> Result<SiteEntry, String> {
    let mut entry = SiteEntry {
        name: (name != "*").then(|| name.to_owned()),
        score: None,
        suv_max: None,
        state: None,
    };
    let mut written = Vec::new();
    for word in words.split_whitespace() {
        let said_twice = || format!("{name:?} has {word:?} beside another word; keep one");
        if let Some(number) = word.strip_prefix('@') {
            let value = super::columns::number(number)?;
            if entry.suv_max.replace(value).is_some() {
                return Err(said_twice());
            }
        } else if let Some(state) = state(word) {
            if entry.state.replace(state).is_some() {
                return Err(said_twice());
            }
        } else {
            written.push(word);
        }
    }
    if !written.is_empty() {
        let score: WrittenScore = written.join(" ").parse().map_err(|_| {
            let text = written.join(" ");
            format!(
                "{text:?} says nothing of the site {name:?}; write a score (V, 4), @SUVMAX, resolved, \
                 unseen, reduced, unchanged or increased"
            )
        })?;
        let no_number = || format!("X of the site {name:?} is no score; list it as a new lesion");
        entry.score = Some(score.score.filter(|_| !score.category_x).ok_or_else(no_number)?);
    }
    let nothing_left = !entry.has_uptake();
    if nothing_left && (entry.suv_max.is_some() || entry.score.is_some()) {
        return Err(format!("{name:?} has uptake and has none; keep one of both"));
    }
    if entry.name.is_none() && (entry.suv_max.is_some() || entry.score.is_some()) {
        return Err("* stands for many sites and has no score or SUVmax; name the site".into());
    }
    Ok(entry)
}

fn state(word: &str) -> Option<SiteState> {
    Some(match plain(word).as_str() {
        "resolved" => SiteState::Resolved,
        "unseen" => SiteState::Unseen,
        "reduced" => SiteState::Changed(Change::Reduced),
        "unchanged" => SiteState::Changed(Change::Unchanged),
        "increased" => SiteState::Changed(Change::Increased),
        _ => return None,
    })
}

pub(super) fn new_sites(text: &str) -> Result<Vec<NewSite>, String> {
    let site = |(name, words): (&str, &str)| {
        let attribution = (!words.is_empty()).then(|| attribution(words)).transpose()?;
        Ok(NewSite { name: name.to_owned(), attribution })
    };
    parts(text)?.into_iter().map(site).collect()
}

pub(super) fn attribution(text: &str) -> Result<Attribution, String> {
    match plain(text).replace(['_', '-'], " ").as_str() {
        "disease" | "lymphoma" => Ok(Attribution::Lymphoma),
        "unrelated" | "infection" | "inflammation" => Ok(Attribution::Unrelated),
        "uncertain" => Ok(Attribution::Uncertain),
        "not listed" => Ok(Attribution::NotListedAtBaseline),
        _ => {
            Err(format!("{text:?} is no cause; write disease, unrelated, uncertain or not_listed"))
        }
    }
}
