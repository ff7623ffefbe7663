//! Pairs of scans drawn by seeds: moved, turned, heavier or lighter, arms elsewhere, lesions that stay, go, come, merge and
//! split. How exactly they are aligned, and whether each lesion's fate is told.
//!
//! `cargo test --release --test it pairs::hundred -- --ignored --nocapture` prints the rates; `PAIRS=0..30` takes other seeds.

mod judge;
mod table;

use rayon::prelude::*;

use self::judge::Pair;
use self::table::Table;

/// One with the arms where they were, one with the arms lowered.
const SMALL: [u64; 2] = [1, 3];

#[test]
fn pairs_are_aligned_and_their_lesions_followed() {
    let pairs: Vec<Pair> = SMALL.par_iter().map(|&seed| Pair::new(seed, 2.0, false)).collect();
    for pair in &pairs {
        let words = pair.lines().join("\n");
        for reading in pair.readings() {
            let (mean, _) = reading.error_mm();
            assert!(mean < pair.half_diagonal_mm, "{words}");
            assert!(reading.fates.iter().all(judge::Fate::is_right), "{words}");
        }
    }
    let followed: usize = pairs.iter().map(|p| p.readings()[0].fates.len()).sum();
    assert!(followed >= 6, "{followed} lesions");
}

#[test]
#[ignore = "takes minutes; prints errors of alignment and rates of right fates"]
fn hundred() {
    let mut table = Table::default();
    for seed in seeds() {
        let pair = Pair::new(seed, 1.0, true);
        for line in pair.lines() {
            println!("{line}");
        }
        table.add(&pair);
    }
    println!("{table}");
    assert!(table.mean_error_in_half_diagonals() < 1.0);
    assert!(table.share_of_right_fates() >= 0.99);
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("PAIRS") else { return 0..100 };
    let (from, to) = text.split_once("..").unwrap();
    from.parse().unwrap()..to.parse().unwrap()
}
