//! `GET /api/v1/movies`.

use sqlx::PgPool;

use crate::support::{TestApp, titles};

/// Dated, undated, unrated, and with equal values; ids 1 to 6 in this order.
async fn six_movies(pool: &PgPool) -> TestApp {
    let app = TestApp::new(pool).await;
    for (at, (title, released, popularity)) in (1..).zip([
        ("Beta", Some("2020-01-01"), Some(5.0)),
        ("alpha", Some("2021-01-01"), Some(7.0)),
        ("Émile", None, Some(5.0)),
        ("Zeta", Some("2020-01-01"), None),
        ("Eta", Some("1999-03-31"), Some(9.5)),
        ("Beta", None, None),
    ]) {
        app.movie(at, title, released, popularity).await;
    }
    app
}

async fn ids(app: &TestApp, query: &str) -> Vec<i64> {
    app.list(query).await["data"].as_array().unwrap().iter().map(|movie| movie["id"].as_i64().unwrap()).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn an_empty_catalogue_has_no_pages(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let reply = app.get("/api/v1/movies").await;
    assert_eq!(
        reply.text(),
        r#"{"page":1,"page_size":20,"total_pages":0,"total_results":0,"data":[],"next_cursor":null}"#
    );
    assert_eq!(reply.header("content-type"), "application/json");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_page_has_the_fields_of_the_contract(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(11, "Poster and all", Some("2024-02-29"), Some(12.0)).await;
    app.movie(12, "七人の侍 \u{202e}\"quoted\"", None, None).await;
    app.execute("UPDATE movies SET poster_path = '/p.jpg' WHERE tmdb_id = 11").await;
    insta::assert_json_snapshot!(app.list("").await);
}

#[sqlx::test(migrations = "./migrations")]
async fn movies_are_sorted_by_popularity_unrated_ones_last_in_both_orders(pool: PgPool) {
    let app = six_movies(&pool).await;
    for query in ["", "sort_by=popularity", "sort_by=popularity&order=desc", "sort_by=nonsense&order=nonsense"] {
        assert_eq!(ids(&app, query).await, [5, 2, 3, 1, 6, 4], "{query}");
    }
    assert_eq!(ids(&app, "order=asc").await, [1, 3, 2, 5, 4, 6]);
}

#[sqlx::test(migrations = "./migrations")]
async fn movies_are_sorted_by_date_undated_ones_last_in_both_orders(pool: PgPool) {
    let app = six_movies(&pool).await;
    assert_eq!(ids(&app, "sort_by=release_date").await, [2, 4, 1, 5, 6, 3]);
    assert_eq!(ids(&app, "sort_by=release_date&order=asc").await, [5, 1, 4, 2, 3, 6]);
}

#[sqlx::test(migrations = "./migrations")]
async fn titles_are_sorted_as_people_expect(pool: PgPool) {
    let app = six_movies(&pool).await;
    let list = app.list("sort_by=title&order=asc").await;
    assert_eq!(titles(&list), ["alpha", "Beta", "Beta", "Émile", "Eta", "Zeta"]);
    assert_eq!(ids(&app, "sort_by=title").await, [4, 5, 3, 6, 1, 2]);
}

#[sqlx::test(migrations = "./migrations")]
async fn pages_of_equal_movies_neither_repeat_nor_miss_any(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute("INSERT INTO movies (tmdb_id, title) SELECT n, 'Same' FROM generate_series(1, 57) n").await;
    for order in ["asc", "desc"] {
        for sort_by in ["popularity", "release_date", "title"] {
            let mut seen = Vec::new();
            for page in 1..=6 {
                seen.extend(ids(&app, &format!("sort_by={sort_by}&order={order}&page={page}&page_size=10")).await);
            }
            seen.sort_unstable();
            assert_eq!(seen, (1..=57).collect::<Vec<_>>(), "{sort_by} {order}");
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_date_filters_are_inclusive_and_leave_out_undated_movies(pool: PgPool) {
    let app = six_movies(&pool).await;
    for (query, expected) in [
        ("release_date_from=2020-01-01", vec![2, 1, 4]),
        ("release_date_to=2020-01-01", vec![5, 1, 4]),
        ("release_date_from=2020-01-01&release_date_to=2020-01-01", vec![1, 4]),
        ("release_date_from=2020-01-02&release_date_to=2020-01-01", vec![]),
        ("release_date_from=&release_date_to=", vec![5, 2, 3, 1, 6, 4]),
    ] {
        let list = app.list(query).await;
        assert_eq!(ids(&app, query).await, expected, "{query}");
        assert_eq!(list["total_results"], expected.len(), "{query}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_malformed_date_is_refused_by_name(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    for name in ["release_date_from", "release_date_to"] {
        for value in
            ["yesterday", "2024-13-45", "2024-1-1", "2024-02-30", "20240101", "0000-00-00", "x%00", "%ff", "1e9"]
        {
            let reply = app.get(&format!("/api/v1/movies?{name}={value}")).await;
            reply.assert_error(400, &format!("invalid {name}, expected YYYY-MM-DD"));
            assert_eq!(reply.json()["field"], name);
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn page_and_page_size_are_read_leniently(pool: PgPool) {
    let app = six_movies(&pool).await;
    for (query, page, page_size) in [
        ("page=0&page_size=0", 1, 20),
        ("page=-1&page_size=-5", 1, 20),
        ("page=x&page_size=101", 1, 20),
        ("page=&page_size=", 1, 20),
        ("page=2&page_size=100", 2, 100),
        ("page=2&page=3&page_size=1", 2, 1),
        ("page=18446744073709551616", 1, 20),
    ] {
        let list = app.list(query).await;
        assert_eq!((&list["page"], &list["page_size"]), (&page.into(), &page_size.into()), "{query}");
    }
    let list = app.list("page=2&page_size=4").await;
    assert_eq!((&list["total_pages"], &list["total_results"]), (&2.into(), &6.into()));
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_page_past_the_end_is_empty_even_when_its_offset_overflows(pool: PgPool) {
    let app = six_movies(&pool).await;
    for page in [7_i64, 2_147_483_648, i64::MAX] {
        let list = app.list(&format!("page={page}")).await;
        assert_eq!(list["page"], page);
        assert_eq!((&list["total_pages"], &list["total_results"]), (&1.into(), &6.into()));
        assert_eq!(list["data"], serde_json::json!([]));
    }
}
