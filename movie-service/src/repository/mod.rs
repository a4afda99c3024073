//! SQL and Redis keys. Nothing here knows of HTTP.

pub mod cache;
pub mod genres;
pub mod job_page;
pub mod job_work;
pub mod jobs;
pub mod list;
pub mod lock;
pub mod movies;
pub mod runtimes;
pub mod similar;
pub mod snapshot;
pub mod writes;
