//! Synthetic PET-CT patients with known truth.
