//! Domain types that parse once: below the handlers an id, a page or a date cannot be wrong.

pub mod cursor;
pub mod draft;
mod edit;
pub mod etag;
pub mod extras;
pub mod filter;
pub mod genre;
pub mod import;
pub mod job;
pub mod locks;
pub mod movie;
mod object;
pub mod parameters;
pub mod precondition;
pub mod query;
pub mod record;
pub mod similar;
pub mod sync;
pub mod text;
