//! What people write into the catalogue: the body of a write, read and checked.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    edit::{Edit, Null, TITLE, check},
    locks::Locks,
    object::{self, Given, InvalidBody},
};

/// A field with a value that it cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidField {
    /// The field as it is called in JSON.
    pub name: &'static str,
    /// What it may be, to follow "expected".
    pub expected: &'static str,
}

/// Why a body cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// Not one JSON object with values of the right types.
    Malformed,
    /// A value that a movie cannot have.
    Field(InvalidField),
}

impl From<InvalidBody> for BodyError {
    fn from(_: InvalidBody) -> Self {
        Self::Malformed
    }
}

impl From<InvalidField> for BodyError {
    fn from(field: InvalidField) -> Self {
        Self::Field(field)
    }
}

/// A genre as a body names it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum SentGenre {
    Id(i64),
    Name(String),
}

/// The fields of a body, unchecked.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) title: Given<String>,
    pub(super) original_title: Given<String>,
    pub(super) overview: Given<String>,
    pub(super) release_date: Given<String>,
    pub(super) genres: Given<Vec<Option<SentGenre>>>,
    pub(super) language: Given<String>,
    pub(super) duration: Given<i64>,
    pub(super) popularity: Given<f64>,
    pub(super) vote_average: Given<f64>,
    pub(super) vote_count: Given<i64>,
    pub(super) poster_url: Given<String>,
    pub(super) backdrop_url: Given<String>,
    pub(super) tmdb_id: Given<i64>,
    pub(super) locked_fields: Given<Vec<Option<String>>>,
}

impl Sent {
    fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        let mut sent = Self::default();
        for (name, value) in object::fields(body)? {
            sent.take(&name, value)?;
        }
        Ok(sent)
    }

    fn take(&mut self, name: &str, value: &RawValue) -> Result<(), InvalidBody> {
        match name {
            "title" => self.title = object::value(value)?,
            "original_title" => self.original_title = object::value(value)?,
            "overview" => self.overview = object::value(value)?,
            "release_date" => self.release_date = object::value(value)?,
            "genres" => self.genres = object::value(value)?,
            "language" => self.language = object::value(value)?,
            "duration" => self.duration = object::integer(value)?,
            "popularity" => self.popularity = object::float(value)?,
            "vote_average" => self.vote_average = object::float(value)?,
            "vote_count" => self.vote_count = object::integer(value)?,
            "poster_url" => self.poster_url = object::value(value)?,
            "backdrop_url" => self.backdrop_url = object::value(value)?,
            "tmdb_id" => self.tmdb_id = object::integer(value)?,
            "locked_fields" => self.locked_fields = object::value(value)?,
            _ => {}
        }
        Ok(())
    }
}

/// A whole movie: what is left out, or null, is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft(pub(super) Edit);

/// A JSON merge patch (RFC 7396): what is left out stays, a null resets.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch(pub(super) Edit);

impl Draft {
    /// Reads and checks a body.
    ///
    /// # Errors
    /// [`BodyError`] for the first rule that is broken.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let edit = check(Sent::read(body)?, Null::IsAbsent)?;
        match edit.title {
            Some(_) => Ok(Self(edit)),
            None => Err(TITLE.into()),
        }
    }
}

impl Patch {
    /// Reads and checks a body.
    ///
    /// # Errors
    /// [`BodyError`] for the first rule that is broken.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        Ok(Self(check(Sent::read(body)?, Null::Resets)?))
    }
}

/// Names of fields that can be locked; `None` when one cannot.
pub(super) fn locks(names: Vec<Option<String>>) -> Option<Locks> {
    let names = names.iter().map(Option::as_deref).collect::<Option<Vec<_>>>()?;
    Locks::parse(names)
}
