//! Domain types that parse once: below the handlers an id, a page or a date cannot be wrong.

pub mod etag;
pub mod filter;
pub mod genre;
pub mod import;
pub mod job;
pub mod movie;
pub mod parameters;
pub mod query;
pub mod similar;
pub mod sync;
