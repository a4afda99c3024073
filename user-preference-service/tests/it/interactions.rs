//! `/api/v1/users/{id}/interactions`

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, TestResponse, without_times};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

async fn record(app: &TestApp, user: i64, body: Value) -> TestResponse {
    app.post(&format!("/api/v1/users/{user}/interactions"), body.to_string()).await
}

async fn movies(app: &TestApp, user: i64, query: &str) -> Vec<i64> {
    let list = app.get(&format!("/api/v1/users/{user}/interactions{query}")).await.json();
    list["interactions"].as_array().unwrap().iter().map(|entry| entry["movie_id"].as_i64().unwrap()).collect()
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn an_interaction_is_recorded_and_listed(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    let recorded = record(&app, user, json!({ "movie_id": 42, "interaction_type": "like" })).await;
    assert_eq!(recorded.status, 201);
    let list = app.get("/api/v1/users/1/interactions").await;
    assert_eq!(list.status, 200);
    insta::assert_snapshot!(without_times(&recorded.text()), @r#"{"id":1,"user_id":1,"movie_id":42,"interaction_type":"like","created_at":"[time]","occurred_at":"[time]"}"#);
    insta::assert_snapshot!(without_times(&list.text()), @r#"{"user_id":1,"interactions":[{"id":1,"user_id":1,"movie_id":42,"interaction_type":"like","created_at":"[time]","occurred_at":"[time]"}]}"#);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_user_without_interactions_has_an_empty_list(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let list = app.get("/api/v1/users/1/interactions").await;
    assert_eq!((list.status.as_u16(), list.text().as_str()), (200, r#"{"user_id":1,"interactions":[]}"#));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn all_types_without_a_value_are_taken_and_any_movie_and_repetitions(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    for kind in ["like", "dislike", "watchlist", "watched", "abandoned", "like"] {
        let reply = record(&app, user, json!({ "movie_id": 2_147_483_647, "interaction_type": kind })).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["interaction_type"]), (201, &json!(kind)));
    }
    assert_eq!(movies(&app, user, "").await, [2_147_483_647; 6]);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn other_types_are_refused_by_name(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    for (sent, text) in [
        (json!("love"), "invalid interaction type: love".to_owned()),
        (json!("LIKE"), "invalid interaction type: LIKE".to_owned()),
        (json!(" like"), "invalid interaction type:  like".to_owned()),
        (json!(""), "invalid interaction type: ".to_owned()),
        (Value::Null, "invalid interaction type: ".to_owned()),
        (json!("é".repeat(50)), format!("invalid interaction type: {}", "é".repeat(50))),
        (json!("é".repeat(51)), "interaction_type must be at most 50 characters".to_owned()),
        (json!("like\0"), "interaction_type must not contain a NUL character".to_owned()),
    ] {
        // The movie is wrong as well: the type is looked at first.
        let reply = record(&app, user, json!({ "movie_id": 0, "interaction_type": sent })).await;
        assert_eq!(reply.refusal(), (400, text));
        assert_eq!(reply.json()["field"], "interaction_type");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_movie_id_must_be_above_0_and_fit(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let refusal = async |movie: &str| {
        let body = format!(r#"{{"interaction_type":"like"{movie}}}"#);
        app.post("/api/v1/users/1/interactions", body).await
    };
    for movie in [
        "",
        r#","movie_id":null"#,
        r#","movie_id":0"#,
        r#","movie_id":-0"#,
        r#","movie_id":-1"#,
        r#","movie_id":-99999999999999999999"#,
    ] {
        assert_eq!(refusal(movie).await.refusal(), (400, "invalid movie ID".to_owned()), "{movie}");
    }
    for movie in ["2147483648", "9223372036854775808", "99999999999999999999999999"] {
        let reply = refusal(&format!(r#","movie_id":{movie}"#)).await;
        assert_eq!(reply.refusal(), (400, "movie_id must be at most 2147483647".to_owned()));
        assert_eq!(reply.json()["field"], "movie_id");
    }
    for (movie, id) in [("1.0", 1), ("5e0", 5)] {
        let reply = refusal(&format!(r#","movie_id":{movie}"#)).await;
        assert_eq!((reply.status.as_u16(), reply.json()["movie_id"].as_i64()), (201, Some(id)), "{movie}");
    }
    for movie in ["1.5", "1e-1", "\"1\"", "true", "[1]", "{}"] {
        let reply = refusal(&format!(r#","movie_id":{movie}"#)).await;
        assert_eq!(reply.refusal(), (400, "invalid request body".to_owned()), "{movie}");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn interactions_of_a_user_who_does_not_exist_are_not_found(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let reply = record(&app, 99, json!({ "movie_id": 1, "interaction_type": "like" })).await;
    assert_eq!(reply.refusal(), (404, "user not found".to_owned()));
    assert_eq!(app.get("/api/v1/users/99/interactions").await.refusal(), (404, "user not found".to_owned()));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_newest_come_first_and_the_id_decides_between_equal_times(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    for (user, movie, time) in
        [(ada, 1, "01:00"), (ada, 2, "03:00"), (bob, 9, "04:00"), (ada, 3, "02:00"), (ada, 4, "03:00")]
    {
        sqlx::query("INSERT INTO user_interactions (user_id, movie_id, interaction_type, created_at) VALUES ($1, $2, 'like', ('2026-01-01T' || $3 || ':00Z')::timestamptz)")
            .bind(user)
            .bind(movie)
            .bind(time)
            .execute(&app.pool)
            .await
            .unwrap();
    }
    assert_eq!(movies(&app, ada, "").await, [4, 2, 3, 1]);
    assert_eq!(movies(&app, ada, "?limit=2").await, [4, 2]);
    assert_eq!(
        app.get("/api/v1/users/1/interactions?limit=1").await.json()["interactions"][0]["created_at"],
        "2026-01-01T03:00:00Z"
    );
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_limit_that_cannot_be_used_means_50_and_a_larger_one_1000(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    sqlx::query("INSERT INTO user_interactions (user_id, movie_id, interaction_type) SELECT $1, n, 'like' FROM generate_series(1, 1010) n")
        .bind(user)
        .execute(&app.pool)
        .await
        .unwrap();
    for query in [
        "",
        "?limit=",
        "?limit=0",
        "?limit=-5",
        "?limit=abc",
        "?limit=1.5",
        "?limit=%FF",
        "?limit",
        "?LIMIT=7",
        "?limit=+7",
        "?&=&%",
        "?limit=x&limit=7",
    ] {
        assert_eq!(movies(&app, user, query).await.len(), 50, "{query}");
    }
    for (query, length) in [
        ("?limit=1", 1),
        ("?limit=%2B7", 7),
        ("?limit=007", 7),
        ("?x=1&limit=51", 51),
        ("?limit=1000", 1000),
        ("?limit=1001", 1000),
        ("?limit=99999999999999999999", 1000),
    ] {
        assert_eq!(movies(&app, user, query).await.len(), length, "{query}");
    }
}
