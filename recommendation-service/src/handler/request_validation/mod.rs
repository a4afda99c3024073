//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! Reads request bodies into types that derive `Deserialize`, and names the field that has the wrong type.

pub mod body;
pub mod number;
