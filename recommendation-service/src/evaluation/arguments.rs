//! What the command `evaluate` was asked to do.

use std::path::PathBuf;

use super::split::SplitKind;

/// How the command is used.
pub const USAGE: &str = "\
usage: recommendation-service evaluate --ratings FILE --movies FILE [OPTION]...
       recommendation-service evaluate --from-service [OPTION]...

Ranks the whole catalogue for each user by each rule, by all of them and without each of them, and compares the lists
with what the user liked later.

  --ratings FILE      ratings of MovieLens: ml-latest (ratings.csv), ml-100k (u.data), ml-1m (ratings.dat)
  --movies FILE       the movies to them: movies.csv, u.item or movies.dat
  --from-service      the own users' feedback and movies instead, from USER_PREFERENCE_SERVICE_URL and MOVIE_SERVICE_URL
  --split KIND        what is held out: global-time, user-time (default) or random; a fifth each
  --seed NUMBER       of the random split and the intervals (default 42)
  --ridge NUMBER      of the collaborative model (default: chosen on a part of the training data)
  --tune              choose the weights on a part of the training data and show them
  --lists NAME=FILE   also score lists that another program made: a line for each user, user<TAB>movie ids, best first
  --export DIRECTORY  write the parts for such a program, train.csv and users.csv, and do nothing else
  --output DIRECTORY  also write the table (quality-KIND.md) and a plot (quality-KIND.svg)
";

/// Where the data come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Two files.
    Files {
        /// `--ratings`.
        ratings: PathBuf,
        /// `--movies`.
        movies: PathBuf,
    },
    /// `--from-service`.
    Service,
}

/// The command's arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments {
    /// Where the data come from.
    pub source: Source,
    /// `--split`.
    pub split: SplitKind,
    /// `--seed`.
    pub seed: u64,
    /// `--ridge`.
    pub ridge: Option<f32>,
    /// `--tune`.
    pub tune: bool,
    /// `--lists`: names and files.
    pub lists: Vec<(String, PathBuf)>,
    /// `--export`.
    pub export: Option<PathBuf>,
    /// `--output`.
    pub output: Option<PathBuf>,
}

/// What is wrong with the arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; see evaluate --help")]
pub struct ArgumentError(String);

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// [`ArgumentError`] with the argument that is wrong or missing.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, ArgumentError> {
        let (mut ratings, mut movies, mut from_service) = (None, None, false);
        let mut parsed = Self {
            source: Source::Service,
            split: SplitKind::UserTime,
            seed: 42,
            ridge: None,
            tune: false,
            lists: Vec::new(),
            export: None,
            output: None,
        };
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| ArgumentError(format!("{name} needs a value")));
            match name.as_str() {
                "--ratings" => ratings = Some(value()?.into()),
                "--movies" => movies = Some(value()?.into()),
                "--from-service" => from_service = true,
                "--split" => parsed.split = parse(&name, &value()?, "global-time, user-time or random")?,
                "--seed" => parsed.seed = parse(&name, &value()?, "a whole number")?,
                "--ridge" => parsed.ridge = Some(ridge(&name, &value()?)?),
                "--tune" => parsed.tune = true,
                "--lists" => parsed.lists.push(named_file(&value()?)?),
                "--export" => parsed.export = Some(value()?.into()),
                "--output" => parsed.output = Some(value()?.into()),
                _ => return Err(ArgumentError(format!("unknown argument {name}"))),
            }
        }
        parsed.source = match (ratings, movies, from_service) {
            (Some(ratings), Some(movies), false) => Source::Files { ratings, movies },
            (None, None, true) => Source::Service,
            _ => return Err(ArgumentError("either --ratings and --movies, or --from-service".into())),
        };
        Ok(parsed)
    }
}

fn parse<T: std::str::FromStr>(name: &str, value: &str, expected: &str) -> Result<T, ArgumentError> {
    value.parse().map_err(|_| ArgumentError(format!("{name} must be {expected}, not {value}")))
}

fn ridge(name: &str, value: &str) -> Result<f32, ArgumentError> {
    let ridge: f32 = parse(name, value, "a number above 0")?;
    if ridge.is_finite() && ridge > 0.0 {
        Ok(ridge)
    } else {
        Err(ArgumentError(format!("{name} must be a number above 0, not {value}")))
    }
}

fn named_file(value: &str) -> Result<(String, PathBuf), ArgumentError> {
    match value.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), file.into())),
        _ => Err(ArgumentError(format!("--lists must be NAME=FILE, not {value}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split(' ').map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn all_arguments_are_read() {
        let parsed =
            parse("--ratings r --movies m --split random --seed 7 --ridge 250.5 --tune --lists a=b=c --output o");
        let parsed = parsed.expect("well-formed");
        assert_eq!(parsed.source, Source::Files { ratings: "r".into(), movies: "m".into() });
        assert_eq!((parsed.split, parsed.seed, parsed.ridge, parsed.tune), (SplitKind::Random, 7, Some(250.5), true));
        assert_eq!(parsed.lists, [("a".to_owned(), PathBuf::from("b=c"))]);
        assert_eq!((parsed.export, parsed.output), (None, Some("o".into())));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, expected) in [
            ("--ratings r", "either --ratings and --movies, or --from-service"),
            ("--from-service --ratings r --movies m", "either --ratings and --movies, or --from-service"),
            ("--from-service --split weekly", "--split must be global-time, user-time or random, not weekly"),
            ("--from-service --ridge -1", "--ridge must be a number above 0, not -1"),
            ("--from-service --ridge nan", "--ridge must be a number above 0, not nan"),
            ("--from-service --lists peer", "--lists must be NAME=FILE, not peer"),
            ("--from-service --seed", "--seed needs a value"),
            ("--from-service --fast", "unknown argument --fast"),
        ] {
            assert_eq!(parse(line), Err(format!("{expected}; see evaluate --help")));
        }
    }
}
