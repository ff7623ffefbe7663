//! Draws from named streams, so that another draw in one stream changes nothing in the others.

use crate::phantom::random;

/// A stream of random numbers.
pub(super) struct Dice {
    seed: u64,
    drawn: u64,
}

impl Dice {
    pub(super) fn new(seed: u64, stream: &str) -> Self {
        Self { seed: random::bits(random::seed_of(stream), seed), drawn: 0 }
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        let n = self.next();
        random::between(self.seed, n, low, high)
    }

    /// Evenly over the logarithm: as many between 1 and 2 as between 2 and 4.
    pub(super) fn by_factor(&mut self, low: f64, high: f64) -> f64 {
        low * libm::pow(high / low, self.between(0.0, 1.0))
    }

    /// Nearly normal, kept within two and a half standard deviations.
    pub(super) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let n = self.next();
        mean + deviation * random::normal(self.seed, n).clamp(-2.5, 2.5)
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.between(0.0, count as f64) as usize).min(count - 1)
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
