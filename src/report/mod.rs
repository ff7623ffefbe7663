//! The way out: documents for people and programs.
