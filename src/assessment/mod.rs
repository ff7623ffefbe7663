//! The whole way, from volumes to a scored scan and from scored scans to responses. Reads like the method section:
//!
//! 1. body, lungs and spine are found; the liver and the mediastinal blood pool are placed and measured;
//! 2. regions of raised uptake are found, named and measured;
//! 3. a person's decisions take the place of what was proposed, where there are any;
//! 4. lesions are scored against the references;
//! 5. two scans are brought into one frame, lesions are linked, the response is called.

mod binding;
mod pair;
mod placements;
mod proposal;
mod residual;
mod scan;
mod search;
mod series;
mod sites;
mod trajectory;

pub use binding::settings_in_words;
pub use placements::{Placements, ScoreShare, ScoreShares};
pub use proposal::Proposal;
pub use scan::{Given, ScanAssessment, ScanInput, Settings, Totals, assess_scan, uptake};
pub use search::propose;
pub use series::{
    LinkedLesion, PairAssessment, SeriesScan, assess_aligned_series, assess_series, compared_with,
};
pub use trajectory::{Nadir, Trajectory, TrajectoryVisit, trajectories};

#[cfg(test)]
mod tests;
