//! Filters of the list. A value that cannot be meant is refused, never passed over.

use std::fmt::{Display, Write};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    genre::{GenreFilter, GenreName},
    parameters::{InvalidParameter, strict},
};

const MAX_IDS: usize = 100;
/// Digits and a point; longer ones are no number of this world.
const MAX_NUMBER_CHARS: usize = 20;

const MAX_SEARCH_CHARS: usize = 200;

const SEARCH: &str = "a title, or words of one, of 1 to 200 characters";
const IDS: &str = "up to 100 movie ids separated by ','";
const LANGUAGE: &str = "an ISO 639 language code of 2 or 3 letters";
const YEAR: &str = "a year from 1 to 9999";
const AVERAGE: &str = "a number from 0 to 10";
const NUMBER: &str = "a number of at least 0";
const COUNT: &str = "a whole number from 0 to 2147483647";

/// What a movie must be. A movie whose value is unknown does not pass a filter by that value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    /// Genres it has.
    pub with_genres: Option<GenreFilter>,
    /// Genres it has not.
    pub without_genres: Option<GenreFilter>,
    /// In lower case.
    pub original_language: Option<String>,
    /// Of release.
    pub year: Option<i32>,
    /// At least.
    pub vote_average_gte: Option<f64>,
    /// At most.
    pub vote_average_lte: Option<f64>,
    /// At least.
    pub vote_count_gte: Option<i32>,
    /// Minutes, at least.
    pub runtime_gte: Option<i32>,
    /// Minutes, at most.
    pub runtime_lte: Option<i32>,
    /// At least.
    pub popularity_gte: Option<f64>,
    /// One of these: sorted, each once.
    pub ids: Option<Vec<i32>>,
    /// Titles to search for: in lower case, with nothing but single spaces.
    pub q: Option<String>,
}

impl Filters {
    /// Reads the raw query string.
    ///
    /// # Errors
    /// [`InvalidParameter`] with the first filter that is repeated, empty, malformed or out of range.
    pub fn parse(query: &str) -> Result<Self, InvalidParameter> {
        let genres = |name| strict(query, name, GenreFilter::EXPECTED, GenreFilter::parse);
        let average = |name| strict(query, name, AVERAGE, |text| decimal(text).filter(|average| *average <= 10.0));
        let count = |name| strict(query, name, COUNT, whole);
        Ok(Self {
            with_genres: genres("with_genres")?,
            without_genres: genres("without_genres")?,
            original_language: strict(query, "with_original_language", LANGUAGE, language)?,
            year: strict(query, "year", YEAR, |text| whole(text).filter(|year| (1..=9999).contains(year)))?,
            vote_average_gte: average("vote_average_gte")?,
            vote_average_lte: average("vote_average_lte")?,
            vote_count_gte: count("vote_count_gte")?,
            runtime_gte: count("runtime_gte")?,
            runtime_lte: count("runtime_lte")?,
            popularity_gte: strict(query, "popularity_gte", NUMBER, decimal)?,
            ids: strict(query, "ids", IDS, ids)?,
            q: strict(query, "q", SEARCH, search)?,
        })
    }

    /// One text for all spellings of the same filters, of limited length; empty without filters.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        let mut add = |name: &str, value: Option<&dyn Display>| {
            if let Some(value) = value {
                let separator = if text.is_empty() { "" } else { "&" };
                write!(text, "{separator}{name}={value}").expect("a string takes everything");
            }
        };
        fn show<T: Display>(value: &Option<T>) -> Option<&dyn Display> {
            value.as_ref().map(|value| value as &dyn Display)
        }
        add("with_genres", show(&self.with_genres.as_ref().map(canonical_genres)));
        add("without_genres", show(&self.without_genres.as_ref().map(canonical_genres)));
        add("with_original_language", show(&self.original_language));
        add("year", show(&self.year));
        add("vote_average_gte", show(&self.vote_average_gte));
        add("vote_average_lte", show(&self.vote_average_lte));
        add("vote_count_gte", show(&self.vote_count_gte));
        add("runtime_gte", show(&self.runtime_gte));
        add("runtime_lte", show(&self.runtime_lte));
        add("popularity_gte", show(&self.popularity_gte));
        add("ids", show(&self.ids.as_ref().map(|ids| join(ids.iter(), ","))));
        add("q", show(&self.q.as_ref().map(|q| utf8_percent_encode(q, NON_ALPHANUMERIC))));
        text
    }
}

