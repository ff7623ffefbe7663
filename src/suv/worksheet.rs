//! The sheet on which one plan is worked out: what was read, what was noticed.

use std::fmt::Display;

use super::{Alternative, Input, Overrides};
use crate::acquisition::{Attribute, PetAcquisition};
use crate::diagnostic::Warning;

/// The facts of a series, the overrides, and everything noted on the way.
pub(super) struct Worksheet<'a> {
    pub(super) acquisition: &'a PetAcquisition,
    pub(super) overrides: &'a Overrides,
    pub(super) inputs: Vec<Input>,
    pub(super) alternatives: Vec<Alternative>,
    pub(super) warnings: Vec<Warning>,
    /// Whether SUV depends on the clock; if not, clocks that disagree are no news.
    pub(super) clock_matters: bool,
}

impl<'a> Worksheet<'a> {
    pub(super) fn new(acquisition: &'a PetAcquisition, overrides: &'a Overrides) -> Self {
        Self {
            acquisition,
            overrides,
            inputs: Vec::new(),
            alternatives: Vec::new(),
            warnings: Vec::new(),
            clock_matters: true,
        }
    }

    pub(super) fn warn(&mut self, code: &'static str, message: impl Into<String>) {
        self.warnings.push(Warning::new(code, message));
    }

    /// Notes a header value and what is used of it.
    pub(super) fn note<T: Display>(
        &mut self,
        (name, tag): (&str, &str),
        read: &Attribute<T>,
        used: impl Into<String>,
        edited: bool,
    ) {
        self.inputs.push(Input {
            name: name.to_owned(),
            tag: tag.to_owned(),
            as_read: as_read(read),
            used: used.into(),
            edited,
        });
    }

    /// Notes another reading, unless it makes no difference that anybody could see (0.01 %).
    pub(super) fn alternative(
        &mut self,
        description: impl Into<String>,
        suv_difference_percent: f64,
    ) {
        if suv_difference_percent.abs() >= 0.01 {
            self.alternatives
                .push(Alternative { description: description.into(), suv_difference_percent });
        }
    }
}

/// An attribute as a reader of the result sees it.
fn as_read<T: Display>(read: &Attribute<T>) -> String {
    match read {
        Attribute::Absent => "missing".to_owned(),
        Attribute::Empty => "empty".to_owned(),
        Attribute::Unreadable(text) => format!("unreadable {text:?}"),
        Attribute::Value(value) => value.to_string(),
    }
}
