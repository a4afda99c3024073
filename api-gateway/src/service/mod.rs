//! What the gateway decides by itself: the rate limit.

pub mod limiter;
