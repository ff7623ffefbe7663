//! Regions on a lattice: thresholds, connected components, morphology.
