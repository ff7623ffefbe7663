//! The folder of `-o`: documents and pictures, each written whole or not at all.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use image::RgbImage;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use petct::report::{Content, Document};

use crate::failure::Failure;

/// Name of the page for people.
pub(crate) const REPORT: &str = "report.html";

/// A folder that results are written into.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder where it is not there.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(path).map_err(|e| cannot_write(path, &e))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes a picture as PNG, and gives its bytes.
    pub(crate) fn picture(&self, name: &str, picture: &RgbImage) -> Result<Vec<u8>, Failure> {
        let bytes = self.png(name, picture)?;
        self.write(name, &bytes)?;
        Ok(bytes)
    }

    /// A picture as the bytes of a PNG; `name` is that of the file that it will be in.
    pub(crate) fn png(&self, name: &str, picture: &RgbImage) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        // Half the size of what is usual: the pictures are in the page as well.
        let encoder =
            PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
        let encoded = picture.write_with_encoder(encoder);
        encoded.map_err(|e| cannot_write(&self.path.join(name), &e))?;
        Ok(bytes)
    }

    /// Writes a document as `NAME.json` and as `NAME.txt`, the text with all details.
    pub(crate) fn document<T: Content>(&self, name: &str, content: &T) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(&Document::new(content));
        let json = json.map_err(|e| Failure::new("json", &e, "report this as a bug"))?;
        self.write(&format!("{name}.json"), format!("{json}\n").as_bytes())?;
        self.write(&format!("{name}.txt"), content.text(true).as_bytes())
    }

    /// Writes a text.
    pub(crate) fn text(&self, name: &str, text: &str) -> Result<(), Failure> {
        self.write(name, text.as_bytes())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        write_file(&self.path.join(name), bytes)
    }
}

/// Writes a file under another name first: a file that has its name is complete.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!(".{name}.part"));
    let written =
        std::fs::write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, path));
    written.map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, why: &dyn Display) -> Failure {
    let message = format!("{} cannot be written: {why}", path.display());
    Failure::new("cannot_write", &message, "choose another folder with -o")
}
