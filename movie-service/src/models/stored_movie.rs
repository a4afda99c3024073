//! A movie as it is stored.

use chrono::NaiveDate;

use super::locks::Locks;

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

impl StoredMovie {
    /// Of what is not known a 0 is shown. When it comes back, nothing was changed.
    #[must_use]
    pub(super) fn unless_shown(mut self, old: &Self) -> Self {
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
    pub(super) fn differences(&self, old: &Self) -> Locks {
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
