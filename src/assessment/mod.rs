//! The whole way, from volumes to a scored scan and from scored scans to responses. Reads like the method section:
//!
//! 1. body, lungs and spine are found; the liver and the mediastinal blood pool are placed and measured;
//! 2. regions of raised uptake are found, named and measured;
//! 3. lesions are scored against the references;
//! 4. two scans are brought into one frame, lesions are linked, the response is called.

mod residual;
mod scan;
mod series;
mod sites;

pub use scan::{Given, ScanAssessment, ScanInput, Settings, Totals, assess_scan, uptake};
pub use series::{LinkedLesion, PairAssessment, SeriesScan, assess_series};

#[cfg(test)]
mod tests;
