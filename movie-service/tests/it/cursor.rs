//! `cursor` and `next_cursor`.

use serde_json::Value;
use sqlx::PgPool;

use crate::support::{TestApp, eventually};

/// Thirty movies with ties and unknown values in every key.
async fn thirty_movies(pool: &PgPool) -> TestApp {
    let app = TestApp::new(pool).await;
    app.execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (1, 'Drama');
         INSERT INTO movies (tmdb_id, title, release_date, popularity, vote_average, vote_count, runtime, created_at)
         SELECT n, CASE WHEN n % 3 = 0 THEN 'Alien' WHEN n % 3 = 1 THEN 'Alien ' || n % 7 ELSE 'The Alien' END,
                CASE WHEN n % 4 > 0 THEN date '2000-01-01' + n % 5 END,
                CASE WHEN n % 5 > 0 THEN n % 6 / 3.0::float8 END,
                n % 8 + 0.1, n % 3, CASE WHEN n % 6 > 0 THEN n % 5 END,
                timestamptz '2026-01-01 00:00:00.123456Z' + n % 9 * interval '1 microsecond'
         FROM generate_series(1, 29) n;
         INSERT INTO movies (tmdb_id, title) VALUES (30, 'Allien');
         INSERT INTO movie_genres SELECT n, 1 FROM generate_series(1, 30, 2) n;",
    )
    .await;
    app
}

fn ids(page: &Value) -> Vec<i64> {
    page["data"].as_array().unwrap().iter().map(|movie| movie["id"].as_i64().unwrap()).collect()
}

/// All ids, page by page.
async fn read_pages(app: &TestApp, query: &str, size: i64) -> Vec<i64> {
    let mut page = app.list(&format!("{query}&page_size={size}")).await;
    let (mut seen, mut number) = (ids(&page), 1);
    while let Some(cursor) = page["next_cursor"].as_str() {
        assert_eq!(ids(&page).len() as i64, size, "{query}");
        let next = app.list(&format!("{query}&page_size={size}&page=99&cursor={cursor}")).await;
        number += 1;
        assert_eq!((&next["page"], &next["total_results"]), (&number.into(), &page["total_results"]), "{query}");
        seen.extend(ids(&next));
        page = next;
    }
    assert!(page["next_cursor"].is_null());
    assert_eq!(page["total_results"], seen.len(), "{query}");
    seen
}

