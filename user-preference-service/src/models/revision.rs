//! What tells whether anything of a user has changed.

use super::Invalid;

/// The revision of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The user.
    pub user_id: i64,
    /// `<epoch>-<number>`: changes whenever the user's preferences or interactions do.
    pub revision: String,
}

/// The users of one request: at most 1,000, whether they exist or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserIds(Vec<i64>);

impl UserIds {
    /// Checks the ids.
    ///
    /// # Errors
    /// [`Invalid`] when they are left out, or too many.
    pub fn new(ids: Option<Vec<i64>>) -> Result<Self, Invalid> {
        let refuse = |rule| Invalid::Field { field: "users", rule };
        let ids = ids.ok_or(refuse("is required"))?;
        if ids.len() > 1000 {
            return Err(refuse("must have at most 1000 entries"));
        }
        Ok(Self(ids))
    }

    /// The ids themselves.
    pub fn as_slice(&self) -> &[i64] {
        &self.0
    }
}
