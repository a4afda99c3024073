//! What the list is asked for.

use chrono::{Datelike, NaiveDate};
use strum::{Display, EnumString};
use utoipa::ToSchema;

use super::{
    filter::Filters,
    includes::{Facet, Include},
    movie::date_text,
};

const DEFAULT_PAGE_SIZE: i64 = 20;
/// Movies on a page at most.
pub const MAX_PAGE_SIZE: i64 = 100;

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, ToSchema)]
#[strum(serialize_all = "snake_case")]
#[schema(rename_all = "snake_case")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, ToSchema)]
pub enum Order {
    /// Largest, latest or last first.
    #[strum(serialize = "desc")]
    #[schema(rename = "desc")]
    Descending,
    /// Smallest, earliest or first first.
    #[strum(serialize = "asc")]
    #[schema(rename = "asc")]
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

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            page: 1,
            page_size: DEFAULT_PAGE_SIZE,
            sort_by: SortBy::Popularity,
            order: Order::Descending,
            from: None,
            to: None,
            filters: Filters::default(),
            cursor: None,
            include: Vec::new(),
            facets: Vec::new(),
        }
    }
}

impl ListQuery {
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
        format!("{}:{}:{}", self.sort_by, self.order, self.canonical_filters())
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
