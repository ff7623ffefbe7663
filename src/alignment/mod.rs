//! Two scans of one patient in one frame.
