//! Numbers of a region: count, volume, minimum, maximum, mean, standard deviation, median and peak.

/// Statistics of the voxels of one region, computed in `f64`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionStatistics {
    /// Number of voxels.
    pub voxels: usize,
    /// Voxel count times voxel volume, millilitres.
    pub volume_ml: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value, without interpolation.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation of the voxels, divided by their number (ddof 0).
    pub sd: f64,
    /// Median; the mean of the two middle values where their number is even.
    pub median: f64,
}
