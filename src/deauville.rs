//! The five-point score under a named convention.
