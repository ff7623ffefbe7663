//! References and lesions on bodies drawn by seeds: right organ or an honest refusal, never a wrong organ.
//!
//! `cargo test --release --test it bodies::two_hundred -- --ignored --nocapture` prints the rates. `BODIES=100..120` takes
//! other seeds, `BODIES_BUILD=obese` one build.

mod judge;
mod table;

use petct::phantom::{Kind, seeded};
use rayon::prelude::*;

use self::judge::{Verdict, judged};
use self::table::Table;

/// One body of each build that the project promises to try, each by a seed of its own.
const BUILDS: [Kind; 13] = [
    Kind::Usual,
    Kind::ArmsDown,
    Kind::NoHead,
    Kind::Obese,
    Kind::Child,
    Kind::OneLungCollapsed,
    Kind::ElevatedDiaphragm,
    Kind::LiverLesions,
    Kind::StomachOverLiver,
    Kind::HotHeart,
    Kind::Breathing,
    Kind::NoLiver,
    Kind::SitusInversus,
];

#[test]
fn no_reference_lies_in_a_wrong_organ() {
    let seeds = 7001_u64..;
    let pairs: Vec<_> = BUILDS.into_iter().zip(seeds).collect();
    let judge = |&(kind, seed): &(Kind, u64)| judged(&seeded(seed, Some(kind)), 1.5);
    let bodies: Vec<_> = pairs.par_iter().map(judge).collect();
    let wrong: Vec<String> = bodies.iter().flat_map(judge::Body::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A refusal everywhere would be no help.
    let right = bodies.iter().filter(|b| matches!(b.with_ct.liver, Verdict::Right { .. })).count();
    assert!(2 * right > bodies.len(), "{right} livers of {}", bodies.len());
}

#[test]
#[ignore = "takes minutes; prints the rates of right, refused and wrong"]
fn two_hundred_bodies() {
    let mut table = Table::default();
    for seed in seeds() {
        let body = judged(&seeded(seed, only_build()), 1.0);
        for line in body.lines() {
            println!("{line}");
        }
        table.add(&body);
    }
    println!("{table}");
    assert_eq!(table.wrong(), 0, "references in a wrong organ");
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("BODIES") else { return 0..200 };
    let (from, to) = text.split_once("..").unwrap();
    from.parse().unwrap()..to.parse().unwrap()
}

fn only_build() -> Option<Kind> {
    let name = std::env::var("BODIES_BUILD").ok()?;
    Some(Kind::ALL.iter().copied().find(|kind| kind.name() == name).unwrap())
}
