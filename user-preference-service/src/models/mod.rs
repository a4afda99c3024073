//! Domain types that parse once, at the edge; below that they cannot be wrong.

pub mod feed;
pub mod id;
pub mod interaction;
pub mod interaction_value;
pub mod preferences;
pub mod profile;
pub mod revision;
pub mod text;
pub mod user;

/// A value that a client sent and that cannot be accepted. `Display` is the public text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A user without one of the two.
    #[error("username and email are required")]
    UsernameAndEmailRequired,
    /// Not one of the types.
    #[error("invalid interaction type: {0}")]
    InteractionType(String),
    /// Zero, negative or left out.
    #[error("invalid movie ID")]
    MovieId,
    /// Any other rule.
    #[error("{field} {rule}")]
    Field {
        /// The field as it is called in JSON.
        field: &'static str,
        /// Completes the sentence that begins with the field.
        rule: &'static str,
    },
}
