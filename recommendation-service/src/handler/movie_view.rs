//! What lists show of a movie.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::models::catalogue::Catalogue;

/// Stands before a poster path to make an address.
const POSTER_PREFIX: &str = "https://image.tmdb.org/t/p/w500";

/// A movie.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListedMovie)]
pub struct MovieView<'a> {
    /// The platform's own id.
    #[schema(example = 1)]
    id: i32,
    /// Its title.
    #[schema(example = "The Matrix")]
    title: &'a str,
    /// Day of release, or `""` when unknown.
    #[schema(example = "1999-03-31")]
    release_date: String,
    /// Names, sorted.
    #[schema(example = json!(["Action", "Science Fiction"]))]
    genres: Vec<&'a str>,
    /// As on TMDB; 0 when unknown.
    #[schema(example = 83.2)]
    popularity: f64,
    /// Address of the poster, or `""` when there is none.
    #[schema(example = "https://image.tmdb.org/t/p/w500/f89U3ADr1oiB1s9GkdPOEpXUk5H.jpg")]
    poster_url: Cow<'a, str>,
}

impl<'a> MovieView<'a> {
    /// Of the movie at `index`.
    pub(super) fn new(catalogue: &'a Catalogue, index: usize) -> Self {
        Self {
            id: catalogue.ids()[index],
            title: catalogue.title(index),
            release_date: catalogue.release_date(index).map(|date| date.to_string()).unwrap_or_default(),
            genres: catalogue.genres(index).collect(),
            popularity: catalogue.popularity()[index],
            poster_url: match catalogue.poster_path(index) {
                "" => Cow::Borrowed(""),
                path => format!("{POSTER_PREFIX}{path}").into(),
            },
        }
    }
}