/// A name may hold what separates names: hence escapes.
fn canonical_genres(filter: &GenreFilter) -> String {
    let genre = |genre: &GenreName| match genre {
        GenreName::Id(id) => id.to_string(),
        GenreName::Name(name) => utf8_percent_encode(name, NON_ALPHANUMERIC).to_string(),
    };
    join(filter.genres.iter().map(genre), if filter.all { "," } else { "|" })
}

fn join(parts: impl Iterator<Item = impl Display>, separator: &str) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(separator)
}

/// Digits, at most one point between them: no sign, no exponent, no `NaN`.
fn decimal(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (text.len() <= MAX_NUMBER_CHARS && digits(whole) && digits(fraction)).then(|| text.parse().ok()).flatten()
}

fn whole(text: &str) -> Option<i32> {
    let digits = text.len() <= MAX_NUMBER_CHARS && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn language(text: &str) -> Option<String> {
    let letters = matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    letters.then(|| text.to_ascii_lowercase())
}

fn search(text: &str) -> Option<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    (!words.is_empty() && text.chars().count() <= MAX_SEARCH_CHARS).then_some(words)
}

fn ids(text: &str) -> Option<Vec<i32>> {
    let ids = text.split(',').take(MAX_IDS + 1).map(|id| whole(id).filter(|id| *id > 0));
    let mut ids = ids.collect::<Option<Vec<_>>>().filter(|ids| ids.len() <= MAX_IDS)?;
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(query: &str) -> String {
        Filters::parse(query).expect(query).canonical()
    }

    #[test]
    fn spellings_of_the_same_filters_have_one_form() {
        assert_eq!(canonical("page=2&nonsense=7&Year=x"), "", "what is unknown is passed over");
        for query in [
            "ids=3,1,2,1&with_original_language=EN&vote_average_gte=7&with_genres=Drama%2c2",
            "with_genres=2,drama,2&vote_average_gte=7.0&ids=1%2C2%2C3&with_original_language=en",
        ] {
            let form = "with_genres=2,drama&with_original_language=en&vote_average_gte=7&ids=1,2,3";
            assert_eq!(canonical(query), form, "{query}");
        }
        assert_eq!(canonical("q=++Seven%20%20SAMURAI%0a"), "q=seven%20samurai");
        assert_eq!(canonical("with_genres=a%26year%3d1999"), "with_genres=a%26year%3D1999");
    }

    #[test]
    fn a_value_that_cannot_be_meant_names_its_parameter() {
        let long = "1".repeat(10_000);
        for (name, values) in [
            ("with_genres", ["", "a,b|c", ",", "a,"]),
            ("without_genres", ["", "|", "a||b", "4294967296"]),
            ("with_original_language", ["", "e", "english", "e1"]),
            ("year", ["", "0", "10000", "-1999"]),
            ("vote_average_gte", ["NaN", "-1", "10.1", "1e1"]),
            ("vote_average_lte", ["inf", "+5", ".5", "5."]),
            ("vote_count_gte", ["1.5", "-1", "2147483648", " 1"]),
            ("runtime_gte", ["x", "-0", "1_000", "٣"]),
            ("runtime_lte", ["", "1,2", "0x10", "%00"]),
            ("popularity_gte", ["NaN", "-0.1", "1e400", "%ff"]),
            ("ids", ["", "0", "1,,2", "1,-2"]),
            ("q", ["", "%20+%20", "a%00", "%ff"]),
        ] {
            for value in values.into_iter().chain([long.as_str()]) {
                let error = Filters::parse(&format!("{name}={value}")).expect_err(value);
                assert_eq!((error.name, error.code), (name, ErrorCode::InvalidParameter), "{value}");
            }
            let error = Filters::parse(&format!("{name}=1&{name}=1")).expect_err(name);
            assert_eq!((error.name, error.code), (name, ErrorCode::RepeatedParameter));
        }
        let ids = |count: usize| format!("ids={}", vec!["7"; count].join(","));
        assert!(Filters::parse(&ids(100)).is_ok() && Filters::parse(&ids(101)).is_err());
    }

    proptest! {
        #[test]
        fn the_form_of_filters_stands_for_the_same_filters(
            genres in "[A-C0-3]{1,3}([,][A-C&=| ]{1,3}){0,3}",
            ids in prop::collection::vec(1_i32.., 1..100),
            average in 0.0..10.0_f64,
        ) {
            let genres = utf8_percent_encode(&genres, NON_ALPHANUMERIC);
            let query = format!("with_genres={genres}&ids={}&vote_average_lte={average}", join(ids.iter(), ","));
            if let Ok(filters) = Filters::parse(&query) {
                let form = filters.canonical();
                prop_assert!(form.len() < 10_000);
                prop_assert_eq!(Filters::parse(&form), Ok(filters));
            }
        }
    }
}
