//! From a pair of scored scans to a response category.
