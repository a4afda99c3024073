//! The phases of a request, in pingora's sense: what it passes before it is forwarded, and what is added to its
//! response. [`crate::gateway`] calls them in order.
//!
//! They are plain functions, not tower layers. Their order is the specification and stands in one file; later phases
//! use what earlier ones found (client address, canonical path, rate limit); and the layers of tower-http do something
//! else: `SetRequestIdLayer` keeps any id a client sends, `CorsLayer` answers a preflight with 200 and adds `Vary` to
//! every response, and `TraceLayer` writes no line for a client that hangs up before its response.

pub mod access_log;
pub mod auth;
pub mod client_ip;
pub mod compression;
pub mod cors;
pub mod message_validation;
pub mod rate_limit;
pub mod request_id;
pub mod trace_context;
