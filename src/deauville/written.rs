//! Scores as readers write them.

use std::str::FromStr;

use thiserror::Error;

use super::DeauvilleScore;

/// A score as a reader wrote it: a number, the category X, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenScore {
    /// 1 to 5, where given.
    pub score: Option<DeauvilleScore>,
    /// Category X: new uptake unlikely to be lymphoma.
    pub category_x: bool,
}

/// A written score that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a Deauville score; write 1 to 5 or I to V, X, or both as in \"3, X\"")]
pub struct NotAScore(pub String);

impl FromStr for WrittenScore {
    type Err = NotAScore;

    /// Reads `4`, `IV`, `DS 4`, `5PS 4`, `Deauville IV`, `X`, `3, X`, `3X`. The Roman X is the category, never ten.
    fn from_str(text: &str) -> Result<Self, NotAScore> {
        let refused = || NotAScore(text.to_owned());
        let upper = text.trim().to_ascii_uppercase();
        let names = ["DEAUVILLE SCORE", "DEAUVILLE", "5-PS", "5PS", "DS", "SCORE"];
        let body = names.iter().find_map(|name| upper.strip_prefix(name)).unwrap_or(&upper);
        let body = body.trim_start_matches([' ', ':', '=']);
        let mut written = Self { score: None, category_x: false };
        let parts = body.split([' ', ',', '+', ';']).filter(|part| !part.is_empty());
        for part in parts {
            // "3X" is a score and the category; the Roman numbers with an X in them (IX) are no scores.
            let digits = part.strip_suffix('X').filter(|rest| rest.len() == 1);
            let (number, x) = match digits {
                Some(digit) if digit.as_bytes()[0].is_ascii_digit() => (Some(digit), true),
                _ => (Some(part).filter(|part| *part != "X"), part == "X"),
            };
            if let Some(number) = number {
                let score = DeauvilleScore::ALL.into_iter().find(|score| {
                    number == score.roman() || number == u8::from(*score).to_string()
                });
                if written.score.replace(score.ok_or_else(refused)?).is_some() {
                    return Err(refused());
                }
            }
            if x && std::mem::replace(&mut written.category_x, true) {
                return Err(refused());
            }
        }
        if written.score.is_none() && !written.category_x { Err(refused()) } else { Ok(written) }
    }
}