#[sqlx::test(migrations = "./migrations")]
async fn a_walk_by_cursor_visits_each_movie_once_in_the_order_of_the_pages(pool: PgPool) {
    let app = thirty_movies(&pool).await;
    for sort_by in ["popularity", "release_date", "title", "vote_average", "vote_count", "runtime", "created_at"] {
        for order in ["asc", "desc"] {
            for more in ["", "&with_genres=drama", "&q=alien", "&q=alie&vote_count_gte=1", "&q=zzz"] {
                let query = format!("sort_by={sort_by}&order={order}{more}");
                let whole = app.list(&format!("{query}&page_size=100")).await;
                for size in [1, 4] {
                    assert_eq!(read_pages(&app, &query, size).await, ids(&whole), "{query}");
                }
            }
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_walk_by_relevance_visits_each_movie_once(pool: PgPool) {
    let app = thirty_movies(&pool).await;
    for q in ["alien", "alien%203", "alein", "aline", "the%20alien", "allien"] {
        for order in ["desc", "asc"] {
            for more in ["", "&with_genres=drama"] {
                let query = format!("q={q}&order={order}{more}");
                let whole = ids(&app.list(&format!("{query}&page_size=100")).await);
                for size in [1, 3, 10] {
                    assert_eq!(read_pages(&app, &query, size).await, whole, "{query}");
                }
                let mut once = whole.clone();
                once.sort_unstable();
                once.dedup();
                assert_eq!(once.len(), whole.len(), "{query}");
            }
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_far_down_is_found_too(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    // More than are walked along before the rest is looked for in another way.
    app.execute(
        "INSERT INTO movies (title, popularity, original_language)
         SELECT CASE WHEN n IN (5, 3990, 4010, 9000) OR n % 1000 = 0 OR n > 9090 THEN 'Alien ' || n ELSE 'Other' END,
                CASE WHEN n <= 9080 THEN 10000 - n / 3 END,
                CASE WHEN n IN (7, 3995, 4005) OR n % 900 = 0 OR n > 9090 THEN 'fr' ELSE 'en' END
         FROM generate_series(1, 9100) n;
         INSERT INTO movies (title, popularity) VALUES ('The Alien', 20000), ('The Alien', 1), ('Alien', NULL), ('Alien', 3);",
    )
    .await;
    for query in ["runtime_lte=0", "vote_count_gte=1", "with_original_language=fr&year=1999"] {
        assert_eq!(read_pages(&app, query, 5).await, [0; 0], "{query}");
    }
    app.execute("UPDATE movies SET release_date = '2001-01-01', runtime = 7 WHERE original_language = 'fr'").await;
    let expected: Vec<i64> = sqlx::query_scalar(
        "SELECT id::bigint FROM movies WHERE original_language = 'fr' ORDER BY popularity DESC NULLS LAST, id DESC",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(expected.len(), 23);
    for query in ["year=2001", "year=2001&with_original_language=fr", "runtime_gte=1"] {
        for size in [1, 5, 100] {
            assert_eq!(read_pages(&app, query, size).await, expected, "{query}");
        }
    }
    let mut ascending = expected.clone();
    ascending.sort_unstable();
    assert_eq!(read_pages(&app, "year=2001&sort_by=created_at&order=asc", 4).await, ascending);
    ascending.reverse();
    assert_eq!(read_pages(&app, "runtime_gte=1&sort_by=created_at", 4).await, ascending);

    let expected: Vec<i64> = sqlx::query_scalar(
        "SELECT id::bigint FROM movies WHERE title LIKE '%Alien%'
         ORDER BY title <> 'Alien', title LIKE 'The%', popularity DESC NULLS LAST, id DESC",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(expected.len(), 26);
    for size in [1, 4, 100] {
        assert_eq!(read_pages(&app, "q=alien", size).await, expected);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn page_numbers_and_cursors_agree(pool: PgPool) {
    let app = thirty_movies(&pool).await;
    for query in ["sort_by=runtime", "order=asc", "q=alien", "q=alien&order=asc"] {
        for page in 1..=4 {
            let numbered = app.list(&format!("{query}&page_size=8&page={page}")).await;
            let next = app.list(&format!("{query}&page_size=8&page={}", page + 1)).await;
            match numbered["next_cursor"].as_str() {
                Some(cursor) => {
                    let by_cursor = app.list(&format!("{query}&page_size=8&cursor={cursor}")).await;
                    assert_eq!(by_cursor, next, "{query}");
                }
                None => assert_eq!(ids(&next).len(), 0, "{query}"),
            }
        }
    }
    assert!(app.list("page=99").await["next_cursor"].is_null());
    assert!(app.list("page=9223372036854775807").await["next_cursor"].is_null());
}

#[sqlx::test(migrations = "./migrations")]
async fn movies_that_come_and_go_neither_repeat_others_nor_hide_them(pool: PgPool) {
    let app = TestApp::with(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    app.execute("INSERT INTO movies (tmdb_id, title, popularity) SELECT n, 'Old', n / 3 FROM generate_series(1, 60) n")
        .await;
    for order in ["asc", "desc"] {
        app.execute("DELETE FROM movies WHERE title <> 'Old'").await;
        let stay: Vec<i64> = ids(&app.list(&format!("order={order}&page_size=100")).await);
        let mut page = app.list(&format!("order={order}&page_size=7")).await;
        let mut seen = ids(&page);
        while let Some(cursor) = page["next_cursor"].as_str() {
            // The last row itself goes, and others come before and after it.
            sqlx::query("UPDATE movies SET title = 'Gone' WHERE id = $1")
                .bind(*seen.last().unwrap() as i32)
                .execute(&pool)
                .await
                .unwrap();
            app.execute(
                "INSERT INTO movies (tmdb_id, title, popularity)
                 SELECT (SELECT max(tmdb_id) FROM movies) + n, 'New', n * 3 FROM generate_series(1, 6) n;",
            )
            .await;
            page = app.list(&format!("order={order}&page_size=7&cursor={cursor}")).await;
            seen.extend(ids(&page));
        }
        let old: Vec<i64> = seen.iter().copied().filter(|id| stay.contains(id)).collect();
        assert_eq!(old, stay, "{order}");
        app.execute("UPDATE movies SET title = 'Old' WHERE title = 'Gone'").await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_last_row_of_a_page_may_be_deleted(pool: PgPool) {
    let app = thirty_movies(&pool).await;
    let all = ids(&app.list("page_size=100&sort_by=release_date").await);
    let page = app.list("page_size=10&sort_by=release_date").await;
    sqlx::query("DELETE FROM movies WHERE id = $1").bind(all[9] as i32).execute(&pool).await.unwrap();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = app.list(&format!("page_size=100&sort_by=release_date&cursor={cursor}")).await;
    assert_eq!(ids(&next), all[10..]);
    assert_eq!(next["total_results"], 29);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_cursor_is_good_for_its_own_query_on_every_replica(pool: PgPool) {
    let app = thirty_movies(&pool).await;
    let query = "sort_by=title&with_genres=drama&year=2000&page_size=2";
    let cursor = app.list(query).await["next_cursor"].as_str().unwrap().to_owned();
    let other = TestApp::new(&pool).await;
    let same = "year=2000&page_size=5&include=genres&facets=year&with_genres=Drama&sort_by=title&order=nonsense&page=7";
    assert_eq!(ids(&other.list(&format!("{same}&cursor={cursor}")).await).len(), 5);
    for query in [
        "",
        "sort_by=title&with_genres=drama&year=2000&order=asc",
        "sort_by=title&with_genres=drama&year=2001",
        "sort_by=title&with_genres=drama",
        "sort_by=popularity&with_genres=drama&year=2000",
        "sort_by=title&with_genres=drama&year=2000&release_date_to=2000-12-31",
        "sort_by=title&with_genres=drama&year=2000&q=a",
    ] {
        assert_refused(&app, &format!("{query}&cursor={cursor}")).await;
    }
}

async fn assert_refused(app: &TestApp, query: &str) {
    let reply = app.get(&format!("/api/v1/movies?{query}")).await;
    reply.assert_error(400, "invalid cursor, expected the next_cursor of the same query");
    assert_eq!((&reply.json()["code"], &reply.json()["field"]), (&"invalid_cursor".into(), &"cursor".into()));
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_no_cursor_is_refused(pool: PgPool) {
    let app = thirty_movies(&pool).await;
    let cursor = app.list("page_size=2").await["next_cursor"].as_str().unwrap().to_owned();
    let mut forged = cursor.clone().into_bytes();
    forged[5] = if forged[5] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    let (cut, long) = (&cursor[..cursor.len() - 2], cursor.repeat(400));
    let a = "A".repeat(10_000);
    for value in ["", "1", "x%00", "%ff", "%zz", "NaN", "-1", &format!("{cursor}="), &forged, cut, &long, &a] {
        assert_refused(&app, &format!("page_size=2&cursor={value}")).await;
    }
    assert_refused(&app, &format!("cursor={cursor}&cursor={cursor}")).await;
    // Nor when an answer is in the cache under a key that looks similar.
    app.list(&format!("page_size=2&include=genres&cursor={cursor}")).await;
    let key = format!("movies:list:1:2:popularity:desc:::cursor={cursor}&include=genres");
    eventually("it is cached", || async { app.redis_text("GET", &[&key]).await.is_some() }).await;
    assert_refused(&app, &format!("page_size=2&cursor={cursor}%26include%3Dgenres")).await;
    assert_eq!(ids(&app.list(&format!("cursor={cursor}")).await).len(), 20);
}
