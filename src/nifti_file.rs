//! NIfTI files: volumes out, masks in.
