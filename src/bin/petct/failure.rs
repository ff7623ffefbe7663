//! Why there is no result: one sentence, a code for scripts, what to do.

use std::fmt::Display;

use clap::error::{ContextKind, ErrorKind};
use petct::decisions::DecisionError;
use petct::diagnostic::Warning;
use petct::dicom::ReadError;
use petct::dicom::write::WriteError;
use petct::mask_file::{MaskError, MaskFault};
use petct::nifti_file::NiftiError;
use petct::report::Error;
use petct::suv::SuvError;
use petct::visits::TableError;

/// An input or a command that cannot be used: exit status 2.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Stable name for scripts: `missing_patient_weight`.
    pub(crate) code: String,
    /// One sentence on one line: what, where, what to do.
    pub(crate) message: String,
    /// What to do, alone.
    pub(crate) remedy: String,
}

impl Failure {
    /// A failure whose sentence ends with its remedy.
    pub(crate) fn new(code: &str, what: &dyn Display, remedy: &str) -> Self {
        Self::whole(code, format!("{what}; {remedy}"), remedy.to_owned())
    }

    /// A sentence that holds its remedy.
    fn whole(code: &str, message: String, remedy: String) -> Self {
        let one_line = |text: String| {
            let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            text.replace(char::is_control, "?")
        };
        Self { code: code.to_owned(), message: one_line(message), remedy: one_line(remedy) }
    }

    /// A sentence of the library: by its habit the remedy stands behind the last semicolon; where there is none, it is
    /// added.
    fn sentence(code: &str, error: &dyn Display, otherwise: &str) -> Self {
        let message = error.to_string();
        match message.rsplit_once("; ") {
            Some((_, remedy)) => Self::whole(code, message.clone(), remedy.to_owned()),
            None => Self::new(code, &message, otherwise),
        }
    }

    /// What is wrong with a command line.
    pub(crate) fn usage(error: &clap::Error) -> Self {
        let context = |kind| error.get(kind).map(ToString::to_string);
        let argument = context(ContextKind::InvalidArg).unwrap_or_default();
        // "--weight-kg <KG>": the flag alone is enough.
        let argument = argument.split(" <").next().unwrap_or_default();
        let value = context(ContextKind::InvalidValue);
        let cause = std::error::Error::source(error).map(ToString::to_string);
        let message = match (error.kind(), value, cause) {
            (ErrorKind::ValueValidation, _, Some(cause)) => format!("{argument}: {cause}"),
            (ErrorKind::InvalidValue, Some(value), _) if !value.is_empty() => {
                let valid = context(ContextKind::ValidValue).unwrap_or_default();
                format!("{argument}: {value:?} is none of {valid}")
            }
            (ErrorKind::InvalidValue, _, _) => format!("{argument} needs a value"),
            (ErrorKind::UnknownArgument, _, _) => {
                format!("there is no flag or argument {argument:?} here")
            }
            (ErrorKind::InvalidSubcommand, _, _) => {
                let name = context(ContextKind::InvalidSubcommand).unwrap_or_default();
                format!("there is no command {name:?}")
            }
            (ErrorKind::MissingRequiredArgument, _, _) => format!("{argument} is missing"),
            (
                ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                _,
                _,
            ) => "the command is missing".to_owned(),
            _ => {
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default();
                first.trim_start_matches("error: ").to_owned()
            }
        };
        Self::new("usage", &message, "see petct COMMAND --help")
    }

    /// A warning that counts as an error.
    pub(crate) fn of_warning(warning: &Warning) -> Self {
        let code = warning.code.to_ascii_lowercase();
        Self::new(&code, &warning.message, "correct the input, or run without --strict")
    }

    /// Why a file of decisions is not used.
    pub(crate) fn of_decisions(file: &dyn Display, error: &DecisionError) -> Self {
        let code = match error {
            DecisionError::Unreadable { .. } => "not_decisions",
            DecisionError::Newer { .. } => "decisions_of_newer_format",
            DecisionError::OtherScan => "decisions_of_other_scan",
            DecisionError::OtherScans => "links_of_other_scans",
            DecisionError::OtherSettings { .. } => "decisions_of_other_settings",
            DecisionError::OtherRegions { .. } => "decisions_of_other_regions",
            _ => "decision_refused",
        };
        Self::sentence(code, &format!("{file}: {error}"), "score again with -o for a new file")
    }

    /// Why a table of visits or diameters is not used.
    pub(crate) fn of_table(file: &dyn Display, error: &TableError) -> Self {
        let code = match error {
            TableError::NotATable(_) => "not_a_table",
            TableError::Empty => "table_empty",
            TableError::UnknownColumn { .. } | TableError::Headings { .. } => "table_columns",
            TableError::Value { .. } | TableError::Row { .. } => "table_row",
        };
        Self::sentence(code, &format!("{file}: {error}"), "see docs/visits.md")
    }

    /// As it stands in a document.
    pub(crate) fn error(&self) -> Error {
        Error {
            code: self.code.clone(),
            message: self.message.clone(),
            remedy: self.remedy.clone(),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let code = match &error {
            ReadError::NotFound(_) => "not_found",
            ReadError::EmptyFolder(_) => "empty_folder",
            ReadError::NoDicom { .. } => "no_dicom",
            ReadError::NoPet { .. } => "no_pet",
            ReadError::Ambiguous { series } => {
                let names = series.join(", ");
                let message = format!("{} PET series are equally usable: {names}", series.len());
                return Self::new("ambiguous_series", &message, "name one with --series");
            }
            ReadError::NoSuchSeries(_) => "no_such_series",
            ReadError::Unusable { .. } => "unusable_series",
            ReadError::Pixels { .. } => "unreadable_pixels",
            ReadError::Stretched { .. } => "slices_stretched",
            ReadError::Io { .. } => "unreadable",
            _ => "unreadable_scan",
        };
        Self::sentence(code, &error, "petct inspect shows what is there")
    }
}

impl From<SuvError> for Failure {
    fn from(error: SuvError) -> Self {
        Self::whole(error.code(), error.to_string(), error.remedy())
    }
}

impl From<MaskError> for Failure {
    fn from(error: MaskError) -> Self {
        let code = match &error.fault {
            MaskFault::Io(_) => "unreadable_mask",
            MaskFault::OtherFrame { .. } => "mask_of_other_frame",
            MaskFault::Empty => "mask_empty",
            MaskFault::Outside => "mask_outside",
            MaskFault::NotRegions(_) => "not_a_mask",
            _ => "unusable_mask",
        };
        Self::sentence(code, &error, "give NIfTI, RTSTRUCT or DICOM SEG")
    }
}

impl From<NiftiError> for Failure {
    fn from(error: NiftiError) -> Self {
        let code = match &error {
            NiftiError::Write { .. } | NiftiError::BadName { .. } => "cannot_write",
            _ => "unreadable_nifti",
        };
        Self::sentence(code, &error, "choose another file or folder")
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::sentence("cannot_write", &error, "choose another folder")
    }
}
