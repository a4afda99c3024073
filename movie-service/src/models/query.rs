//! Query strings, read as leniently as clients of the platform are used to.

use chrono::NaiveDate;
use percent_encoding::percent_decode_str;

use super::movie::parse_date;

const DEFAULT_PAGE_SIZE: i64 = 20;
const MAX_PAGE_SIZE: i64 = 100;
const DEFAULT_SYNC_PAGES: u32 = 5;
const MAX_SYNC_PAGES: u32 = 50;

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// TMDB's popularity.
    Popularity,
    /// The date of release.
    ReleaseDate,
    /// The title.
    Title,
}

/// In which direction the list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Largest, latest or last first.
    Descending,
    /// Smallest, earliest or first first.
    Ascending,
}

/// A checked query of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListQuery {
    /// From 1.
    pub page: i64,
    /// 1 to 100.
    pub page_size: i64,
    /// The sort key.
    pub sort_by: SortBy,
    /// The direction.
    pub order: Order,
    /// Earliest release, inclusive.
    pub from: Option<NaiveDate>,
    /// Latest release, inclusive.
    pub to: Option<NaiveDate>,
}

/// A date filter that is not a date: the name of its parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidDate(pub &'static str);

impl ListQuery {
    /// Reads the raw query string. Numbers and sorting fall back to their defaults, dates do not.
    ///
    /// # Errors
    /// [`InvalidDate`] with the first date parameter that is not `YYYY-MM-DD`.
    pub fn parse(query: &str) -> Result<Self, InvalidDate> {
        let number = |name| first_value(query, name).and_then(|text| text.parse::<i64>().ok());
        // A date that cannot be decoded is no date: without its filter the answer would be another one than asked for.
        let date = |name| match values(query, name).next() {
            None => Ok(None),
            Some(Some(text)) if text.is_empty() => Ok(None),
            Some(text) => text.as_deref().and_then(parse_date).map(Some).ok_or(InvalidDate(name)),
        };
        let sort_by = match first_value(query, "sort_by").as_deref() {
            Some("release_date") => SortBy::ReleaseDate,
            Some("title") => SortBy::Title,
            _ => SortBy::Popularity,
        };
        let order = match first_value(query, "order").as_deref() {
            Some("asc") => Order::Ascending,
            _ => Order::Descending,
        };
        Ok(Self {
            page: number("page").filter(|page| *page >= 1).unwrap_or(1),
            page_size: number("page_size")
                .filter(|size| (1..=MAX_PAGE_SIZE).contains(size))
                .unwrap_or(DEFAULT_PAGE_SIZE),
            sort_by,
            order,
            from: date("release_date_from")?,
            to: date("release_date_to")?,
        })
    }

    /// Rows before this page; `None` when there cannot be that many.
    pub fn offset(&self) -> Option<i64> {
        (self.page - 1).checked_mul(self.page_size)
    }
}

impl SortBy {
    /// As in the query string.
    pub fn name(self) -> &'static str {
        match self {
            Self::Popularity => "popularity",
            Self::ReleaseDate => "release_date",
            Self::Title => "title",
        }
    }
}

impl Order {
    /// As in the query string.
    pub fn name(self) -> &'static str {
        match self {
            Self::Descending => "desc",
            Self::Ascending => "asc",
        }
    }
}

/// The `pages` of a sync: clamped to 1..=50, 5 when it is missing or not a number.
pub fn sync_pages(query: &str) -> u32 {
    let pages = first_value(query, "pages").and_then(|text| text.parse::<i64>().ok());
    pages.map_or(DEFAULT_SYNC_PAGES, |pages| pages.clamp(1, i64::from(MAX_SYNC_PAGES)) as u32)
}

/// The first value of a parameter, decoded. A pair that is not well-formed is passed over, as the platform always did.
fn first_value(query: &str, name: &str) -> Option<String> {
    values(query, name).flatten().next()
}

/// The values of a parameter, each decoded or `None` when it is not well-formed.
fn values<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = Option<String>> + 'a {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(move |(key, _)| decode(key).is_some_and(|key| key == name))
        .map(|(_, value)| decode(value))
}

