//! Pixels in memory: MIP, slices, fusion, outlines, figures.
