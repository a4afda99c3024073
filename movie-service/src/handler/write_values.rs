//! Checks the values of a written movie, field by field.

use super::{
    request_validation::body::parse_json,
    views::{BACKDROP_PREFIX, POSTER_PREFIX},
    write_schema::{GenreNameOrId, MovieBody, MoviePatch, PatchField},
};
use crate::models::{
    draft::{BodyError, Draft, Edit, InvalidField, Patch},
    genre::GenreName,
    locks::Locks,
    movie::parse_date,
    text::is_blank,
};

const MAX_GENRES: usize = 20;
const MAX_IMAGE_CHARS: usize = 200;
/// What a title may be.
const TITLE: InvalidField =
    InvalidField { name: "title", expected: "a title of 1 to 500 characters that is not blank" };
const ORIGINAL_TITLE: &str = "a text of at most 500 characters";
const OVERVIEW: &str = "a text of at most 10000 characters";
const DATE: &str = "YYYY-MM-DD, or an empty text";
const GENRES: &str = "at most 20 names or ids of genres";
const LANGUAGE: &str = "2 or 3 letters, or an empty text";
const WHOLE: &str = "a whole number from 0 to 2147483647";
const POPULARITY: &str = "a number of 0 or more";
const RATING: &str = "a number from 0 to 10";
const POSTER: &str = "a path like /name.jpg, the same below https://image.tmdb.org/t/p/w500, or an empty text";
const BACKDROP: &str = "a path like /name.jpg, the same below https://image.tmdb.org/t/p/w780, or an empty text";
const TMDB_ID: &str = "a whole number from 1 to 2147483647";

/// What a null is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Null {
    /// As if the field were left out.
    IsAbsent,
    /// The field is to be unknown.
    Resets,
}

impl MovieBody {
    /// Checks the values.
    ///
    /// # Errors
    /// [`InvalidField`], with the first one that a movie cannot have.
    pub fn check(self) -> Result<Draft, InvalidField> {
        let edit = check(self.0, Null::IsAbsent)?;
        if edit.title.is_none() { Err(TITLE) } else { Ok(Draft(edit)) }
    }
}

impl MoviePatch {
    /// Checks the values.
    ///
    /// # Errors
    /// [`InvalidField`], with the first one that a movie cannot have.
    pub fn check(self) -> Result<Patch, InvalidField> {
        check(self, Null::Resets).map(Patch)
    }
}

/// Reads and checks a line of a bulk.
///
/// # Errors
/// [`BodyError`].
pub fn parse_line(line: &[u8]) -> Result<Draft, BodyError> {
    let body: MovieBody = parse_json(line).map_err(|error| BodyError::Malformed { field: error.into_body().field })?;
    Ok(body.check()?)
}

/// Checks what was sent, field by field.
fn check(body: MoviePatch, null: Null) -> Result<Edit, InvalidField> {
    let mut fields = Fields { null, set: Locks::default() };
    let title =
        fields.read("title", TITLE.expected, body.title, None, |text| Some(text).filter(|text| is_title(text)))?;
    let edit = Edit {
        title,
        original_title: fields.read("original_title", ORIGINAL_TITLE, body.original_title, Some(None), |text| {
            fits(&text, 500).then_some((!text.is_empty()).then_some(text))
        })?,
        overview: fields.read("overview", OVERVIEW, body.overview, Some(String::new()), |text| {
            fits(&text, 10_000).then_some(text)
        })?,
        release_date: fields.read("release_date", DATE, body.release_date, Some(None), |text| match text.as_str() {
            "" => Some(None),
            text => parse_date(text).map(Some),
        })?,
        genres: fields.read("genres", GENRES, body.genres, Some(Vec::new()), genre_names)?,
        language: fields.read("language", LANGUAGE, body.language, Some(None), language)?,
        runtime: fields.read("duration", WHOLE, body.duration, Some(None), |minutes| {
            whole(minutes).map(|minutes| Some(minutes).filter(|minutes| *minutes > 0))
        })?,
        popularity: fields.read("popularity", POPULARITY, body.popularity, Some(None), |number| {
            // The absolute value, so that -0 is stored and shown as 0.
            (number.is_finite() && number >= 0.0).then_some(Some(number.abs()))
        })?,
        vote_average: fields.read("vote_average", RATING, body.vote_average, Some(None), |number| {
            (0.0..=10.0).contains(&number).then_some(Some(number.abs()))
        })?,
        vote_count: fields.read("vote_count", WHOLE, body.vote_count, Some(None), |votes| whole(votes).map(Some))?,
        poster_path: fields
            .read("poster_url", POSTER, body.poster_url, Some(None), |url| image(&url, POSTER_PREFIX))?,
        backdrop_path: fields
            .read("backdrop_url", BACKDROP, body.backdrop_url, Some(None), |url| image(&url, BACKDROP_PREFIX))?,
        tmdb_id: fields
            .read("tmdb_id", TMDB_ID, body.tmdb_id, Some(None), |id| whole(id).filter(|id| *id > 0).map(Some))?,
        listed: fields.read("locked_fields", Locks::EXPECTED, body.locked_fields, Some(Locks::default()), locks)?,
        set: Locks::default(),
    };
    Ok(Edit { set: fields.set, ..edit })
}

