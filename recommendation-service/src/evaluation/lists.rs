//! The exchange with programs of others: the parts that they train on, and the lists that they made.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::split::Split;

/// Movies of a list that are read; the measures look at a hundred.
const MAX_LIST: usize = 100;

/// Why files cannot be exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file system.
    #[error("cannot use {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// A line is not what it must be.
    #[error("{}, line {line}: not a user and movie ids", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

/// Writes `train.csv` (user, movie, stars, seconds) and `users.csv` (the users to make lists for).
///
/// # Errors
/// [`ListError::Io`].
pub fn export(split: &Split, directory: &Path) -> Result<(), ListError> {
    let mut train = String::from("userId,movieId,rating,timestamp\n");
    for rating in &split.training {
        let (stars, seconds) = (rating.value / 2.0, rating.at.timestamp());
        train.push_str(&format!("{},{},{stars},{seconds}\n", rating.user, rating.movie));
    }
    let mut users = String::from("userId\n");
    for user in split.test_users() {
        users.push_str(&format!("{}\n", user.id));
    }
    fs::create_dir_all(directory).map_err(|error| ListError::Io(directory.to_owned(), error))?;
    for (name, text) in [("train.csv", train), ("users.csv", users)] {
        let file = directory.join(name);
        fs::write(&file, text).map_err(|error| ListError::Io(file, error))?;
    }
    Ok(())
}

/// Reads lists by user.
///
/// # Errors
/// [`ListError`], naming the line.
pub fn read(file: &Path) -> Result<HashMap<i64, Vec<i32>>, ListError> {
    let text = fs::read_to_string(file).map_err(|error| ListError::Io(file.to_owned(), error))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty());
    lines.map(|(number, line)| list(line).ok_or(ListError::Line { file: file.to_owned(), line: number })).collect()
}

fn list(line: &str) -> Option<(i64, Vec<i32>)> {
    let (user, movies) = line.split_once('\t')?;
    let mut list: Vec<i32> = Vec::new();
    for movie in movies.split_whitespace().take(MAX_LIST) {
        let movie = movie.parse().ok()?;
        if !list.contains(&movie) {
            list.push(movie);
        }
    }
    Some((user.parse().ok()?, list))
}
