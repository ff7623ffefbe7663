//! Documents: what the commands answer, as structures that become JSON and as text for people.
//!
//! Every JSON document starts with its schema, the program's version and the sentence on research use. Positions are
//! LPS millimetres, shapes and spacings `[slice, row, column]`. A number that is not known is `null`, and a key that ends
//! in `_reason` beside it says why; NaN and infinity never get into a document.

mod calls;
pub mod compare;
pub mod decisions;
pub mod figure;
pub mod html;
pub mod inspect;
pub mod measure;
pub mod phantom;
pub mod pictures;
pub mod score;
pub mod suv;
pub mod table;
mod text;
pub mod trajectories;
pub mod viewer;
pub mod visits;

use schemars::JsonSchema;
use serde::Serialize;

use crate::acquisition::Sex;
use crate::diagnostic::Warning;
use crate::dicom::Patient;

/// What every document says of itself.
pub const RESEARCH_USE: &str = "decision support for research, not a medical device";

/// What a command answers.
pub trait Content: Serialize + JsonSchema {
    /// Name of the schema: `petct-suv`.
    const NAME: &'static str;
    /// Version of the schema; fields may be added without a new one.
    const VERSION: u32;

    /// The result for people, no line over 100 columns, ends with a line feed. `verbose`: with what is of use to few.
    fn text(&self, verbose: bool) -> String;

    /// The table of the result as CSV; `None` where the result has none.
    fn csv(&self) -> Option<String> {
        None
    }

    /// What was noticed, in the order of the work.
    fn warnings(&self) -> &[Warning];
}

/// Name and version of a document's schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SchemaId {
    /// Name: `petct-suv`.
    pub name: &'static str,
    /// Version; fields may be added without a new one.
    pub version: u32,
}

/// A content with what every document starts with.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Document<'a, T> {
    /// Name and version of the schema.
    pub schema: SchemaId,
    /// Version of the program.
    pub petct_version: &'static str,
    /// What the result is for.
    pub research_use: &'static str,
    /// The result.
    #[serde(flatten)]
    pub content: &'a T,
}

impl<'a, T: Content> Document<'a, T> {
    /// The document of a content.
    pub fn new(content: &'a T) -> Self {
        Self {
            schema: SchemaId { name: T::NAME, version: T::VERSION },
            petct_version: env!("CARGO_PKG_VERSION"),
            research_use: RESEARCH_USE,
            content,
        }
    }

    /// The JSON schema of such documents.
    pub fn json_schema() -> schemars::Schema {
        schema_of::<Document<'_, T>>(T::NAME)
    }
}

/// The JSON schema of every document, by name: what the files in `schema/` hold.
pub fn json_schemas() -> Vec<(&'static str, schemars::Schema)> {
    fn of<T: Content>() -> (&'static str, schemars::Schema) {
        (T::NAME, Document::<T>::json_schema())
    }
    vec![
        of::<inspect::InspectDocument>(),
        of::<suv::SuvDocument>(),
        of::<measure::MeasureDocument>(),
        of::<phantom::PhantomDocument>(),
        of::<score::ScoreDocument>(),
        of::<compare::CompareDocument>(),
        of::<visits::VisitsDocument>(),
        of::<figure::FigureDocument>(),
        (ErrorDocument::NAME, schema_of::<ErrorDocument>(ErrorDocument::NAME)),
    ]
}

fn schema_of<T: JsonSchema>(name: &'static str) -> schemars::Schema {
    let settings = schemars::generate::SchemaSettings::default().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), name.into());
    schema
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Error {
    /// Stable name for scripts: `missing_patient_weight`.
    pub code: String,
    /// One sentence: what, where, what to do.
    pub message: String,
    /// What to do, alone.
    pub remedy: String,
}

/// The document in place of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorDocument {
    /// Why there is no result.
    pub error: Error,
}

impl ErrorDocument {
    /// Name of the schema.
    pub const NAME: &'static str = "petct-error";
}

/// Who was examined; only in a document where it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PatientDocument {
    /// `PatientName` (0010,0010).
    pub name: String,
    /// `PatientID` (0010,0020).
    pub id: String,
    /// `PatientBirthDate` (0010,0030); `null` where the file has none.
    pub birth_date: Option<String>,
    /// `PatientSex` (0010,0040): M, F, O; `null` where the file has none.
    pub sex: Option<&'static str>,
}

impl From<&Patient> for PatientDocument {
    fn from(patient: &Patient) -> Self {
        Self {
            name: patient.name.clone(),
            id: patient.id.clone(),
            birth_date: patient.birth_date.value().map(ToString::to_string),
            sex: patient.sex.value().map(|sex| match sex {
                Sex::Male => "M",
                Sex::Female => "F",
                Sex::Other => "O",
            }),
        }
    }
}

/// A time as documents have it: `2000-09-07T10:35:00`.
fn time_text(time: chrono::NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

/// A number that may stand in a document.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
