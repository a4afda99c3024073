//! `AUTH_MODE`: who is let in, and what they may do.

mod api_keys;
mod issuer;
mod jws_vectors;
mod key_rotation;
mod permissions;
