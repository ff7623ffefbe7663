//! The rates over many bodies, by build and in all.

use std::collections::BTreeMap;
use std::fmt;

use petct::lesion::Class;

use super::judge::{Body, Reading, Verdict};

/// Counts over bodies.
#[derive(Debug, Default)]
pub(super) struct Table {
    builds: BTreeMap<String, [Counts; 2]>,
}

#[derive(Debug, Default, Clone)]
struct Counts {
    bodies: usize,
    /// Right, refused, wrong.
    liver: [usize; 3],
    pool: [usize; 3],
    /// Sums of the errors of right references and of their sizes.
    liver_error: [f64; 2],
    pool_error: [f64; 2],
    /// Lesions that must be found; found as lesions; as lesions or uncertain; in no region at all.
    lesions: [usize; 4],
    called_lesion: usize,
    called_uncertain: usize,
}

impl Counts {
    fn add(&mut self, reading: &Reading) {
        self.bodies += 1;
        for (verdict, counts, errors) in [
            (&reading.liver, &mut self.liver, &mut self.liver_error),
            (&reading.pool, &mut self.pool, &mut self.pool_error),
        ] {
            match verdict {
                Verdict::Right { error } => {
                    counts[0] += 1;
                    errors[0] += error;
                    errors[1] += error.abs();
                }
                Verdict::Refused(_) => counts[1] += 1,
                Verdict::Wrong(_) => counts[2] += 1,
            }
        }
        for fate in reading.lesions.iter().filter(|f| f.must_be_found()) {
            self.lesions[0] += 1;
            self.lesions[1] += usize::from(fate.class == Some(Class::Lesion));
            let suspect = matches!(fate.class, Some(Class::Lesion | Class::Uncertain));
            self.lesions[2] += usize::from(suspect);
            self.lesions[3] += usize::from(fate.class.is_none());
        }
        self.called_lesion += reading.called_lesion.len();
        self.called_uncertain += reading.called_uncertain.len();
    }

    fn join(&mut self, other: &Self) {
        self.bodies += other.bodies;
        let pairs = |a: &mut [usize], b: &[usize]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        pairs(&mut self.liver, &other.liver);
        pairs(&mut self.pool, &other.pool);
        pairs(&mut self.lesions, &other.lesions);
        for n in 0..2 {
            self.liver_error[n] += other.liver_error[n];
            self.pool_error[n] += other.pool_error[n];
        }
        self.called_lesion += other.called_lesion;
        self.called_uncertain += other.called_uncertain;
    }

    fn row(&self) -> String {
        let organ = |[right, refused, wrong]: [usize; 3], [bias, size]: [f64; 2]| {
            let share = |sum: f64| 100.0 * sum / right.max(1) as f64;
            format!("{right:4}{refused:4}{wrong:4} {:+5.1}{:5.1}", share(bias), share(size))
        };
        let [all, found, suspect, nowhere] = self.lesions;
        let a_scan = |n: usize| n as f64 / self.bodies.max(1) as f64;
        format!(
            "{:4} |{} |{} |{all:5}{found:5}{suspect:5}{nowhere:5} |{:6.2}{:6.2}",
            self.bodies,
            organ(self.liver, self.liver_error),
            organ(self.pool, self.pool_error),
            a_scan(self.called_lesion),
            a_scan(self.called_uncertain)
        )
    }
}

impl Table {
    pub(super) fn add(&mut self, body: &Body) {
        let counts = self.builds.entry(body.kind.name().into()).or_default();
        counts[0].add(&body.with_ct);
        counts[1].add(&body.pet_only);
    }

    pub(super) fn wrong(&self) -> usize {
        self.builds.values().flatten().map(|c| c.liver[2] + c.pool[2]).sum()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "right, refused, wrong; mean and mean size of the error of the right ones in %"
        )?;
        writeln!(
            out,
            "lesions of 1 mL and contrast 3: all, found, or uncertain, in no region; a scan: physiologic called lesion, uncertain"
        )?;
        for (n, images) in ["with CT", "PET alone"].into_iter().enumerate() {
            writeln!(
                out,
                "{images:<22} n | liver                 | blood pool            | lesions             | FP  unsure"
            )?;
            let mut total = Counts::default();
            for (build, counts) in &self.builds {
                writeln!(out, "{build:<19}{}", counts[n].row())?;
                total.join(&counts[n]);
            }
            writeln!(out, "{:<19}{}", "all", total.row())?;
        }
        Ok(())
    }
}
