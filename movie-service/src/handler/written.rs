//! Bodies and answers of writes, for the specification. The bodies are read by `Draft::parse` and `Patch::parse`.

use utoipa::{IntoResponses, ToSchema};

use crate::error::ErrorBody;

/// A movie. What is left out, or null, is unknown; an empty text and a `duration` of 0 mean the same.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub(super) struct MovieBody {
    #[schema(inline)]
    title: Title,
    #[schema(inline)]
    #[serde(flatten)]
    rest: Settable,
}

/// Some fields of a movie. What is left out stays, and null resets.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub(super) struct MoviePatch {
    #[schema(inline, nullable = false)]
    title: Option<Title>,
    #[schema(inline)]
    #[serde(flatten)]
    rest: Settable,
}

/// Not blank, nor made of invisible characters only. No text holds a NUL.
#[derive(ToSchema)]
#[schema(
    example = "The Matrix",
    min_length = 1,
    max_length = 500,
    pattern = r"^[^\u0000]*[^\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb][^\u0000]*$"
)]
#[expect(dead_code, reason = "only the specification is made from it")]
struct Title(String);

/// The fields that may be unknown.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub(super) struct Settable {
    /// Its title in its own language.
    #[schema(example = "The Matrix", max_length = 500, pattern = r"^[^\u0000]*$")]
    original_title: Option<String>,
    /// What it is about.
    #[schema(example = "A hacker wakes up.", max_length = 10000, pattern = r"^[^\u0000]*$")]
    overview: Option<String>,
    /// `YYYY-MM-DD`.
    #[schema(example = "1999-03-31", pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
    release_date: Option<String>,
    /// Names, in any case, or ids of genres that there are.
    #[schema(example = json!(["Action", "Science Fiction"]), max_items = 20)]
    genres: Option<Vec<GenreNameOrId>>,
    /// The original language (ISO 639); kept in lower case.
    #[schema(example = "en", pattern = "^([A-Za-z]{2,3})?$")]
    language: Option<String>,
    /// Minutes.
    #[schema(example = 136, minimum = 0, maximum = 2147483647)]
    duration: Option<i64>,
    /// TMDB's popularity.
    #[schema(example = 85.3, minimum = 0)]
    popularity: Option<f64>,
    /// The average vote. It shows, and counts, only together with a `vote_count`.
    #[schema(example = 8.2, minimum = 0, maximum = 10)]
    vote_average: Option<f64>,
    /// How many voted.
    #[schema(example = 26000, minimum = 0, maximum = 2147483647)]
    vote_count: Option<i64>,
    /// The address at TMDB's image server, or the path there.
    #[schema(example = "/poster.jpg", pattern = r"^((https://image\.tmdb\.org/t/p/w500)?/[A-Za-z0-9._-]{1,199})?$")]
    poster_url: Option<String>,
    /// The address at TMDB's image server, or the path there.
    #[schema(example = "/backdrop.jpg", pattern = r"^((https://image\.tmdb\.org/t/p/w780)?/[A-Za-z0-9._-]{1,199})?$")]
    backdrop_url: Option<String>,
    /// Its id at TMDB, unique. Left out, it stays.
    #[schema(example = 603, minimum = 1, maximum = 2147483647)]
    tmdb_id: Option<i64>,
    /// The fields that a sync leaves alone from now on; left out, those that a PATCH names or a PUT changes are added.
    #[schema(example = json!(["overview"]))]
    locked_fields: Option<Vec<LockableField>>,
}

/// The name of a genre in any case, or its id.
#[derive(ToSchema)]
#[schema(example = "Action")]
#[serde(untagged)]
#[expect(dead_code, reason = "only the specification is made from it")]
enum GenreNameOrId {
    Name(String),
    Id(i32),
}

/// A field that can be locked.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only the specification is made from it")]
enum LockableField {
    BackdropUrl,
    Duration,
    Genres,
    Language,
    OriginalTitle,
    Overview,
    Popularity,
    PosterUrl,
    ReleaseDate,
    Title,
    VoteAverage,
    VoteCount,
}

/// Error responses that all writes with a body share.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the specification is made from it")]
pub(super) enum WriteErrors {
    /// `invalid movie ID`, `invalid request body`, or a field that cannot be accepted; `error` says what is allowed
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The body did not arrive in time
    #[response(status = 408)]
    TooSlow(ErrorBody),
    /// `tmdb_id already exists`
    #[response(status = 409)]
    Conflict(ErrorBody),
    /// The body is larger than 1 MiB
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The database does not answer; nothing was changed
    #[response(status = 503)]
    Unavailable(ErrorBody),
    /// Not answered in time; the change may have been made
    #[response(status = 504)]
    Timeout(ErrorBody),
}
