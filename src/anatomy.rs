//! Where the organs are, as far as CT and PET tell without a learned model.
