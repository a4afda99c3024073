//! What the list of movies takes and refuses.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use strum::VariantNames;
use utoipa::IntoParams;

use super::{
    super::request_validation::query::{invalid_parameter, parse_query},
    values::CURSOR,
    *,
};
use crate::{
    error::ApiError,
    error_code::ErrorCode,
    models::{
        includes::{Facet, Include},
        movie::parse_date,
        query::{ListQuery, Order, SortBy},
    },
};

type List = (FilterParameters, PageParameters);

fn error(query: &str) -> ApiError {
    parse_query::<List>(query).expect_err(query)
}

#[test]
fn what_is_missing_empty_or_unreadable_falls_back_to_its_default() {
    let default = list_query("");
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
        assert_eq!(list_query(query), default, "{query}");
    }
}

#[test]
fn the_first_of_repeated_parameters_counts() {
    assert_eq!(list_query("page=3&page=4").page, 3);
    assert_eq!(list_query("page=&page=4").page, 1);
    assert_eq!(list_query("page=%zz&page=4").page, 4, "a pair that is not well-formed is passed over");
}

#[test]
fn values_may_be_encoded() {
    let query = list_query("p%61ge=%33&sort_by=release%5Fdate&order=%61sc&page_size=%2B5");
    assert_eq!((query.page, query.page_size), (3, 5));
    assert_eq!((query.sort_by, query.order), (SortBy::ReleaseDate, Order::Ascending));
}

#[test]
fn a_malformed_date_names_its_parameter() {
    let invalid = |name| invalid_parameter(name, ErrorCode::InvalidDate, "YYYY-MM-DD");
    assert_eq!(error("release_date_from=yesterday"), invalid("release_date_from"));
    assert_eq!(error("release_date_to=2024-02-30"), invalid("release_date_to"));
    assert_eq!(error("release_date_to=2024-01-01%00"), invalid("release_date_to"));
    for undecodable in ["%zz", "%", "2024-01-0%1", "2024-01-01;", "%zz&release_date_from=2024-01-01"] {
        let query = format!("page=2&release_date_from={undecodable}");
        assert_eq!(error(&query), invalid("release_date_from"), "{query}");
    }
    let query = list_query("release_date_from=2024-01-01&release_date_to=2024-12-31");
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
        assert_eq!(list_query(query).sort_by, sort_by, "{query}");
    }
    assert_eq!(list_query("sort_by=relevance").sort_by, SortBy::Popularity, "relevant to nothing");
}

#[test]
fn a_year_narrows_the_range_of_dates() {
    let between = |query: &str| list_query(query).released_between().map(|(from, to)| format!("{from} {to}"));
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
    assert_eq!(list_query("cursor=aZ0-_").cursor.as_deref(), Some("aZ0-_"));
    for value in ["", "a%26include=genres", "a&cursor=a", "a=", "a+", "a.", "%C3%A9", "%zz", &"a".repeat(4097)] {
        let query = format!("cursor={value}");
        assert_eq!(error(&query), invalid_parameter("cursor", ErrorCode::InvalidCursor, CURSOR), "{query}");
    }
}

#[test]
fn an_offset_that_overflows_is_none() {
    assert_eq!(list_query("page=9223372036854775807").offset(), None);
    assert_eq!(list_query("page=3&page_size=10").offset(), Some(20));
}

