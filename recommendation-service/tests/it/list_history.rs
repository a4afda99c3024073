//! Recorded lists: `GET /api/v1/users/{id}/recommendations/history` and its difference of two, and retention.

use axum::http::StatusCode;
use chrono::{DateTime, Days, Utc};
use recommendation_service::{
    models::recorded_list::{Arm, RecordedItem, RecordedList},
    repository::recorded_lists,
    service::list_retention::delete_old,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::support::{Catalogue, PeerBehaviour, Peers, Profile, TestApp, database, settings};

const HISTORY: &str = "/api/v1/users/1/recommendations/history";

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

async fn history(app: &TestApp, query: &str) -> Vec<Value> {
    let response = app.get(&format!("{HISTORY}{query}")).await;
    assert_eq!(response.status, StatusCode::OK, "{:?}", response.body);
    response.json()["lists"].as_array().unwrap().clone()
}

/// The id of a new list for user 1, who has seen these movies.
async fn list_without(app: &TestApp, seen: &[i32]) -> String {
    app.peers.set_profile(1, Profile { seen: seen.to_vec(), ..Profile::default() });
    app.recommend(1).await.json()["recommendation_id"].as_str().unwrap().to_owned()
}

/// A list as a test stores it; its id is the number in 32 digits.
pub fn recorded(number: i64, user: i64, generated_at: DateTime<Utc>) -> RecordedList {
    RecordedList {
        id: format!("{number:032x}"),
        user: user.try_into().ok(),
        generated_at,
        strategy: "personalised".into(),
        arm: Some(Arm { experiment: "x".into(), variant: "b".into() }),
        model_version: "m-1".into(),
        degraded: false,
        first_place: 11,
        rules: vec![("popularity".into(), 0.4), ("affinity".into(), 0.5)],
        items: vec![
            RecordedItem { movie_id: 7, score: 0.3, contributions: vec![0.5, -0.2] },
            RecordedItem { movie_id: 8, score: 0.1, contributions: vec![0.05, 0.05] },
        ],
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_list_is_in_the_history_at_once_with_its_rules_and_contributions(pool: PgPool) {
    let app = app(pool).await;
    app.peers.set_profile(1, Profile { genres: vec!["Drama"], ..Profile::default() });
    let shown = app.get("/api/v1/users/1/recommendations?limit=2&offset=1&weights=recency:0").await.json();
    let [list] = history(&app, "").await.try_into().expect("one list");
    for field in ["recommendation_id", "generated_at", "strategy"] {
        assert_eq!(list[field], shown[field], "{field}");
    }
    assert_eq!((&list["model_version"], &list["degraded"]), (&json!(""), &json!(false)));
    assert!(list.get("variant").is_none() && list.get("experiment").is_none());
    assert_eq!(
        list["rules"],
        json!([
            {"rule_type": "popularity", "weight": 0.4},
            {"rule_type": "recency", "weight": 0.0},
            {"rule_type": "genre_match", "weight": 0.3},
        ])
    );
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    for (item, movie) in items.iter().zip(shown["recommendations"].as_array().unwrap()) {
        assert_eq!((&item["movie_id"], &item["score"]), (&movie["id"], &movie["score"]));
        let parts: f64 = item["contributions"].as_object().unwrap().values().filter_map(Value::as_f64).sum();
        assert!((parts - item["score"].as_f64().unwrap()).abs() < 1e-9, "{item}");
    }
    assert_eq!((&items[0]["place"], &items[1]["place"]), (&json!(2), &json!(3)));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_cached_list_is_recorded_once_and_pages_have_no_gaps_or_repeats(pool: PgPool) {
    let app = app(pool).await;
    let mut ids = Vec::new();
    for seen in [&[][..], &[1], &[2], &[3], &[4]] {
        ids.push(list_without(&app, seen).await);
        app.recommend(1).await;
    }
    ids.reverse();
    let names = |lists: &[Value]| -> Vec<String> {
        lists.iter().map(|list| list["recommendation_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&history(&app, "").await), ids);
    let (mut paged, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = names(&history(&app, &query).await);
        let Some(last) = page.last() else { break };
        query = format!("?limit=2&before={last}");
        paged.extend(page);
    }
    assert_eq!(paged, ids);
}

#[sqlx::test(migrations = "./migrations")]
async fn the_difference_of_two_lists_names_what_entered_left_and_moved(pool: PgPool) {
    let app = app(pool).await;
    let from = list_without(&app, &[2]).await;
    let to = list_without(&app, &[4]).await;
    let diff = app.get(&format!("{HISTORY}/diff?from={from}&to={to}")).await.json();
    assert_eq!(diff["from"]["recommendation_id"], json!(from));
    assert_eq!(diff["to"]["items"].as_array().map(Vec::len), Some(3));
    // From 1, 3, 4 to 1, 2, 3.
    assert_eq!(diff["entered"], json!([{"movie_id": 2, "place": 2}]));
    assert_eq!(diff["left"], json!([{"movie_id": 4, "place": 3}]));
    assert_eq!(diff["moved"], json!([{"movie_id": 3, "from_place": 2, "to_place": 3}]));
    assert_eq!(diff["unchanged"], 1);
    let same = app.get(&format!("{HISTORY}/diff?from={to}&to={to}")).await.json();
    assert_eq!((&same["entered"], &same["moved"], &same["unchanged"]), (&json!([]), &json!([]), &json!(3)));
}

#[sqlx::test(migrations = "./migrations")]
async fn an_unknown_user_is_404_and_a_wrong_parameter_400_and_named(pool: PgPool) {
    let app = app(pool).await;
    let mine = list_without(&app, &[]).await;
    app.peers.set_profile(2, Profile::default());
    let others = app.recommend(2).await.json()["recommendation_id"].as_str().unwrap().to_owned();
    let unknown = "0".repeat(32);
    for (query, status, code, field) in [
        ("?limit=0".to_owned(), 400, "invalid_parameter", "limit"),
        ("?limit=101".to_owned(), 400, "invalid_parameter", "limit"),
        ("?before=x".to_owned(), 400, "invalid_parameter", "before"),
        ("?before=%00".to_owned(), 400, "invalid_parameter", "before"),
        ("?befor=x".to_owned(), 400, "unknown_parameter", "befor"),
        (format!("?before={unknown}"), 404, "recommendation_not_found", "before"),
        (format!("?before={others}"), 404, "recommendation_not_found", "before"),
        ("/diff".to_owned(), 400, "invalid_parameter", "from"),
        (format!("/diff?from={mine}"), 400, "invalid_parameter", "to"),
        (format!("/diff?from={unknown}&to={mine}"), 404, "recommendation_not_found", "from"),
        (format!("/diff?from={mine}&to={others}"), 404, "recommendation_not_found", "to"),
    ] {
        let response = app.get(&format!("{HISTORY}{query}")).await;
        let body = response.json();
        assert_eq!((response.status.as_u16(), &body["code"], &body["field"]), (status, &json!(code), &json!(field)));
    }
    for path in ["history".to_owned(), format!("history/diff?from={mine}&to={mine}")] {
        let response = app.get(&format!("/api/v1/users/99/recommendations/{path}")).await;
        assert_eq!((response.status, response.error()), (StatusCode::NOT_FOUND, "user not found".into()), "{path}");
        let response = app.get(&format!("/api/v1/users/x/recommendations/{path}")).await;
        assert_eq!((response.status, response.error()), (StatusCode::BAD_REQUEST, "invalid user ID".into()), "{path}");
    }
    // What is recorded can be read without user-preference-service.
    app.peers.user_service(PeerBehaviour::Status(500));
    assert_eq!(history(&app, "").await.len(), 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn lists_for_visitors_and_groups_and_general_ones_are_recorded_too(pool: PgPool) {
    let app = app(pool).await;
    app.peers.set_profile(2, Profile::default());
    app.post("/api/v1/recommendations", &json!({"liked": [3]})).await;
    app.get("/api/v1/recommendations/group?users=1,2&strategy=least_misery").await;
    app.peers.user_service(PeerBehaviour::Status(500));
    app.recommend(1).await;
    assert!(app.app.lists.flushed().await);
    let rows: Vec<(Option<i64>, String, bool, i32)> = sqlx::query_as(
        "SELECT user_id, strategy, degraded, jsonb_array_length(items) FROM recommendation_lists ORDER BY generated_at",
    )
    .fetch_all(&app.pool)
    .await
    .unwrap();
    assert_eq!(
        rows,
        [
            (None, "personalised".to_owned(), false, 3),
            (None, "group_least_misery".to_owned(), false, 4),
            (Some(1), "popular".to_owned(), true, 4),
        ]
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_stored_is_read_back_and_stored_once(pool: PgPool) {
    let database = database(&pool, std::time::Duration::from_secs(20));
    let time = DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
    let visitor = RecordedList { user: None, arm: None, rules: Vec::new(), items: Vec::new(), ..recorded(2, 1, time) };
    for _ in 0..2 {
        recorded_lists::store(&database, &[recorded(1, 1, time), visitor.clone()], &[]).await.unwrap();
    }
    for list in [recorded(1, 1, time), visitor] {
        assert_eq!(recorded_lists::find(&database, &list.id).await.unwrap(), Some(list));
    }
    assert_eq!(recorded_lists::find(&database, &"f".repeat(32)).await.unwrap(), None);
    database.close(tokio::time::Instant::now()).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn old_lists_are_deleted_in_batches_and_newer_ones_stay(pool: PgPool) {
    let database = database(&pool, std::time::Duration::from_secs(20));
    let days_ago = |days| Utc::now() - Days::new(days);
    let old: Vec<RecordedList> = (0..1200).map(|number| recorded(number, 1, days_ago(8))).collect();
    recorded_lists::store(&database, &old, &[]).await.unwrap();
    recorded_lists::store(&database, &[recorded(5000, 1, days_ago(6))], &[]).await.unwrap();
    let stop = CancellationToken::new();
    assert_eq!(delete_old(&database, 7, &stop).await.unwrap(), 1200);
    assert_eq!(delete_old(&database, 7, &stop).await.unwrap(), 0);
    assert!(recorded_lists::find(&database, &format!("{:032x}", 5000)).await.unwrap().is_some());
    stop.cancel();
    assert_eq!(delete_old(&database, 1, &stop).await.unwrap(), 0);
    database.close(tokio::time::Instant::now()).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_service_that_starts_deletes_what_is_older_than_its_setting(pool: PgPool) {
    let database = database(&pool, std::time::Duration::from_secs(20));
    let days_ago = |days| Utc::now() - Days::new(days);
    let lists = [recorded(1, 1, days_ago(4)), recorded(2, 1, days_ago(2))];
    recorded_lists::store(&database, &lists, &[]).await.unwrap();
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    settings.insert("RECOMMENDATION_HISTORY_DAYS".into(), "3".into());
    let app = TestApp::with(pool, peers, settings).await;
    crate::support::eventually("only the newer list", async || history(&app, "").await.len() == 1).await;
    database.close(tokio::time::Instant::now()).await;
}
