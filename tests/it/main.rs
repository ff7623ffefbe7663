//! One test binary: whole files, whole commands, and rules that span modules.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are read, not called")]

mod architecture;
mod bodies;
mod book;
mod browser;
mod cli;
mod codes;
mod compare;
mod decisions;
mod digital_phantom;
mod encode;
mod html;
mod links;
mod loading;
mod loading_codings;
mod loading_enhanced;
mod masks;
mod organs;
mod pairs;
mod phantom;
mod pictures;
mod print;
mod properties;
mod real_ct;
mod real_pair;
mod refusals;
mod review;
mod samples;
mod score;
mod selection;
mod support;
mod suv;
mod synthetic;
mod visits;
