//! May two scans be compared?
