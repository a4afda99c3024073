//! `/api/v1/users/{id}/preferences`

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, without_times};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

async fn set(app: &TestApp, user: i64, body: Value) -> crate::support::TestResponse {
    app.post(&format!("/api/v1/users/{user}/preferences"), body.to_string()).await
}

async fn shown(app: &TestApp, user: i64) -> Value {
    app.get(&format!("/api/v1/users/{user}/preferences")).await.json()
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_user_who_set_none_has_the_defaults(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let reply = app.get("/api/v1/users/1/preferences").await;
    assert_eq!(reply.status, 200);
    insta::assert_snapshot!(reply.text(), @r#"{"id":0,"user_id":1,"preferred_genres":[],"preferred_language":"en","min_rating":0.0,"updated_at":"0001-01-01T00:00:00Z"}"#);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn preferences_are_stored_and_shown(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    let sent =
        json!({ "preferred_genres": ["Drama", "Action", "Drama"], "preferred_language": "pt-BR", "min_rating": 7.3 });
    let stored = set(&app, user, sent).await;
    assert_eq!(stored.status, 200);
    insta::assert_snapshot!(without_times(&stored.text()), @r#"{"id":1,"user_id":1,"preferred_genres":["Drama","Action","Drama"],"preferred_language":"pt-BR","min_rating":7.3,"updated_at":"[time]"}"#);
    assert_eq!(app.get("/api/v1/users/1/preferences").await.text(), stored.text());
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_post_replaces_all_three_and_what_it_leaves_out_goes_back_to_the_default(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    let full = json!({ "preferred_genres": ["Drama"], "preferred_language": "fr", "min_rating": 8 });
    for left_out in [
        json!({}),
        json!({ "preferred_genres": null, "preferred_language": null, "min_rating": null }),
        json!({ "preferred_genres": [], "preferred_language": "" }),
    ] {
        assert_eq!(set(&app, user, full.clone()).await.status, 200);
        let reply = set(&app, user, left_out).await.json();
        assert_eq!(reply["id"], 1, "still the same row");
        for answer in [reply, shown(&app, user).await] {
            assert_eq!(answer["preferred_genres"], json!([]));
            assert_eq!(answer["preferred_language"], "en");
            assert_eq!(answer["min_rating"].as_f64(), Some(0.0));
        }
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn each_change_raises_the_revision_and_never_lowers_the_time(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    let mut times = Vec::new();
    for _ in 0..3 {
        times.push(set(&app, user, json!({})).await.json()["updated_at"].as_str().unwrap().to_owned());
    }
    assert!(times.is_sorted() && times[0] < times[2], "{times:?}");
    assert!(times.iter().all(|time| time.ends_with('Z')));
    let revision: i64 = sqlx::query_scalar("SELECT revision FROM user_preferences").fetch_one(&app.pool).await.unwrap();
    assert_eq!(revision, 3);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn ratings_come_back_to_the_last_digit(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    for (sent, back) in [
        ("0", 0.0),
        ("10", 10.0),
        ("7.123456789012345", 7.123_456_789_012_345),
        ("1e-7", 1e-7),
        ("-0.0", 0.0),
        ("1E1", 10.0),
    ] {
        let reply = app.post("/api/v1/users/1/preferences", format!(r#"{{"min_rating":{sent}}}"#)).await;
        assert_eq!(reply.json()["min_rating"].as_f64(), Some(back), "{sent}");
        assert_eq!(shown(&app, user).await["min_rating"].as_f64(), Some(back), "{sent}");
        assert!(!reply.text().contains("-0"), "{}", reply.text().replace("0001-01", ""));
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_refused_value_is_named_and_nothing_is_stored(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    for (body, field) in [
        (r#"{"min_rating":-0.1}"#.to_owned(), "min_rating"),
        (r#"{"min_rating":10.01}"#.to_owned(), "min_rating"),
        (r#"{"min_rating":1e309}"#.to_owned(), "min_rating"),
        (r#"{"min_rating":-1e309}"#.to_owned(), "min_rating"),
        (r#"{"preferred_genres":["a",null]}"#.to_owned(), "preferred_genres"),
        (r#"{"preferred_genres":["\u0000"]}"#.to_owned(), "preferred_genres"),
        (json!({ "preferred_genres": vec!["a"; 101] }).to_string(), "preferred_genres"),
        (json!({ "preferred_genres": ["é".repeat(101)] }).to_string(), "preferred_genres"),
        (json!({ "preferred_language": "e".repeat(11) }).to_string(), "preferred_language"),
        (r#"{"preferred_language":"\u0000"}"#.to_owned(), "preferred_language"),
    ] {
        let reply = app.post("/api/v1/users/1/preferences", body.clone()).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["field"]), (400, &json!(field)), "{body:.60}");
        assert!(reply.json()["error"].as_str().unwrap().starts_with(field));
    }
    assert_eq!(shown(&app, user).await["id"], 0);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_largest_values_are_stored_whole(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    let genres = vec!["🎬".repeat(100); 100];
    let sent = json!({ "preferred_genres": genres, "preferred_language": "é".repeat(10), "min_rating": 10 });
    assert_eq!(set(&app, user, sent).await.status, 200);
    let answer = shown(&app, user).await;
    assert_eq!(answer["preferred_genres"], json!(genres));
    assert_eq!(answer["preferred_language"], "é".repeat(10));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn preferences_of_a_user_who_does_not_exist_are_not_found(pool: PgPool) {
    let app = TestApp::new(pool).await;
    assert_eq!(set(&app, 99, json!({})).await.refusal(), (404, "user not found".to_owned()));
    assert_eq!(app.get("/api/v1/users/99/preferences").await.refusal(), (404, "user not found".to_owned()));
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM user_preferences").fetch_one(&app.pool).await.unwrap();
    assert_eq!(stored, 0);
}
