//! The fields of a body: checked, and laid over a movie.

use chrono::NaiveDate;

use super::{
    draft::{Draft, InvalidField, Patch, Sent, SentGenre, locks},
    genre::{GenreName, KnownGenres, UnknownGenre},
    locks::Locks,
    movie::{BACKDROP_PREFIX, POSTER_PREFIX, parse_date},
    object::Given,
    record::StoredMovie,
    text::is_blank,
};

/// The fields that a body sets, checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Edit {
    pub(super) title: Option<String>,
    original_title: Option<Option<String>>,
    overview: Option<String>,
    release_date: Option<Option<NaiveDate>>,
    genres: Option<Vec<GenreName>>,
    language: Option<Option<String>>,
    runtime: Option<Option<i32>>,
    popularity: Option<Option<f64>>,
    vote_average: Option<Option<f64>>,
    vote_count: Option<Option<i32>>,
    poster_path: Option<Option<String>>,
    backdrop_path: Option<Option<String>>,
    tmdb_id: Option<Option<i32>>,
    /// As the body lists them.
    listed: Option<Locks>,
    /// Lockable fields that the body sets.
    set: Locks,
}

const MAX_GENRES: usize = 20;
const MAX_IMAGE_CHARS: usize = 200;
/// What a title may be.
pub(super) const TITLE: InvalidField =
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
pub(super) enum Null {
    /// As if the field were left out.
    IsAbsent,
    /// The field is to be unknown.
    Resets,
}

