//! What alerts and incidents are, and the rules they follow, without I/O.

pub mod alert;
pub mod labels;
pub mod severity;
