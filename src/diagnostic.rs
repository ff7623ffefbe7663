//! Findings that do not stop the work: values, never log lines, so that no caller can miss them.

use schemars::JsonSchema;
use serde::Serialize;

/// Something a reader of the result should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Warning {
    /// Stable name for scripts, in capitals: `REF_TIME_FALLBACK`.
    pub code: &'static str,
    /// One sentence: what, where, how large.
    pub message: String,
}

impl Warning {
    /// A warning with its code and its sentence.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A result with what was noticed on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Warned<T> {
    /// The result.
    pub output: T,
    /// What was noticed, in the order of the work.
    pub warnings: Vec<Warning>,
}

impl<T> Warned<T> {
    /// A result with nothing to remark.
    pub fn clean(output: T) -> Self {
        Self { output, warnings: Vec::new() }
    }

    /// Takes the result and moves its warnings into a list.
    pub fn unpack(self, into: &mut Vec<Warning>) -> T {
        into.extend(self.warnings);
        self.output
    }
}
