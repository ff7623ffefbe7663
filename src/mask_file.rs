//! Regions from outside: NIfTI, RTSTRUCT and DICOM SEG on the lattice of a scan.
