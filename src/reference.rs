//! Reference regions: liver and mediastinal blood pool, placed, measured and checked.
