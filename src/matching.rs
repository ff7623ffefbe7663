//! Which lesion of one scan is which of the other.