/// The fields of a body as they are checked.
struct Fields {
    null: Null,
    /// Those that are set.
    set: Locks,
}

impl Fields {
    /// Checks one. `unset` is what a null makes of it, if it may be null.
    fn read<T, U>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        given: PatchField<T>,
        unset: Option<U>,
        check: impl FnOnce(T) -> Option<U>,
    ) -> Result<Option<U>, InvalidField> {
        let value = match given {
            PatchField::Absent => return Ok(None),
            PatchField::Null if self.null == Null::IsAbsent => return Ok(None),
            PatchField::Null => unset,
            PatchField::Value(value) => check(value),
        };
        self.set = self.set.with(Locks::known([name]));
        value.map(Some).ok_or(InvalidField { name, expected })
    }
}

/// Whether a text has at most so many characters, and none that PostgreSQL cannot store.
fn fits(text: &str, limit: usize) -> bool {
    // No character takes less than a byte, so most texts need no counting.
    (text.len() <= limit || text.chars().nth(limit).is_none()) && !text.contains('\0')
}

fn is_title(text: &str) -> bool {
    fits(text, 500) && !is_blank(text)
}

fn whole(number: i64) -> Option<i32> {
    i32::try_from(number).ok().filter(|number| *number >= 0)
}

fn language(text: String) -> Option<Option<String>> {
    match text.len() {
        0 => Some(None),
        2 | 3 if text.bytes().all(|byte| byte.is_ascii_alphabetic()) => Some(Some(text.to_ascii_lowercase())),
        _ => None,
    }
}

fn image(url: &str, prefix: &str) -> Option<Option<String>> {
    let path = url.strip_prefix(prefix).unwrap_or(url);
    if url.is_empty() {
        return Some(None);
    }
    let name = path.strip_prefix('/')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let usable = !name.is_empty() && path.len() <= MAX_IMAGE_CHARS && name.bytes().all(plain);
    usable.then(|| Some(path.to_owned()))
}

fn genre_names(sent: Vec<Option<GenreNameOrId>>) -> Option<Vec<GenreName>> {
    if sent.len() > MAX_GENRES {
        return None;
    }
    let name = |genre: Option<GenreNameOrId>| match genre? {
        // Too large for an id: no genre has it.
        GenreNameOrId::Id(id) => Some(GenreName::Id(i32::try_from(id).unwrap_or(-1))),
        GenreNameOrId::Name(name) => GenreName::parse(name.trim()).filter(|_| !name.contains('\0')),
    };
    sent.into_iter().map(name).collect()
}

/// Names of fields that can be locked; `None` when one cannot.
fn locks(names: Vec<Option<String>>) -> Option<Locks> {
    let names = names.iter().map(Option::as_deref).collect::<Option<Vec<_>>>()?;
    Locks::parse(names)
}