/// Checks what was sent, field by field.
pub(super) fn check(sent: Sent, null: Null) -> Result<Edit, InvalidField> {
    let mut fields = Fields { null, set: Locks::default() };
    let title =
        fields.read("title", TITLE.expected, sent.title, None, |text| Some(text).filter(|text| is_title(text)))?;
    let edit = Edit {
        title,
        original_title: fields.read("original_title", ORIGINAL_TITLE, sent.original_title, Some(None), |text| {
            fits(&text, 500).then_some((!text.is_empty()).then_some(text))
        })?,
        overview: fields.read("overview", OVERVIEW, sent.overview, Some(String::new()), |text| {
            fits(&text, 10_000).then_some(text)
        })?,
        release_date: fields.read("release_date", DATE, sent.release_date, Some(None), |text| match text.as_str() {
            "" => Some(None),
            text => parse_date(text).map(Some),
        })?,
        genres: fields.read("genres", GENRES, sent.genres, Some(Vec::new()), genre_names)?,
        language: fields.read("language", LANGUAGE, sent.language, Some(None), language)?,
        runtime: fields.read("duration", WHOLE, sent.duration, Some(None), |minutes| {
            whole(minutes).map(|minutes| Some(minutes).filter(|minutes| *minutes > 0))
        })?,
        popularity: fields.read("popularity", POPULARITY, sent.popularity, Some(None), |number| {
            // The absolute value, so that -0 is stored and shown as 0.
            (number.is_finite() && number >= 0.0).then_some(Some(number.abs()))
        })?,
        vote_average: fields.read("vote_average", RATING, sent.vote_average, Some(None), |number| {
            (0.0..=10.0).contains(&number).then_some(Some(number.abs()))
        })?,
        vote_count: fields.read("vote_count", WHOLE, sent.vote_count, Some(None), |votes| whole(votes).map(Some))?,
        poster_path: fields
            .read("poster_url", POSTER, sent.poster_url, Some(None), |url| image(&url, POSTER_PREFIX))?,
        backdrop_path: fields
            .read("backdrop_url", BACKDROP, sent.backdrop_url, Some(None), |url| image(&url, BACKDROP_PREFIX))?,
        tmdb_id: fields
            .read("tmdb_id", TMDB_ID, sent.tmdb_id, Some(None), |id| whole(id).filter(|id| *id > 0).map(Some))?,
        listed: fields.read("locked_fields", Locks::EXPECTED, sent.locked_fields, Some(Locks::default()), locks)?,
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
        given: Given<T>,
        unset: Option<U>,
        check: impl FnOnce(T) -> Option<U>,
    ) -> Result<Option<U>, InvalidField> {
        let value = match given {
            Given::Absent => return Ok(None),
            Given::Null if self.null == Null::IsAbsent => return Ok(None),
            Given::Null => unset,
            Given::Value(value) => check(value),
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

fn genre_names(sent: Vec<Option<SentGenre>>) -> Option<Vec<GenreName>> {
    if sent.len() > MAX_GENRES {
        return None;
    }
    let name = |genre: Option<SentGenre>| match genre? {
        // Too large for an id: no genre has it.
        SentGenre::Id(id) => Some(GenreName::Id(i32::try_from(id).unwrap_or(-1))),
        SentGenre::Name(name) => GenreName::parse(name.trim()).filter(|_| !name.contains('\0')),
    };
    sent.into_iter().map(name).collect()
}

impl Edit {
    /// Lays what is set over `base`; what is locked is left to the caller.
    fn over(self, base: StoredMovie, known: &KnownGenres) -> Result<StoredMovie, UnknownGenre> {
        let genre_ids = match self.genres {
            Some(names) => known.ids("genres", &names)?,
            None => base.genre_ids,
        };
        Ok(StoredMovie {
            title: self.title.unwrap_or(base.title),
            original_title: self.original_title.unwrap_or(base.original_title),
            overview: self.overview.unwrap_or(base.overview),
            release_date: self.release_date.unwrap_or(base.release_date),
            genre_ids,
            language: self.language.unwrap_or(base.language),
            runtime: self.runtime.unwrap_or(base.runtime),
            popularity: self.popularity.unwrap_or(base.popularity),
            vote_average: self.vote_average.unwrap_or(base.vote_average),
            vote_count: self.vote_count.unwrap_or(base.vote_count),
            poster_path: self.poster_path.unwrap_or(base.poster_path),
            backdrop_path: self.backdrop_path.unwrap_or(base.backdrop_path),
            // Nobody sees the negative ids of the sample, so nobody means to reset one.
            tmdb_id: self.tmdb_id.map_or(base.tmdb_id, |id| id.or(base.tmdb_id.filter(|id| *id < 0))),
            locks: base.locks,
        })
    }
}

impl Draft {
    /// A new movie. What was set by hand is locked, unless the body says what is.
    ///
    /// # Errors
    /// [`UnknownGenre`] when it names a genre that there is not.
    pub fn create(self, known: &KnownGenres) -> Result<StoredMovie, UnknownGenre> {
        let locks = self.0.listed.unwrap_or(self.0.set);
        Ok(StoredMovie { locks, ..self.0.over(StoredMovie::default(), known)? })
    }

    /// The movie in place of `old`, of which only the id at TMDB stays. What is different then is locked too, unless the
    /// body says what is.
    ///
    /// # Errors
    /// [`UnknownGenre`] when it names a genre that there is not.
    pub fn replace(self, old: &StoredMovie, known: &KnownGenres) -> Result<StoredMovie, UnknownGenre> {
        let base = StoredMovie { tmdb_id: old.tmdb_id, ..StoredMovie::default() };
        let listed = self.0.listed;
        let movie = self.0.over(base, known)?.unless_shown(old);
        Ok(StoredMovie { locks: listed.unwrap_or(old.locks.with(movie.differences(old))), ..movie })
    }
}

impl Patch {
    /// The movie after the patch. What it sets is locked too, unless it says what is.
    ///
    /// # Errors
    /// [`UnknownGenre`] when it names a genre that there is not.
    pub fn apply(self, old: &StoredMovie, known: &KnownGenres) -> Result<StoredMovie, UnknownGenre> {
        let locks = self.0.listed.unwrap_or(old.locks.with(self.0.set));
        Ok(StoredMovie { locks, ..self.0.over(old.clone(), known)?.unless_shown(old) })
    }
}
