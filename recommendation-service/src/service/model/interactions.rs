//! Training data: which users liked which movies, and how much, as a sparse matrix.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use super::{info::Weighting, training::Opinion};

/// What becomes part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Movies liked by fewer users are left out: too little is known about them.
    pub min_users_per_movie: usize,
    /// At most so many movies, those liked by most.
    pub max_movies: usize,
    /// What each like counts.
    pub weighting: Weighting,
}

/// A pause of so many seconds ends a session.
const SESSION_PAUSE: i64 = 300;

/// A sparse matrix: a row for each user (and for each session and tag, see [`Self::add_sessions`] and [`Self::add_tags`]),
/// a column for each movie.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interactions {
    movie_ids: Vec<i32>,
    users: usize,
    row_ends: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    /// Of the entries of the users' rows.
    times: Vec<i64>,
}

impl Interactions {
    /// From likes in any order; of several of one movie by one user the latest counts.
    pub fn from_likes(likes: &[Opinion], limits: &Limits) -> Self {
        let mut likes = likes.to_vec();
        likes.sort_unstable_by(Opinion::by_pair_latest_first);
        likes.dedup_by_key(|like| (like.user, like.movie));
        likes.retain(|like| weight(like, limits.weighting) > 0.0);
        let movie_ids = eligible_movies(&likes, limits);
        let mut data = Self { movie_ids, ..Self::default() };
        for likes_of_user in likes.chunk_by(|a, b| a.user == b.user) {
            let start = data.columns.len();
            for like in likes_of_user {
                if let Ok(column) = data.movie_ids.binary_search(&like.movie) {
                    data.columns.push(column as u32);
                    data.values.push(weight(like, limits.weighting));
                    data.times.push(like.at);
                }
            }
            if data.columns.len() > start {
                data.row_ends.push(data.columns.len());
            }
        }
        data.users = data.row_ends.len();
        data
    }

    /// Adds a row for each session of a user, with `weight` times the values of the user's row: what was liked without a
    /// pause of five minutes has more in common than what was liked in different years.
    pub fn add_sessions(&mut self, weight: f32) {
        if weight == 0.0 {
            return;
        }
        for user in 0..self.users {
            let mut likes: Vec<(i64, u32, f32)> =
                self.range(user).map(|entry| (self.times[entry], self.columns[entry], self.values[entry])).collect();
            likes.sort_unstable_by_key(|(at, column, _)| (*at, *column));
            for session in likes.chunk_by_mut(|a, b| b.0.saturating_sub(a.0) < SESSION_PAUSE) {
                if session.len() > 1 {
                    session.sort_unstable_by_key(|(_, column, _)| *column);
                    self.columns.extend(session.iter().map(|(_, column, _)| *column));
                    self.values.extend(session.iter().map(|(_, _, value)| weight * value));
                    self.row_ends.push(self.columns.len());
                }
            }
        }
    }

    /// Adds a row for each distinct tag (a genre, an era): the movies that bear it, with `weight`. The model then learns
    /// from what movies have in common as if `weight` squared users had liked all of them.
    pub fn add_tags(&mut self, weight: f32, tags_of: impl Fn(i32) -> Vec<u32>) {
        if weight == 0.0 {
            return;
        }
        let mut movies_of_tag: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (column, movie) in (0_u32..).zip(&self.movie_ids) {
            for tag in tags_of(*movie) {
                let movies = movies_of_tag.entry(tag).or_default();
                if movies.last() != Some(&column) {
                    movies.push(column);
                }
            }
        }
        for movies in movies_of_tag.into_values() {
            self.columns.extend(movies);
            self.values.resize(self.columns.len(), weight);
            self.row_ends.push(self.columns.len());
        }
    }

    /// The ids of the movies, ascending: one a column.
    pub fn movie_ids(&self) -> &[i32] {
        &self.movie_ids
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.users
    }

    /// How many likes there are: entries of the users' rows.
    pub fn likes(&self) -> usize {
        if self.users == 0 { 0 } else { self.row_ends[self.users - 1] }
    }

    /// How many rows there are, those of tags included.
    pub fn rows(&self) -> usize {
        self.row_ends.len()
    }

    /// The row at `index`: columns, ascending, and their values.
    pub fn row(&self, index: usize) -> (&[u32], &[f32]) {
        let range = self.range(index);
        (&self.columns[range.clone()], &self.values[range])
    }

    fn range(&self, index: usize) -> Range<usize> {
        let start = if index == 0 { 0 } else { self.row_ends[index - 1] };
        start..self.row_ends[index]
    }

    /// The same by columns: for each movie its rows, ascending, and their values.
    pub fn by_column(&self) -> Vec<Vec<(u32, f32)>> {
        let mut columns = vec![Vec::new(); self.movie_ids.len()];
        for (number, row) in (0_u32..).zip(0..self.rows()) {
            let (indexes, values) = self.row(row);
            for (column, value) in indexes.iter().zip(values) {
                columns[*column as usize].push((number, *value));
            }
        }
        columns
    }
}

/// What a like counts in training; 0 for one that is left out.
fn weight(like: &Opinion, weighting: Weighting) -> f32 {
    match weighting {
        Weighting::Equal => f32::from(u8::from(like.is_clear_like())),
        Weighting::Graded => like.strength.max(0.0).sqrt(),
    }
}

/// The movies with enough users, at most as many as allowed, in the order of their ids.
fn eligible_movies(likes: &[Opinion], limits: &Limits) -> Vec<i32> {
    let mut users_of: HashMap<i32, usize> = HashMap::new();
    for like in likes {
        *users_of.entry(like.movie).or_default() += 1;
    }
    let mut movies: Vec<(usize, i32)> = users_of.into_iter().map(|(movie, users)| (users, movie)).collect();
    movies.retain(|(users, _)| *users >= limits.min_users_per_movie);
    movies.sort_unstable_by_key(|(users, movie)| (std::cmp::Reverse(*users), *movie));
    movies.truncate(limits.max_movies);
    let mut ids: Vec<i32> = movies.into_iter().map(|(_, movie)| movie).collect();
    ids.sort_unstable();
    ids
}
