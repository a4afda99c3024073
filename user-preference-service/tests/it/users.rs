//! `/api/v1/users`

use serde_json::json;
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::support::{TestApp, without_times};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_user_is_created_and_shown(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let created = app.post("/api/v1/users", r#"{"username":"ada","email":"ada@example.com"}"#).await;
    assert_eq!(created.status, 201);
    insta::assert_snapshot!(without_times(&created.text()), @r#"{"id":1,"username":"ada","email":"ada@example.com","created_at":"[time]"}"#);
    let shown = app.get("/api/v1/users/1").await;
    assert_eq!((shown.status.as_u16(), shown.text()), (200, created.text()));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn texts_are_stored_as_they_were_sent(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let texts =
        [(" Ada  Lovelace ", "A@b"), ("אבג", "שלום@דוגמה"), ("🎬\u{301}\u{ffff}", "@"), ("a\u{1}\t\n", "x@\u{7f}")];
    for (username, email) in texts {
        let created =
            app.post("/api/v1/users", json!({ "username": username, "email": email }).to_string()).await.json();
        let shown = app.get(&format!("/api/v1/users/{}", created["id"])).await.json();
        assert_eq!((shown["username"].as_str(), shown["email"].as_str()), (Some(username), Some(email)));
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn both_texts_are_required(pool: PgPool) {
    let app = TestApp::new(pool).await;
    for body in [
        "{}",
        r#"{"username":"ada"}"#,
        r#"{"email":"a@b"}"#,
        r#"{"username":"","email":"a@b"}"#,
        r#"{"username":"ada","email":""}"#,
        r#"{"username":null,"email":"a@b"}"#,
        r#"{"username":" ","email":null}"#,
    ] {
        let reply = app.post("/api/v1/users", body).await;
        assert_eq!(reply.refusal(), (400, "username and email are required".to_owned()), "{body}");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_refused_text_is_named(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let cases = [
        (json!({ "username": "   ", "email": "a@b" }), "username", "username must not be blank"),
        (json!({ "username": "a".repeat(101), "email": "a@b" }), "username", "username must be at most 100 characters"),
        (json!({ "username": "a\0b", "email": "a@b" }), "username", "username must not contain a NUL character"),
        (json!({ "username": "ada", "email": "ada" }), "email", "email must contain an @"),
        (
            json!({ "username": "ada", "email": format!("{}@b", "é".repeat(254)) }),
            "email",
            "email must be at most 255 characters",
        ),
        (json!({ "username": "ada", "email": "a\0@b" }), "email", "email must not contain a NUL character"),
    ];
    for (body, field, text) in cases {
        let reply = app.post("/api/v1/users", body.to_string()).await;
        assert_eq!(reply.refusal(), (400, text.to_owned()));
        assert_eq!(reply.json()["field"], field);
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_longest_texts_are_stored_whole(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let (username, email) = ("é".repeat(100), format!("{}@", "🎬".repeat(254)));
    let created = app.post("/api/v1/users", json!({ "username": username, "email": email }).to_string()).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!((&created.json()["username"], &created.json()["email"]), (&json!(username), &json!(email)));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_name_or_address_that_is_taken_is_a_conflict(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    for (username, email, text, field) in [
        ("ada", "new@example.com", "username already exists", "username"),
        ("new", "ada@example.com", "email already exists", "email"),
        ("ada", "ada@example.com", "username already exists", "username"),
    ] {
        let reply = app.post("/api/v1/users", json!({ "username": username, "email": email }).to_string()).await;
        assert_eq!(reply.refusal(), (409, text.to_owned()));
        assert_eq!(reply.json()["field"], field);
        assert!(!reply.text().contains("_key"), "the constraint is nobody's business");
    }
    assert_eq!(app.user("Ada").await, 5, "case makes another name");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn of_many_who_want_the_same_name_exactly_one_gets_it(pool: PgPool) {
    let app = std::sync::Arc::new(TestApp::new(pool).await);
    let mut attempts = JoinSet::new();
    for number in 0..64 {
        let app = app.clone();
        attempts.spawn(async move {
            let body = json!({ "username": "ada", "email": format!("{number}@example.com") });
            app.post("/api/v1/users", body.to_string()).await.refusal()
        });
    }
    let mut outcomes = attempts.join_all().await;
    outcomes.sort();
    assert_eq!(outcomes[0], (201, String::new()));
    assert!(
        outcomes[1..].iter().all(|outcome| *outcome == (409, "username already exists".to_owned())),
        "{outcomes:?}"
    );
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(&app.pool).await.unwrap();
    assert_eq!(stored, 1);
}

/// Each id of the path, and the status that every route gives for it.
fn ids() -> Vec<(String, u16)> {
    let not_found = [
        "0",
        "-1",
        "-0",
        "+0",
        "2147483647",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "%2B99",
        "0099",
        "%30",
    ];
    let invalid = [
        "1e3",
        "1.0",
        "0x1",
        "%D9%A1",
        "%EF%BC%91",
        "abc",
        "+",
        "-",
        "1%00",
        "%00",
        "%20",
        "1%20",
        "%ff",
        "1;x",
        "--1",
        "1,0",
        "true",
        "null",
        "%2531",
    ];
    let nines = "9".repeat(10_000);
    let not_found = not_found.into_iter().chain([nines.as_str()]).map(|id| (id.to_owned(), 404));
    not_found.chain(invalid.into_iter().map(|id| (id.to_owned(), 400))).collect()
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn an_id_is_a_decimal_number_on_every_route(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let routes = [
        ("GET", "/api/v1/users/{id}", ""),
        ("GET", "/api/v1/users/{id}/preferences", ""),
        ("POST", "/api/v1/users/{id}/preferences", "{}"),
        ("GET", "/api/v1/users/{id}/interactions", ""),
        ("POST", "/api/v1/users/{id}/interactions", r#"{"movie_id":1,"interaction_type":"like"}"#),
        ("GET", "/internal/v1/users/{id}/profile", ""),
    ];
    for path in ["/api/v1/users//preferences", "/api/v1/users//interactions", "/internal/v1/users//profile"] {
        assert_eq!(app.get(path).await.refusal(), (400, "invalid user ID".to_owned()), "{path}");
    }
    for (id, status) in ids() {
        let text = if status == 404 { "user not found" } else { "invalid user ID" };
        for (method, path, body) in routes {
            let reply = app.call(method.parse().unwrap(), &path.replace("{id}", &id), body).await;
            assert_eq!(reply.refusal(), (status, text.to_owned()), "{method} {path} {:.40}", id);
        }
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_sign_or_leading_zeros_may_stand_before_an_id(pool: PgPool) {
    let app = TestApp::new(pool).await;
    let user = app.user("ada").await;
    for id in [format!("{user}"), format!("+{user}"), format!("00{user}"), format!("%2B0{user}"), format!("%3{user}")] {
        let reply = app.get(&format!("/api/v1/users/{id}")).await;
        assert_eq!((reply.status.as_u16(), reply.json()["id"].as_i64()), (200, Some(user)), "{id}");
        assert_eq!(app.get(&format!("/api/v1/users/{id}/preferences")).await.json()["user_id"], user);
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_id_is_checked_first_then_the_body_then_its_values_then_the_user(pool: PgPool) {
    let app = TestApp::new(pool).await;
    for (path, wrong_value, right) in [
        ("preferences", r#"{"min_rating":11}"#, "{}"),
        ("interactions", r#"{"movie_id":0,"interaction_type":"like"}"#, r#"{"movie_id":1,"interaction_type":"like"}"#),
    ] {
        let refusal =
            async |id: &str, body: &'static str| app.post(&format!("/api/v1/users/{id}/{path}"), body).await.refusal();
        for id in ["99", "99999999999999999999", "-1"] {
            assert_eq!(refusal("x", "[").await, (400, "invalid user ID".to_owned()));
            assert_eq!(refusal(id, "[").await, (400, "invalid request body".to_owned()));
            let (status, text) = refusal(id, wrong_value).await;
            assert_eq!(status, 400);
            assert!(text.starts_with("min_rating") || text == "invalid movie ID", "{text}");
            assert_eq!(refusal(id, right).await, (404, "user not found".to_owned()));
        }
    }
}
