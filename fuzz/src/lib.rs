//! What the fuzz targets share: a folder in memory for interfaces that take paths, and a quiet panic hook.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;

/// Stands between the files of one input of `header_to_series`.
pub const NEXT_FILE: &[u8] = b"<<next file>>";

/// A folder in memory where the system has one.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder can be made")
});

/// The library turns a panic of a decoder into an error of the file, which must not end the run; a panic that leaves
/// the library ends it as ever.
pub fn quiet_contained_panics() {
    std::panic::set_hook(Box::new(|info| {
        if std::env::var_os("FUZZ_SHOW_PANICS").is_some() {
            eprintln!("{info}");
        }
    }));
}

/// Writes the bytes as the only file of a name and gives its path.
pub fn one_file(bytes: &[u8]) -> PathBuf {
    let path = FOLDER.path().join("input");
    fs::write(&path, bytes).expect("the temporary folder can be written");
    path
}

/// Writes the files of one input into a folder that holds nothing else; at most eight are taken.
pub fn several_files(bytes: &[u8]) -> PathBuf {
    let folder = FOLDER.path().join("scan");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("the temporary folder can be written");
    for (n, file) in parts(bytes).into_iter().take(8).enumerate() {
        fs::write(folder.join(n.to_string()), file).expect("the temporary folder can be written");
    }
    folder
}

/// The parts between the markers.
fn parts(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(at) = bytes.windows(NEXT_FILE.len()).position(|window| window == NEXT_FILE) {
        parts.push(&bytes[..at]);
        bytes = &bytes[at + NEXT_FILE.len()..];
    }
    parts.push(bytes);
    parts
}
