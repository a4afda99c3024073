//! Domain types that parse once: below the handlers an id, a page or a date cannot be wrong.

pub mod import;
pub mod movie;
pub mod query;
pub mod sync;