/// Undoes form encoding. `None` for a `%` that is not followed by two hexadecimal digits, or for a raw `;`.
fn decode(text: &str) -> Option<String> {
    // Most keys and values need no decoding.
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+' | b';')) {
        return Some(text.to_owned());
    }
    let escapes_complete = text.split('%').skip(1).all(|rest| {
        let rest = rest.as_bytes();
        rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit)
    });
    if !escapes_complete || text.contains(';') {
        return None;
    }
    Some(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(query: &str) -> ListQuery {
        ListQuery::parse(query).expect("no dates, no mistakes")
    }

    #[test]
    fn what_is_missing_empty_or_unreadable_falls_back_to_its_default() {
        let default = parse("");
        assert_eq!((default.page, default.page_size), (1, 20));
        assert_eq!((default.sort_by, default.order), (SortBy::Popularity, Order::Descending));
        for query in [
            "page=&page_size=&sort_by=&order=&release_date_from=&release_date_to=",
            "page=0&page_size=0&sort_by=id&order=up",
            "page=-1&page_size=-1&sort_by=TITLE&order=ASC",
            "page=x&page_size=101",
            "page=1.5&page_size=1e2",
            "page=99999999999999999999&page_size=%31%30%31",
            "page=%zz&page_size=%",
            "Page=7&PAGE_SIZE=7",
            "page=%D9%A3",
            "page",
            "&&=&",
        ] {
            assert_eq!(parse(query), default, "{query}");
        }
    }

    #[test]
    fn the_first_of_repeated_parameters_counts() {
        assert_eq!(parse("page=3&page=4").page, 3);
        assert_eq!(parse("page=&page=4").page, 1);
        assert_eq!(parse("page=%zz&page=4").page, 4, "a pair that is not well-formed is passed over");
    }

    #[test]
    fn values_may_be_encoded() {
        let query = parse("p%61ge=%33&sort_by=release%5Fdate&order=%61sc&page_size=%2B5");
        assert_eq!((query.page, query.page_size), (3, 5));
        assert_eq!((query.sort_by, query.order), (SortBy::ReleaseDate, Order::Ascending));
    }

    #[test]
    fn a_malformed_date_names_its_parameter() {
        assert_eq!(ListQuery::parse("release_date_from=yesterday"), Err(InvalidDate("release_date_from")));
        assert_eq!(ListQuery::parse("release_date_to=2024-02-30"), Err(InvalidDate("release_date_to")));
        assert_eq!(ListQuery::parse("release_date_to=2024-01-01%00"), Err(InvalidDate("release_date_to")));
        for undecodable in ["%zz", "%", "2024-01-0%1", "2024-01-01;", "%zz&release_date_from=2024-01-01"] {
            let query = format!("page=2&release_date_from={undecodable}");
            assert_eq!(ListQuery::parse(&query), Err(InvalidDate("release_date_from")), "{query}");
        }
        let query = parse("release_date_from=2024-01-01&release_date_to=2024-12-31");
        assert_eq!(query.from, parse_date("2024-01-01"));
        assert_eq!(query.to, parse_date("2024-12-31"));
    }

    #[test]
    fn an_offset_that_overflows_is_none() {
        assert_eq!(parse("page=9223372036854775807").offset(), None);
        assert_eq!(parse("page=3&page_size=10").offset(), Some(20));
    }

    #[test]
    fn sync_pages_are_clamped() {
        for (query, pages) in
            [("", 5), ("pages=", 5), ("pages=x", 5), ("pages=0", 1), ("pages=-3", 1), ("pages=7", 7), ("pages=51", 50)]
        {
            assert_eq!(sync_pages(query), pages, "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_query_is_read_within_bounds(query in "[ -~]{0,80}|(page|page_size|sort_by|order|release_date_from)=\\PC{0,20}") {
            if let Ok(list) = ListQuery::parse(&query) {
                prop_assert!(list.page >= 1);
                prop_assert!((1..=100).contains(&list.page_size));
            }
            prop_assert!((1..=50).contains(&sync_pages(&query)));
        }

        #[test]
        fn every_page_number_survives(page in 1_i64..) {
            prop_assert_eq!(parse(&format!("page={page}")).page, page);
        }
    }
}
