//! Reads the files of MovieLens (GroupLens): `ml-latest` (CSV with a header), `ml-100k` (`u.data` with tabs, `u.item`
//! with bars), `ml-1m` (`::`), and the atomic files that RecBole ships `ml-100k` as (`.inter`, `.item`, tabs with a
//! header). Each file's first line says which one it is.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use chrono::{DateTime, NaiveDate};

use super::dataset::{Dataset, RatedMovie, Rating};

/// The genres of `u.item`, in the order of its last columns.
const GENRES_OF_100K: [&str; 19] = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
];
/// Stars are from 0.5 to 5, the service's ratings from 1 to 10.
const POINTS_PER_STAR: f64 = 2.0;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("cannot read {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// A line is not what it must be.
    #[error("{}, line {line}: {reason}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nothing is in it.
    #[error("{} has no lines of a known format", .0.display())]
    Empty(PathBuf),
}

/// Both files of a data set.
///
/// # Errors
/// [`ReadError`], naming file and line.
pub fn read(ratings: &Path, movies: &Path) -> Result<Dataset, ReadError> {
    let ratings = parse_file(ratings, rating_columns, rating)?;
    let movies = parse_file(movies, movie_columns, movie)?;
    Ok(Dataset::new(movies, ratings))
}

/// How a line is cut into fields.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Separator {
    Comma,
    Text(&'static str),
}

/// Where the fields of a file are.
#[derive(Debug, Clone, PartialEq)]
struct Columns {
    separator: Separator,
    has_header: bool,
    /// Indexes of the fields, by what the file holds.
    at: [usize; 4],
    /// What is between the genres, or `None` where each genre has a column of its own.
    genre_separator: Option<&'static str>,
}

fn parse_file<T>(
    file: &Path,
    columns_of: impl Fn(&str) -> Option<Columns>,
    parse: impl Fn(&[String], &Columns) -> Result<T, &'static str>,
) -> Result<Vec<T>, ReadError> {
    // The old files are in Latin-1, whose bytes are the first characters of Unicode.
    let bytes = fs::read(file).map_err(|error| ReadError::Io(file.to_owned(), error))?;
    let text =
        String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect());
    let columns = text.lines().next().and_then(columns_of).ok_or_else(|| ReadError::Empty(file.to_owned()))?;
    let lines = (1..).zip(text.lines()).skip(usize::from(columns.has_header)).filter(|(_, line)| !line.is_empty());
    let parsed = lines.map(|(number, line)| {
        let failed = |reason| ReadError::Line { file: file.to_owned(), line: number, reason };
        split(line, columns.separator)
            .ok_or("a quotation mark is missing")
            .and_then(|fields| parse(&fields, &columns))
            .map_err(failed)
    });
    parsed.collect()
}

fn rating_columns(first: &str) -> Option<Columns> {
    let columns =
        |separator, has_header| Some(Columns { separator, has_header, at: [0, 1, 2, 3], genre_separator: None });
    match first {
        _ if first.starts_with("userId,movieId,rating") => columns(Separator::Comma, true),
        _ if first.contains("::") => columns(Separator::Text("::"), false),
        _ if first.starts_with("user_id:") => columns(Separator::Text("\t"), true),
        _ if first.split('\t').count() >= 4 => columns(Separator::Text("\t"), false),
        _ => None,
    }
}

/// Fields: id, title, date or year, genres.
fn movie_columns(first: &str) -> Option<Columns> {
    let columns =
        |separator, has_header, at, genre_separator| Some(Columns { separator, has_header, at, genre_separator });
    match first {
        _ if first.starts_with("movieId,title,genres") => columns(Separator::Comma, true, [0, 1, 1, 2], Some("|")),
        _ if first.contains("::") => columns(Separator::Text("::"), false, [0, 1, 1, 2], Some("|")),
        _ if first.starts_with("item_id:") => columns(Separator::Text("\t"), true, [0, 1, 2, 3], Some(" ")),
        _ if first.split('|').count() >= 24 => columns(Separator::Text("|"), false, [0, 1, 2, 5], None),
        _ => None,
    }
}

fn rating(fields: &[String], columns: &Columns) -> Result<Rating, &'static str> {
    let [user, movie, stars, seconds] = columns.at.map(|index| fields.get(index).map_or("", |field| field.trim()));
    let stars: f64 = stars.parse().map_err(|_| "the rating is not a number")?;
    if !(0.5..=5.0).contains(&stars) {
        return Err("the rating is not from 0.5 to 5");
    }
    let seconds: f64 = seconds.parse().map_err(|_| "the time is not a number of seconds")?;
    Ok(Rating {
        user: user.parse().map_err(|_| "the user is not a whole number")?,
        movie: movie.parse().map_err(|_| "the movie is not a whole number")?,
        value: stars * POINTS_PER_STAR,
        at: DateTime::from_timestamp(seconds as i64, 0).ok_or("the time is out of range")?,
    })
}

fn movie(fields: &[String], columns: &Columns) -> Result<RatedMovie, &'static str> {
    let field = |index: usize| fields.get(index).map_or("", |field| field.trim());
    let [id, title, released, _] = columns.at.map(field);
    let genres = columns.at[3];
    let genres = match columns.genre_separator {
        Some(separator) => field(genres)
            .split(separator)
            .filter(|genre| !genre.is_empty() && *genre != "(no genres listed)")
            .map(str::to_owned)
            .collect(),
        None => GENRES_OF_100K
            .iter()
            .zip(genres..)
            .filter(|(_, column)| field(*column) == "1")
            .map(|(genre, _)| (*genre).to_owned())
            .collect(),
    };
    let id = id.parse().map_err(|_| "the movie is not a whole number")?;
    Ok(RatedMovie { id, title: title.to_owned(), released: date(released).or_else(|| date(title)), genres })
}

/// A date as `01-Jan-1995`, a year, or the year in brackets at the end of a title.
fn date(text: &str) -> Option<NaiveDate> {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%d-%b-%Y") {
        return Some(date);
    }
    let year = text.strip_suffix(')').and_then(|text| text.get(text.len().checked_sub(4)?..)).unwrap_or(text);
    let year: i32 = year.parse().ok().filter(|year| (1850..2100).contains(year))?;
    NaiveDate::from_ymd_opt(year, 1, 1)
}

/// The fields of a line; `None` when quotation marks do not match.
fn split(line: &str, separator: Separator) -> Option<Vec<String>> {
    match separator {
        Separator::Text(separator) => Some(line.split(separator).map(str::to_owned).collect()),
        Separator::Comma => split_csv(line),
    }
}

/// CSV (RFC 4180) on one line: a field in quotation marks may hold commas, and doubled marks.
fn split_csv(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let field = fields.last_mut()?;
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => field.push(character),
        }
    }
    (!quoted).then_some(fields)
}

/// The movies' genres by id, for measuring how unlike the movies of a list are.
pub fn genres(dataset: &Dataset) -> HashMap<i32, &[String]> {
    dataset.movies.iter().map(|movie| (movie.id, movie.genres.as_slice())).collect()
}

#[cfg(test)]
#[path = "movielens_tests.rs"]
mod tests;
