//! Placeholder, replaced by its branch.
