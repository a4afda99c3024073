//! Domain types: parsed once, so that what holds one need not check it again.

pub mod blocks;
pub mod catalogue;
pub mod catalogue_builder;
mod catalogue_changes;
pub mod experiment;
pub mod feedback;
pub mod group;
pub mod id_index;
pub mod list_event;
pub mod list_request;
pub mod recommendation;
pub mod recorded_list;
pub mod rule;
pub mod rule_edit;
pub mod snapshot;
pub mod statistics;
pub mod strategy;
pub mod text_column;
pub mod training_job;
pub mod user_id;
pub mod user_profile;
