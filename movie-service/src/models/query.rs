//! What the list is asked for.

use chrono::{Datelike, NaiveDate};

use super::{
    filter::Filters,
    includes::{self, Facet, Include},
    movie::{date_text, parse_date},
    parameters::{InvalidParameter, first_value, strict, values},
};

const DEFAULT_PAGE_SIZE: i64 = 20;
const MAX_PAGE_SIZE: i64 = 100;

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// TMDB's popularity.
    Popularity,
    /// The date of release.
    ReleaseDate,
    /// The title.
    Title,
    /// The average vote.
    VoteAverage,
    /// The number of votes.
    VoteCount,
    /// The length.
    Runtime,
    /// When the platform got to know it.
    CreatedAt,
    /// How well the title fits what is searched for.
    Relevance,
}

/// In which direction the list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Largest, latest or last first.
    Descending,
    /// Smallest, earliest or first first.
    Ascending,
}

/// Stands for "no limit" when only the other end of a range of dates is given.
const EARLIEST: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("a date");
const LATEST: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a date");

/// A checked query of the list.
#[derive(Debug, Clone, PartialEq)]
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
    /// What else a movie must be.
    pub filters: Filters,
    /// Where to go on, as the client sent it; `page` does not count then.
    pub cursor: Option<String>,
    /// More fields of each movie: sorted, each once.
    pub include: Vec<Include>,
    /// What to count under the filters: sorted, each once.
    pub facets: Vec<Facet>,
}

impl ListQuery {
    /// Reads the raw query string. Page numbers and sorting fall back to their defaults, dates and filters do not.
    ///
    /// # Errors
    /// [`InvalidParameter`] with the first date or filter that cannot be meant.
    pub fn parse(query: &str) -> Result<Self, InvalidParameter> {
        let number = |name| first_value(query, name).and_then(|text| text.parse::<i64>().ok());
        let filtered = Self::parse_filters(query)?;
        let sort_by = match first_value(query, "sort_by").as_deref() {
            Some("release_date") => SortBy::ReleaseDate,
            Some("title") => SortBy::Title,
            Some("vote_average") => SortBy::VoteAverage,
            Some("vote_count") => SortBy::VoteCount,
            Some("runtime") => SortBy::Runtime,
            Some("created_at") => SortBy::CreatedAt,
            Some("popularity") => SortBy::Popularity,
            _ => filtered.sort_by,
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
            cursor: cursor(query)?,
            include: includes::include(query)?,
            facets: includes::facets(query)?,
            ..filtered
        })
    }

    /// Reads only what a movie must be; everything else is as it is by default.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn parse_filters(query: &str) -> Result<Self, InvalidParameter> {
        // A date that cannot be decoded is no date: without its filter the answer would be another one than asked for.
        let date = |name| match values(query, name).next() {
            None => Ok(None),
            Some(Some(text)) if text.is_empty() => Ok(None),
            Some(text) => text.as_deref().and_then(parse_date).map(Some).ok_or(InvalidParameter::date(name)),
        };
        let filters = Filters::parse(query)?;
        Ok(Self {
            page: 1,
            page_size: DEFAULT_PAGE_SIZE,
            sort_by: if filters.q.is_some() { SortBy::Relevance } else { SortBy::Popularity },
            order: Order::Descending,
            from: date("release_date_from")?,
            to: date("release_date_to")?,
            filters,
            cursor: None,
            include: Vec::new(),
            facets: Vec::new(),
        })
    }

    /// What a movie must be, in one form for all spellings; empty when anything will do.
    pub fn canonical_filters(&self) -> String {
        let filters = self.filters.canonical();
        match (self.from, self.to) {
            (None, None) => filters,
            (from, to) => format!("{}:{}:{filters}", date_text(from), date_text(to)),
        }
    }

    /// What a cursor is good for: the same movies in the same order.
    pub fn cursor_scope(&self) -> String {
        format!("{}:{}:{}", self.sort_by.name(), self.order.name(), self.canonical_filters())
    }

    /// The first and the last day of release that are wanted, or `None` when it does not matter.
    pub fn released_between(&self) -> Option<(NaiveDate, NaiveDate)> {
        let year = |date: NaiveDate| self.filters.year.and_then(|year| date.with_year(year));
        let from = self.from.into_iter().chain(year(EARLIEST)).max();
        let to = self.to.into_iter().chain(year(LATEST)).min();
        (from.is_some() || to.is_some()).then(|| (from.unwrap_or(EARLIEST), to.unwrap_or(LATEST)))
    }

    /// Rows before this page; `None` when there cannot be that many.
    pub fn offset(&self) -> Option<i64> {
        (self.page - 1).checked_mul(self.page_size)
    }
}

