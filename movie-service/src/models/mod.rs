//! Domain types that parse once: below the handlers an id, a page or a date cannot be wrong.

pub mod cursor;
pub mod draft;
pub mod filter;
pub mod genre;
pub mod import;
pub mod includes;
pub mod job;
pub mod locks;
pub mod movie;
pub mod query;
pub mod similar;
pub mod stored_movie;
pub mod sync;
pub mod text;
