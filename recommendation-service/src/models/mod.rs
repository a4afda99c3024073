//! Domain types: parsed once, so that what holds one need not check it again.

pub mod catalogue;
pub mod catalogue_builder;
pub mod recommendation;
pub mod rule;
pub mod snapshot;
pub mod user_id;
pub mod user_profile;
