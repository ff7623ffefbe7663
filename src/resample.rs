//! Volumes between lattices: sampling, resampling, smoothing.