/// Longer ones are not from here: a title has 500 characters at most.
const MAX_CURSOR: usize = 4096;

fn cursor(query: &str) -> Result<Option<String>, InvalidParameter> {
    // No other characters: a cursor stands in the key of its answer in the cache, where `&` begins something else.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let cursor = strict(query, "cursor", "", |text| {
        ((1..=MAX_CURSOR).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
    });
    cursor.map_err(|_| InvalidParameter::cursor())
}

impl SortBy {
    /// As in the query string.
    pub fn name(self) -> &'static str {
        match self {
            Self::Popularity => "popularity",
            Self::ReleaseDate => "release_date",
            Self::Title => "title",
            Self::VoteAverage => "vote_average",
            Self::VoteCount => "vote_count",
            Self::Runtime => "runtime",
            Self::CreatedAt => "created_at",
            Self::Relevance => "relevance",
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
        assert_eq!(ListQuery::parse("release_date_from=yesterday"), Err(InvalidParameter::date("release_date_from")));
        assert_eq!(ListQuery::parse("release_date_to=2024-02-30"), Err(InvalidParameter::date("release_date_to")));
        assert_eq!(ListQuery::parse("release_date_to=2024-01-01%00"), Err(InvalidParameter::date("release_date_to")));
        for undecodable in ["%zz", "%", "2024-01-0%1", "2024-01-01;", "%zz&release_date_from=2024-01-01"] {
            let query = format!("page=2&release_date_from={undecodable}");
            assert_eq!(ListQuery::parse(&query), Err(InvalidParameter::date("release_date_from")), "{query}");
        }
        let query = parse("release_date_from=2024-01-01&release_date_to=2024-12-31");
        assert_eq!(query.from, parse_date("2024-01-01"));
        assert_eq!(query.to, parse_date("2024-12-31"));
    }

    #[test]
    fn a_search_is_sorted_by_relevance_unless_another_order_is_named() {
        for (query, sort_by) in [
            ("q=alien", SortBy::Relevance),
            ("q=alien&sort_by=relevance", SortBy::Relevance),
            ("q=alien&sort_by=nonsense", SortBy::Relevance),
            ("q=alien&sort_by=popularity", SortBy::Popularity),
            ("q=alien&sort_by=title", SortBy::Title),
        ] {
            assert_eq!(parse(query).sort_by, sort_by, "{query}");
        }
        assert_eq!(parse("sort_by=relevance").sort_by, SortBy::Popularity, "relevant to nothing");
    }

    #[test]
    fn a_year_narrows_the_range_of_dates() {
        let between = |query: &str| parse(query).released_between().map(|(from, to)| format!("{from} {to}"));
        assert_eq!(between(""), None);
        assert_eq!(between("year=2024").as_deref(), Some("2024-01-01 2024-12-31"));
        assert_eq!(
            between("year=2024&release_date_from=2023-05-01&release_date_to=2024-05-01").as_deref(),
            Some("2024-01-01 2024-05-01")
        );
        assert_eq!(between("release_date_from=2023-05-01").as_deref(), Some("2023-05-01 9999-12-31"));
    }

    #[test]
    fn a_cursor_has_the_characters_of_a_cursor() {
        assert_eq!(parse("cursor=aZ0-_").cursor.as_deref(), Some("aZ0-_"));
        for value in ["", "a%26include=genres", "a&cursor=a", "a=", "a+", "a.", "%C3%A9", "%zz", &"a".repeat(4097)] {
            let query = format!("cursor={value}");
            assert_eq!(ListQuery::parse(&query), Err(InvalidParameter::cursor()), "{query}");
        }
    }

    #[test]
    fn an_offset_that_overflows_is_none() {
        assert_eq!(parse("page=9223372036854775807").offset(), None);
        assert_eq!(parse("page=3&page_size=10").offset(), Some(20));
    }

    proptest! {
        #[test]
        fn any_query_is_read_within_bounds(query in "[ -~]{0,80}|(page|page_size|sort_by|order|release_date_from)=\\PC{0,20}") {
            if let Ok(list) = ListQuery::parse(&query) {
                prop_assert!(list.page >= 1);
                prop_assert!((1..=100).contains(&list.page_size));
            }
        }

        #[test]
        fn every_page_number_survives(page in 1_i64..) {
            prop_assert_eq!(parse(&format!("page={page}")).page, page);
        }
    }
}
