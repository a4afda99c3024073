//! `GET /api/v1/movies/random`.

use std::collections::HashMap;

use sqlx::PgPool;

use crate::support::TestApp;

const PATH: &str = "/api/v1/movies/random";

#[sqlx::test(migrations = "./migrations")]
async fn every_movie_that_matches_is_drawn_about_as_often(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(
        "INSERT INTO movies (title, vote_count) SELECT 'Gone', 1 FROM generate_series(1, 500);
         DELETE FROM movies;
         INSERT INTO movies (title, vote_count) SELECT 'Movie ' || n, n FROM generate_series(1, 8) n;",
    )
    .await;
    for (query, ids) in
        [("", 501..=508), ("vote_count_gte=5", 505..=508), ("ids=502,503,1", 502..=503), ("q=movie", 501..=508)]
    {
        let mut drawn = HashMap::new();
        for _ in 0..30 * ids.clone().count() {
            let reply = app.get(&format!("{PATH}?{query}")).await;
            assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
            *drawn.entry(reply.json()["id"].as_i64().unwrap()).or_insert(0) += 1;
        }
        let mut found: Vec<_> = drawn.keys().copied().collect();
        found.sort_unstable();
        assert_eq!(found, ids.collect::<Vec<_>>(), "{query}");
        // Thirty each on average: one of them below five has a chance of one in a hundred million.
        assert!(drawn.values().all(|times| *times >= 5), "{query}: {drawn:?}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn it_is_the_whole_movie_and_needs_no_page(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(7, "Only", Some("1999-01-01"), Some(1.0)).await;
    let detail = app.get("/api/v1/movies/1").await.json();
    for query in ["", "?year=1999", "?q=onyl", "?sort_by=relevance&page=x&cursor=nonsense&facets=x", "?ids=1"] {
        assert_eq!(app.get(&format!("{PATH}{query}")).await.json(), detail, "{query}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn where_nothing_matches_there_is_nothing(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let nothing = |reply: crate::support::TestResponse| {
        reply.assert_error(404, "no movie matches");
        assert_eq!(reply.json()["code"], "no_movie_matches");
    };
    nothing(app.get(PATH).await);
    app.movie(1, "One", None, None).await;
    for query in ["year=1999", "ids=2", "q=zzz", "vote_count_gte=1"] {
        nothing(app.get(&format!("{PATH}?{query}")).await);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn filters_that_cannot_be_meant_are_refused(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.get(&format!("{PATH}?year=NaN")).await.assert_error(400, "invalid year, expected a year from 1 to 9999");
    app.get(&format!("{PATH}?release_date_from=%ff"))
        .await
        .assert_error(400, "invalid release_date_from, expected YYYY-MM-DD");
    app.get(&format!("{PATH}?with_genres=x")).await.assert_error(400, "unknown genre in with_genres, known are: none");
    let long = "1".repeat(10_000);
    for query in ["q=", "ids=-1", "runtime_gte=1&runtime_gte=1", "vote_average_gte=%00", &format!("year={long}")] {
        assert_eq!(app.get(&format!("{PATH}?{query}")).await.status, 400);
    }
}
