//! What the gateway decides for itself.

pub mod limiter;
