//! Domain types that parse once: below the handlers an id, a page or a date cannot be wrong.

pub mod cursor;
pub mod etag;
pub mod extras;
pub mod filter;
pub mod genre;
pub mod import;
pub mod movie;
pub mod parameters;
pub mod query;
pub mod similar;
pub mod sync;
