//! What several tests share.

use std::path::PathBuf;

/// The folder with the real scans, or `None` (said on stderr) where it is not on this machine.
///
/// `PETCT_DATA` names it; by default it lies beside the checkout.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn shared_data(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PETCT_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let path = root.join(folder);
    if !path.exists() {
        eprintln!(
            "skipped: {} is not here; set PETCT_DATA to the folder of real scans",
            path.display()
        );
        return None;
    }
    Some(path)
}

#[test]
fn missing_data_is_none() {
    assert_eq!(shared_data("no-such-folder"), None);
}
