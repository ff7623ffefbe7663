//! Regions of raised uptake: found, measured, told apart from normal uptake.
