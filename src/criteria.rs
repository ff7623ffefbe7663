//! Every clinical number with its source, gathered in named, versioned sets.
