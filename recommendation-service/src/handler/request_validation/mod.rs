//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! Reads bodies and query strings into types that derive `Deserialize`, and names the field or parameter that is wrong.

pub mod body;
pub mod number;
pub mod query;
