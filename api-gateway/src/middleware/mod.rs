//! What a request passes before it is forwarded, and what its answer passes on the way back.

pub mod access_log;
pub mod auth;
pub mod client_ip;
pub mod cors;
pub mod message;
pub mod rate_limit;
pub mod request_id;