fn canonical(query: &str) -> String {
    list_query(query).filters.canonical()
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
        ("vote_average_gte", ["NaN", "-1", "10.1", "1e2"]),
        ("vote_average_lte", ["inf", "+5", ".5", "5."]),
        ("vote_count_gte", ["1.5", "-1", "2147483648", " 1"]),
        ("runtime_gte", ["x", "-0", "1_000", "٣"]),
        ("runtime_lte", ["", "1,2", "0x10", "%00"]),
        ("popularity_gte", ["NaN", "-0.1", "1e400", "%ff"]),
        ("ids", ["", "0", "1,,2", "1,-2"]),
        ("q", ["", "%20+%20", "a%00", "%ff"]),
    ] {
        for value in values.into_iter().chain([long.as_str()]) {
            let error = error(&format!("{name}={value}")).into_body();
            assert_eq!((error.field.as_deref(), error.code), (Some(name), ErrorCode::InvalidParameter), "{value}");
        }
        let error = error(&format!("{name}=1&{name}=1")).into_body();
        assert_eq!((error.field.as_deref(), error.code), (Some(name), ErrorCode::RepeatedParameter));
    }
    let ids = |count: usize| format!("ids={}", vec!["7"; count].join(","));
    assert!(parse_query::<List>(&ids(100)).is_ok() && parse_query::<List>(&ids(101)).is_err());
}

#[test]
fn a_number_may_have_an_exponent() {
    for (query, form) in [
        ("popularity_gte=1e0", "popularity_gte=1"),
        ("popularity_gte=2.5E%2B1", "popularity_gte=25"),
        ("vote_average_gte=75e-1", "vote_average_gte=7.5"),
    ] {
        assert_eq!(canonical(query), form, "{query}");
    }
    for value in ["e0", "1e", "1e%2B", "1ee0", "1e1.0", "1e309", "-1e0"] {
        let error = error(&format!("popularity_gte={value}")).into_body();
        assert_eq!(error.field.as_deref(), Some("popularity_gte"), "{value}");
    }
}

#[test]
fn names_are_read_in_any_order_each_once() {
    assert_eq!(list_query("facets=year,genres").facets, [Facet::Genres, Facet::Year]);
    assert_eq!(list_query("include=tmdb_id%2Coverview").include, [Include::Overview, Include::TmdbId]);
    assert_eq!((list_query("").include, list_query("").facets), (vec![], vec![]));
    for (parameter, names) in [("include", Include::VARIANTS), ("facets", Facet::VARIANTS)] {
        let parameters = PageParameters::into_params(|| None);
        let documented = parameters.iter().find(|documented| documented.name == parameter);
        let documented = serde_json::to_string(&documented).expect("serialises");
        let all = names.join(",");
        assert!(parse_query::<List>(&format!("{parameter}={all}")).is_ok());
        assert!(documented.contains(&format!("^({0})(,({0})){{0,{1}}}$", names.join("|"), names.len() - 1)));
        for wrong in ["", ",", "x", "genres,genres", "Genres", &format!("{all},genres")] {
            let error = error(&format!("{parameter}={wrong}")).into_body().error;
            let expected = format!("some of {}, each once, separated by ','", names.join(", "));
            assert_eq!(error, format!("invalid {parameter}, expected {expected}"), "{wrong}");
        }
    }
}

proptest! {
    #[test]
    fn any_query_is_read_within_bounds(query in "[ -~]{0,80}|(page|page_size|sort_by|order|release_date_from)=\\PC{0,20}") {
        if let Ok(list) = parse_query::<List>(&query).map(ListQuery::from) {
            prop_assert!(list.page >= 1);
            prop_assert!((1..=100).contains(&list.page_size));
        }
    }

    #[test]
    fn every_page_number_survives(page in 1_i64..) {
        prop_assert_eq!(list_query(&format!("page={page}")).page, page);
    }

    #[test]
    fn the_form_of_filters_stands_for_the_same_filters(
        genres in "[A-C0-3]{1,3}([,][A-C&=| ]{1,3}){0,3}",
        ids in prop::collection::vec(1_i32.., 1..100),
        average in 0.0..10.0_f64,
    ) {
        let genres = utf8_percent_encode(&genres, NON_ALPHANUMERIC);
        let ids = ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
        let query = format!("with_genres={genres}&ids={ids}&vote_average_lte={average}");
        if let Ok(list) = parse_query::<List>(&query).map(ListQuery::from) {
            let form = list.filters.canonical();
            prop_assert!(form.len() < 10_000);
            prop_assert_eq!(list_query(&form), list);
        }
    }
}
