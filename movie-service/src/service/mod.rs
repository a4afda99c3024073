//! Use cases. Nothing here knows of HTTP or SQL.

pub mod bulk;
pub mod catalogue;
mod count_cache;
pub mod error;
mod lists;
pub mod movie_editor;
pub mod movies;
mod runtimes;
mod sample;
mod similar;
mod source;
pub mod sync;
pub mod tmdb;
