//! Values of parameters, each read from all values that the query has for it.

use std::{ops::RangeInclusive, str::FromStr};

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};
use strum::VariantNames;

use super::super::request_validation::query::{invalid, strict};
use crate::{
    error_code::ErrorCode,
    models::{genre::GenreFilter, movie::parse_date},
};

const MAX_IDS: usize = 100;
/// Of a number; more are no number of this world.
const MAX_NUMBER_CHARS: usize = 20;
const MAX_SEARCH_CHARS: usize = 200;
/// Longer ones are not from here: a title has 500 characters at most.
const MAX_CURSOR: usize = 4096;
/// What a cursor may be.
pub(in crate::handler) const CURSOR: &str = "the next_cursor of the same query";
const COUNT: &str = "a whole number from 0 to 2147483647";

pub(in crate::handler) fn genres<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<GenreFilter>, D::Error> {
    strict(deserializer, GenreFilter::EXPECTED, GenreFilter::parse)
}

pub(in crate::handler) fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    strict(deserializer, "an ISO 639 language code of 2 or 3 letters", |text| letters(text, 2..=3))
}

pub(in crate::handler) fn limit<'de, const MAX: i32, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i32>, D::Error> {
    let expected = format!("a whole number from 1 to {MAX}");
    strict(deserializer, &expected, |text| whole(text).filter(|limit| (1..=MAX).contains(limit)))
}

pub(in crate::handler) fn year<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    strict(deserializer, "a year from 1 to 9999", |text| whole(text).filter(|year| (1..=9999).contains(year)))
}

pub(in crate::handler) fn average<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    strict(deserializer, "a number from 0 to 10", |text| decimal(text).filter(|average| *average <= 10.0))
}

pub(in crate::handler) fn popularity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    strict(deserializer, "a number of at least 0", decimal)
}

pub(in crate::handler) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    strict(deserializer, COUNT, whole)
}

/// In lower case, with nothing but single spaces.
pub(in crate::handler) fn search<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    strict(deserializer, "a title, or words of one, of 1 to 200 characters", |text| {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        (!words.is_empty() && text.chars().count() <= MAX_SEARCH_CHARS).then_some(words)
    })
}

/// Sorted, each once.
pub(in crate::handler) fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<i32>>, D::Error> {
    strict(deserializer, "up to 100 movie ids separated by ','", |text| {
        let ids = text.split(',').take(MAX_IDS + 1).map(|id| whole(id).filter(|id| *id > 0));
        let mut ids = ids.collect::<Option<Vec<_>>>().filter(|ids| ids.len() <= MAX_IDS)?;
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    })
}

/// The first value counts, and an empty one means none. One that cannot be decoded is no date: without its filter the
/// answer would be another one than asked for.
pub(in crate::handler) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    match Vec::<&str>::deserialize(deserializer)?.first() {
        None | Some(&"") => Ok(None),
        Some(text) => parse_date(text).map(Some).ok_or_else(|| invalid(ErrorCode::InvalidDate, "YYYY-MM-DD")),
    }
}

/// No other characters: a cursor stands in the key of its answer in the cache, where `&` begins something else.
pub(in crate::handler) fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match *Vec::<&str>::deserialize(deserializer)? {
        [] => Ok(None),
        [text] if (1..=MAX_CURSOR).contains(&text.len()) && text.bytes().all(plain) => Ok(Some(text.to_owned())),
        _ => Err(invalid(ErrorCode::InvalidCursor, CURSOR)),
    }
}

/// Some of the names of `T`: sorted, each once.
pub(in crate::handler) fn named<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: FromStr + Ord + VariantNames,
{
    let expected = format!("some of {}, each once, separated by ','", T::VARIANTS.join(", "));
    strict(deserializer, &expected, |text| {
        let names = text.split(',').take(T::VARIANTS.len() + 1);
        let mut found = names.map(|name| name.parse().ok()).collect::<Option<Vec<T>>>()?;
        let count = found.len();
        found.sort_unstable();
        found.dedup();
        (found.len() == count).then_some(found)
    })
}

/// As in JSON, but without a sign: digits, a point between them, an exponent.
fn decimal(text: &str) -> Option<f64> {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let shaped = text.len() <= MAX_NUMBER_CHARS && [whole, fraction, exponent].into_iter().all(digits);
    shaped.then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

/// Digits only.
pub(in crate::handler) fn whole(text: &str) -> Option<i32> {
    let digits = text.len() <= MAX_NUMBER_CHARS && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// So many ASCII letters, in lower case.
pub(in crate::handler) fn letters(text: &str, count: RangeInclusive<usize>) -> Option<String> {
    let letters = count.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    letters.then(|| text.to_ascii_lowercase())
}
