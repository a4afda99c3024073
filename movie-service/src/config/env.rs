//! Identical in every service (a test compares the copies).
//!
//! Reads typed settings from the environment and collects every error, so that one start shows them all.

use std::{
    fmt::Display,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use secrecy::SecretString;

/// Every setting that could not be used, one a line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

/// From the name of a variable to its value.
type Lookup = Box<dyn Fn(&str) -> Option<String>>;

/// Where settings come from: variable name to value. A variable that is set but empty counts as not set.
pub struct Env {
    lookup: Lookup,
    errors: Vec<String>,
}

impl Env {
    /// Settings of this process.
    pub fn from_process() -> Self {
        Self::from_fn(|name| std::env::var(name).ok())
    }

    /// Settings from any function, for tests.
    pub fn from_fn(lookup: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self { lookup: Box::new(lookup), errors: Vec::new() }
    }

    /// The value of `name`, or `None` when it is unset or empty.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A text with a default.
    pub fn text(&self, name: &str, default: &str) -> String {
        self.optional(name).unwrap_or_else(|| default.to_owned())
    }

    /// A secret, if it is set.
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.optional(name).map(SecretString::from)
    }

    /// Anything that parses; `expected` completes the sentence "`NAME` must be ...".
    pub fn parsed<T: FromStr>(&mut self, name: &str, default: T, expected: &str) -> T {
        self.checked(name, default, expected, |_| true)
    }

    /// A number within a range.
    pub fn number<T>(&mut self, name: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display,
    {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.checked(name, default, &expected, |value| range.contains(value))
    }

    fn checked<T: FromStr>(&mut self, name: &str, default: T, expected: &str, is_valid: impl Fn(&T) -> bool) -> T {
        let Some(value) = self.optional(name) else { return default };
        value.parse().ok().filter(is_valid).unwrap_or_else(|| {
            self.invalid(name, expected);
            default
        })
    }

    /// A time in whole milliseconds, at least 1.
    pub fn millis(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_millis(self.number(name, default, 1..=3_600_000))
    }

    /// A time in whole seconds, at least 1.
    pub fn seconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_secs(self.number(name, default, 1..=86_400))
    }

    /// An `http` or `https` address without a trailing slash.
    pub fn base_url(&mut self, name: &str, default: &str) -> String {
        let url = self.text(name, default);
        let authority = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        if authority.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
            self.invalid(name, "an address such as http://localhost:8081");
        }
        url.trim_end_matches('/').to_owned()
    }

    /// Notes that a variable cannot be used as it is.
    pub fn invalid(&mut self, name: &str, expected: &str) {
        self.errors.push(format!("{name} must be {expected}"));
    }

    /// `value` when there was no error, otherwise all of them.
    ///
    /// # Errors
    /// [`ConfigError`] with one line for each variable that could not be used.
    pub fn finish<T>(self, value: T) -> Result<T, ConfigError> {
        if self.errors.is_empty() { Ok(value) } else { Err(ConfigError(self.errors)) }
    }
}

/// Loads the `.env` files of `service`: its own first, then the top one. What is set already is kept, so the process
/// environment wins over the service's file, which wins over the top one.
///
/// # Errors
/// [`ConfigError`] when a file exists but cannot be read or parsed. The content of the file is not repeated.
pub fn load_dotenv(service: &str) -> Result<(), ConfigError> {
    let errors: Vec<String> = dotenv_files(service, Path::new("."))
        .into_iter()
        .filter(|file| file.is_file())
        .filter_map(|file| match dotenvy::from_path(&file) {
            Ok(()) => None,
            Err(dotenvy::Error::LineParse(_, at)) => {
                Some(format!("{} must be lines of NAME=value (near character {at} of a line)", file.display()))
            }
            Err(_) => Some(format!("{} must be a readable file", file.display())),
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(ConfigError(errors)) }
}

/// The service's own file and the top one, for a process started in the top folder or in the service's.
fn dotenv_files(service: &str, folder: &Path) -> [PathBuf; 2] {
    let own = folder.join(service);
    if own.is_dir() { [own.join(".env"), folder.join(".env")] } else { [folder.join(".env"), folder.join("../.env")] }
}
