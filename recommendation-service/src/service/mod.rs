//! Use cases: keeping copies of catalogue and rules fresh, making recommendations, recording them.

pub mod catalogue;
pub mod experiments;
pub mod list_events;
pub mod list_history;
pub mod list_queue;
pub mod list_retention;
pub mod model;
pub mod models;
pub mod pipeline;
pub mod recommendations;
pub mod rule_editor;
pub mod rule_freshness;
pub mod rule_set;
pub mod rules;
pub mod stored_models;
pub mod training;

use crate::{
    database::postgres::DatabaseError, models::user_id::UserId, repository::recommendation_cache::CacheUnavailable,
};

/// Why a request cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such user.
    #[error("no such user")]
    NoSuchUser,
    /// There is no user with this id, who is to be a member of a group.
    #[error("no such user: {0}")]
    NoSuchMember(UserId),
    /// There is no such movie.
    #[error("no such movie")]
    NoSuchMovie,
    /// No such list is recorded, or it is another user's.
    #[error("no such list")]
    NoSuchList,
    /// The movie of the event at this index is not in the list.
    #[error("the movie of event {0} is not in the list")]
    NotInList(usize),
    /// The parameter names no list of the user that is recorded.
    #[error("no such list of the user: {0}")]
    NoListOfUser(&'static str),
    /// There is no such rule.
    #[error("no such rule")]
    NoSuchRule,
    /// Another active rule of the same variant has the type.
    #[error("another active rule has the type")]
    RuleTypeTaken,
    /// Another rule of the same variant has the name.
    #[error("another rule has the name")]
    RuleNameTaken,
    /// There is no such training.
    #[error("no such training")]
    NoSuchTraining,
    /// The variant in this field has no active rule.
    #[error("the variant of {0} has no active rule")]
    VariantWithoutRules(&'static str),
    /// Redis does not answer.
    #[error(transparent)]
    Cache(#[from] CacheUnavailable),
    /// No copy of the catalogue yet.
    #[error("no copy of the catalogue yet")]
    NoCatalogue,
    /// PostgreSQL does not work.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}
