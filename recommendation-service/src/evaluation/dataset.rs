//! Ratings and movies to measure with.

use chrono::{DateTime, NaiveDate, Utc};

/// From this rating (of 10) on, a user is taken to like the movie: 3.5 of 5 stars.
pub const LIKED_FROM: f64 = 7.0;

/// A user's rating of a movie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rating {
    /// The user.
    pub user: i64,
    /// The movie.
    pub movie: i32,
    /// From 0.5 to 10.
    pub value: f64,
    /// When.
    pub at: DateTime<Utc>,
}

impl Rating {
    /// Whether the user likes the movie.
    pub fn is_like(&self) -> bool {
        self.value >= LIKED_FROM
    }
}

/// A movie.
#[derive(Debug, Clone, PartialEq)]
pub struct RatedMovie {
    /// Its id.
    pub id: i32,
    /// Its title.
    pub title: String,
    /// Its release date, or the first day of its year where only that is known.
    pub released: Option<NaiveDate>,
    /// Its genres.
    pub genres: Vec<String>,
}

/// A data set: movies by id, ratings by user, time and movie, at most one for each pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// All movies.
    pub movies: Vec<RatedMovie>,
    /// All ratings.
    pub ratings: Vec<Rating>,
}

impl Dataset {
    /// Puts them in order. Of several ratings of one movie by one user the latest counts; a rated movie that is not
    /// among `movies` is added without a title.
    pub fn new(mut movies: Vec<RatedMovie>, mut ratings: Vec<Rating>) -> Self {
        ratings.sort_by_key(|rating| (rating.user, rating.movie, std::cmp::Reverse(rating.at)));
        ratings.dedup_by_key(|rating| (rating.user, rating.movie));
        let unknown = |movie: i32| RatedMovie { id: movie, title: String::new(), released: None, genres: Vec::new() };
        movies.sort_by_key(|movie| movie.id);
        movies.dedup_by_key(|movie| movie.id);
        let mut rated: Vec<i32> = ratings.iter().map(|rating| rating.movie).collect();
        rated.sort_unstable();
        rated.dedup();
        rated.retain(|id| movies.binary_search_by_key(id, |movie| movie.id).is_err());
        movies.extend(rated.into_iter().map(unknown));
        movies.sort_by_key(|movie| movie.id);
        ratings.sort_by_key(|rating| (rating.user, rating.at, rating.movie));
        Self { movies, ratings }
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.ratings.chunk_by(|a, b| a.user == b.user).count()
    }
}
