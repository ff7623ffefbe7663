//! The `petct` command.

fn main() {}
