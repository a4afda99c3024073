//! A movie as it is stored, and what a write makes of it.

use chrono::NaiveDate;

use super::{
    draft::{Draft, InvalidField, Patch, Sent, SentGenre, locks},
    genre::{GenreName, KnownGenres, UnknownGenre},
    locks::Locks,
    movie::{BACKDROP_PREFIX, POSTER_PREFIX, parse_date},
    object::Given,
    text::is_blank,
};

/// What people can set of a movie, as it is stored: it can be stored as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoredMovie {
    /// 1 to 500 characters, not blank.
    pub title: String,
    /// In the language of the movie.
    pub original_title: Option<String>,
    /// Empty when unknown.
    pub overview: String,
    /// The first release.
    pub release_date: Option<NaiveDate>,
    /// The platform's own ids, sorted, each once.
    pub genre_ids: Vec<i32>,
    /// ISO 639, in lower case.
    pub language: Option<String>,
    /// Minutes, above 0.
    pub runtime: Option<i32>,
    /// Finite, not negative.
    pub popularity: Option<f64>,
    /// 0 to 10.
    pub vote_average: Option<f64>,
    /// Not negative.
    pub vote_count: Option<i32>,
    /// Begins with `/`.
    pub poster_path: Option<String>,
    /// Begins with `/`.
    pub backdrop_path: Option<String>,
    /// Id at TMDB; negative for the built-in sample.
    pub tmdb_id: Option<i32>,
    /// What a sync leaves alone.
    pub locks: Locks,
}

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

/// Checks what was sent, field by field.
pub(super) fn check(sent: Sent) -> Result<Edit, InvalidField> {
    let mut set = Locks::default();
    let title =
        field(&mut set, "title", TITLE.expected, sent.title, None, |text| Some(text).filter(|text| is_title(text)))?;
    let edit = Edit {
        title,
        original_title: field(&mut set, "original_title", ORIGINAL_TITLE, sent.original_title, Some(None), |text| {
            fits(&text, 500).then_some((!text.is_empty()).then_some(text))
        })?,
        overview: field(&mut set, "overview", OVERVIEW, sent.overview, Some(String::new()), |text| {
            fits(&text, 10_000).then_some(text)
        })?,
        release_date: field(&mut set, "release_date", DATE, sent.release_date, Some(None), |text| {
            match text.as_str() {
                "" => Some(None),
                text => parse_date(text).map(Some),
            }
        })?,
        genres: field(&mut set, "genres", GENRES, sent.genres, Some(Vec::new()), genre_names)?,
        language: field(&mut set, "language", LANGUAGE, sent.language, Some(None), language)?,
        runtime: field(&mut set, "duration", WHOLE, sent.duration, Some(None), |minutes| {
            whole(minutes).map(|minutes| Some(minutes).filter(|minutes| *minutes > 0))
        })?,
        popularity: field(&mut set, "popularity", POPULARITY, sent.popularity, Some(None), |number| {
            // The absolute value, so that -0 is stored and shown as 0.
            (number.is_finite() && number >= 0.0).then_some(Some(number.abs()))
        })?,
        vote_average: field(&mut set, "vote_average", RATING, sent.vote_average, Some(None), |number| {
            (0.0..=10.0).contains(&number).then_some(Some(number.abs()))
        })?,
        vote_count: field(&mut set, "vote_count", WHOLE, sent.vote_count, Some(None), |votes| whole(votes).map(Some))?,
        poster_path: field(&mut set, "poster_url", POSTER, sent.poster_url, Some(None), |url| {
            image(&url, POSTER_PREFIX)
        })?,
        backdrop_path: field(&mut set, "backdrop_url", BACKDROP, sent.backdrop_url, Some(None), |url| {
            image(&url, BACKDROP_PREFIX)
        })?,
        tmdb_id: field(&mut set, "tmdb_id", TMDB_ID, sent.tmdb_id, Some(None), |id| {
            whole(id).filter(|id| *id > 0).map(Some)
        })?,
        listed: field(&mut set, "locked_fields", Locks::EXPECTED, sent.locked_fields, Some(Locks::default()), locks)?,
        set: Locks::default(),
    };
    Ok(Edit { set, ..edit })
}

/// Checks one field, and notes that it is set. `unset` is what a null makes of it, if it may be null.
fn field<T, U>(
    set: &mut Locks,
    name: &'static str,
    expected: &'static str,
    given: Given<T>,
    unset: Option<U>,
    check: impl FnOnce(T) -> Option<U>,
) -> Result<Option<U>, InvalidField> {
    let value = match given {
        Given::Absent => return Ok(None),
        Given::Null => unset,
        Given::Value(value) => check(value),
    };
    *set = set.with(Locks::known([name]));
    value.map(Some).ok_or(InvalidField { name, expected })
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

impl StoredMovie {
    /// Of what is not known a 0 is shown. When it comes back, nothing was changed.
    fn unless_shown(mut self, old: &Self) -> Self {
        let votes = |movie: &Self| movie.vote_count.unwrap_or(0);
        // An average is shown only together with votes.
        let shown = old.vote_average.filter(|_| votes(old) > 0).unwrap_or(0.0);
        if votes(&self) == votes(old) && self.vote_average == Some(shown) {
            self.vote_average = old.vote_average;
        }
        self.vote_count = unless_zero_for_unknown(self.vote_count, old.vote_count);
        self.popularity = unless_zero_for_unknown(self.popularity, old.popularity);
        self
    }

    /// The fields that are not the same in both.
    fn differences(&self, old: &Self) -> Locks {
        let fields = [
            ("backdrop_url", self.backdrop_path != old.backdrop_path),
            ("duration", self.runtime != old.runtime),
            ("genres", self.genre_ids != old.genre_ids),
            ("language", self.language != old.language),
            ("original_title", self.original_title != old.original_title),
            ("overview", self.overview != old.overview),
            ("popularity", self.popularity != old.popularity),
            ("poster_url", self.poster_path != old.poster_path),
            ("release_date", self.release_date != old.release_date),
            ("title", self.title != old.title),
            ("vote_average", self.vote_average != old.vote_average),
            ("vote_count", self.vote_count != old.vote_count),
        ];
        Locks::known(fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name))
    }
}

fn unless_zero_for_unknown<T: Default + PartialEq>(new: Option<T>, old: Option<T>) -> Option<T> {
    if old.is_none() && new == Some(T::default()) { None } else { new }
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
