//! Creating, changing and deleting rules, and their history.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Catalogue, Peers, Profile, TestApp, TestResponse, settings};

const RULES: &str = "/api/v1/rules";

async fn app(pool: PgPool) -> TestApp {
    TestApp::start(pool, Peers::start(Catalogue::small()).await).await
}

async fn edit(app: &TestApp, method: Method, path: &str, body: Value) -> TestResponse {
    app.send_json(method, path, &body.to_string()).await
}

async fn create(app: &TestApp, body: Value) -> TestResponse {
    edit(app, Method::POST, RULES, body).await
}

/// The path of the seeded rule of a type.
async fn seeded(app: &TestApp, rule_type: &str) -> String {
    let json = app.get(RULES).await.json();
    let mut rules = json["rules"].as_array().unwrap().iter();
    let rule = rules.find(|rule| rule["rule_type"] == rule_type).expect("a seeded rule");
    format!("{RULES}/{}", rule["id"])
}

/// Status, code and blamed field of an error.
fn error(response: &TestResponse) -> (u16, String, Value) {
    let json = response.json();
    (response.status.as_u16(), json["code"].as_str().expect("a code").to_owned(), json["field"].clone())
}

async fn rules(app: &TestApp, query: &str) -> Vec<(String, bool)> {
    let json = app.get(&format!("{RULES}{query}")).await.json();
    let rules = json["rules"].as_array().unwrap_or_else(|| panic!("no list: {json}"));
    rules.iter().map(|rule| (rule["name"].as_str().unwrap().to_owned(), rule["is_active"] == true)).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_rule_is_created_shown_replaced_changed_and_deleted(pool: PgPool) {
    let app = app(pool).await;
    let created = create(&app, json!({"name": "Well Rated", "weight": 0.5, "rule_type": "rating"})).await;
    assert_eq!(created.status, StatusCode::CREATED, "{:?}", created.body);
    let rule = created.json();
    let path = format!("{RULES}/{}", rule["id"]);
    assert_eq!(created.headers["location"], path.as_str());
    assert_eq!((&rule["is_active"], &rule["variant"]), (&json!(true), &json!("")));
    assert_eq!(app.get(&path).await.json(), rule);

    let patched = edit(&app, Method::PATCH, &path, json!({"weight": 10, "name": null})).await.json();
    assert_eq!((&patched["weight"], &patched["name"]), (&json!(10.0), &rule["name"]));
    assert!(patched["updated_at"].as_str() > rule["updated_at"].as_str());
    let whole = json!({"name": "Rated", "weight": 0, "rule_type": "affinity", "is_active": false, "variant": "b-1"});
    let replaced = edit(&app, Method::PUT, &path, whole.clone()).await.json();
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(replaced[field].as_f64(), value.as_f64(), "{field}");
        assert!(value.is_number() || replaced[field] == *value, "{field}");
    }
    assert_eq!(replaced["created_at"], rule["created_at"]);

    let deleted = app.request(Method::DELETE, &path).await;
    assert_eq!((deleted.status, deleted.body.len()), (StatusCode::NO_CONTENT, 0));
    for response in [app.get(&path).await, app.request(Method::DELETE, &path).await] {
        assert_eq!(error(&response), (404, "rule_not_found".into(), Value::Null));
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn inactive_rules_and_other_variants_are_listed_when_asked_for(pool: PgPool) {
    let app = app(pool).await;
    create(&app, json!({"name": "Off", "weight": 1, "rule_type": "rating", "is_active": false})).await;
    create(&app, json!({"name": "Recency Bonus", "weight": 1, "rule_type": "recency", "variant": "b"})).await;
    let named =
        |names: &[(&str, bool)]| -> Vec<_> { names.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect() };
    let (genres, popular, recent) = (("Genre Match", true), ("Popularity Score", true), ("Recency Bonus", true));
    assert_eq!(rules(&app, "").await, named(&[genres, popular, recent]));
    assert_eq!(rules(&app, "?all=true").await, named(&[genres, popular, ("Off", false), recent, recent]));
    assert_eq!(rules(&app, "?all=1&variant=").await, named(&[genres, popular, ("Off", false), recent]));
    assert_eq!(rules(&app, "?variant=b").await, named(&[recent]));
    assert!(rules(&app, "?variant=none").await.is_empty());
    for query in ["?all=yes", "?all=", "?variant=A", "?all=1&all=1"] {
        assert_eq!(app.get(&format!("{RULES}{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    // As the original did.
    assert_eq!(app.get("/api/v1/rules?page=1").await.status, StatusCode::OK);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_field_that_cannot_be_accepted_is_400_and_named_and_nothing_is_changed(pool: PgPool) {
    let app = app(pool).await;
    let path = seeded(&app, "recency").await;
    let before = app.get(&path).await.json();
    let valid = json!({"name": "New", "weight": 1, "rule_type": "rating", "is_active": true, "variant": "b"});
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(101))),
        ("name", json!("a\0b")),
        ("weight", json!(-0.1)),
        ("weight", json!(10.001)),
        ("rule_type", json!("phase_of_the_moon")),
        ("rule_type", json!("Recency")),
        ("variant", json!("No")),
        ("variant", json!("x".repeat(51))),
    ] {
        let mut body = valid.clone();
        body[field] = value.clone();
        for (method, path) in [(Method::POST, RULES), (Method::PUT, &path), (Method::PATCH, &path)] {
            let response = edit(&app, method.clone(), path, body.clone()).await;
            assert_eq!(error(&response), (400, "invalid_field".into(), json!(field)), "{method} {value}");
        }
    }
    for missing in ["name", "weight", "rule_type"] {
        let mut body = valid.clone();
        body.as_object_mut().unwrap().remove(missing);
        assert_eq!(error(&create(&app, body).await), (400, "invalid_field".into(), json!(missing)));
    }
    for body in [r#"{"weight":1e999}"#, r#"{"weight":-1e999}"#] {
        let response = app.send_json(Method::PATCH, &path, body).await;
        assert_eq!(error(&response), (400, "invalid_field".into(), json!("weight")));
    }
    for body in ["", "[]", "{", r#"{"weight":"1"}"#, r#"{"weight":NaN}"#, r#"{"is_active":1}"#] {
        let response = app.send_json(Method::PATCH, &path, body).await;
        assert_eq!(
            (response.status, response.error()),
            (StatusCode::BAD_REQUEST, "invalid request body".into()),
            "{body}"
        );
    }
    assert_eq!(app.get(&path).await.json(), before);
    assert_eq!(rules(&app, "?all=true").await.len(), 3);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_id_that_is_no_number_is_400_and_one_that_no_rule_has_is_404(pool: PgPool) {
    let app = app(pool).await;
    for id in ["0", "-1", "x", "1.5", "%00"] {
        for path in [format!("{RULES}/{id}"), format!("{RULES}/{id}/history")] {
            assert_eq!(error(&app.get(&path).await), (400, "invalid_rule_id".into(), json!("id")), "{path}");
        }
        // The id comes before the body.
        let response = app.send_json(Method::PATCH, &format!("{RULES}/{id}"), "garbage").await;
        assert_eq!(error(&response).1, "invalid_rule_id", "{id}");
    }
    for id in ["999", "9223372036854775807", "99999999999999999999"] {
        let path = format!("{RULES}/{id}");
        let responses = [
            app.get(&path).await,
            app.get(&format!("{path}/history")).await,
            edit(&app, Method::PATCH, &path, json!({"weight": 1})).await,
            app.request(Method::DELETE, &path).await,
        ];
        for response in responses {
            assert_eq!(error(&response), (404, "rule_not_found".into(), Value::Null), "{id}");
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_variant_has_one_active_rule_a_type_and_each_name_once(pool: PgPool) {
    let app = app(pool).await;
    let recency = seeded(&app, "recency").await;
    let again = json!({"name": "Newer", "weight": 1, "rule_type": "recency"});
    let exists = (409, "rule_exists".to_owned(), json!("rule_type"));
    assert_eq!(error(&create(&app, again.clone()).await), exists);
    let name = json!({"name": "Recency Bonus", "weight": 1, "rule_type": "rating"});
    assert_eq!(error(&create(&app, name).await), (409, "rule_name_exists".into(), json!("name")));
    let changed = edit(&app, Method::PATCH, &seeded(&app, "popularity").await, json!({"rule_type": "recency"})).await;
    assert_eq!(error(&changed), exists);

    let mut inactive = again.clone();
    inactive["is_active"] = false.into();
    let inactive = create(&app, inactive).await;
    assert_eq!(inactive.status, StatusCode::CREATED);
    let path = format!("{RULES}/{}", inactive.json()["id"]);
    assert_eq!(error(&edit(&app, Method::PATCH, &path, json!({"is_active": true})).await), exists);
    let mut other = again;
    other["variant"] = "b".into();
    assert_eq!(create(&app, other).await.status, StatusCode::CREATED);
    assert_eq!(edit(&app, Method::PATCH, &recency, json!({"is_active": false})).await.status, StatusCode::OK);
    assert_eq!(edit(&app, Method::PATCH, &path, json!({"is_active": true})).await.status, StatusCode::OK);
}

#[sqlx::test(migrations = "./migrations")]
async fn of_rules_of_one_type_created_at_the_same_time_one_is_stored(pool: PgPool) {
    let app = app(pool).await;
    let body = |name: &str| json!({"name": name, "weight": 1, "rule_type": "affinity"});
    let (one, two, three) =
        tokio::join!(create(&app, body("one")), create(&app, body("two")), create(&app, body("three")));
    let mut statuses = [one.status.as_u16(), two.status.as_u16(), three.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
    assert_eq!(rules(&app, "?all=true").await.len(), 4);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_acknowledged_change_is_in_effect_on_every_replica_and_in_cached_lists(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut shared = settings(&pool, &peers).await;
    // Nothing is to be seen by chance.
    shared.insert("CATALOGUE_REFRESH_SECONDS".into(), "3600".into());
    let one = TestApp::with(pool.clone(), peers, shared.clone()).await;
    let mut other = shared;
    other.insert("MOVIE_SERVICE_URL".into(), one.peers.url());
    let two = TestApp::with(pool, Peers::start(Catalogue::small()).await, other).await;
    for app in [&one, &two] {
        app.peers.set_profile(1, Profile { genres: vec!["Drama"], ..Profile::default() });
        crate::support::eventually("the catalogue", async || app.app.catalogue.is_loaded()).await;
    }
    let path = seeded(&one, "popularity").await;
    for weight in [0.9, 0.1, 0.7, 0.2, 0.0] {
        assert_eq!(edit(&one, Method::PATCH, &path, json!({"weight": weight})).await.status, StatusCode::OK);
        for app in [&two, &one] {
            let list = app.get("/api/v1/users/1/recommendations?explain=true").await.json();
            let explanation = list["recommendations"][0]["explanation"].to_string();
            let expected = json!(weight).to_string();
            assert!(explanation.contains(&format!("\"weight\":{expected}")), "{expected}: {explanation}");
        }
    }
    assert_eq!(one.request(Method::DELETE, &path).await.status, StatusCode::NO_CONTENT);
    for app in [&two, &one] {
        let list = app.get("/api/v1/users/1/recommendations?explain=true").await;
        assert!(
            !list.json()["recommendations"][0]["explanation"].to_string().contains("popularity"),
            "{:?}",
            list.body
        );
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_history_has_each_change_also_by_sql_and_outlives_the_rule(pool: PgPool) {
    let app = app(pool).await;
    let path = seeded(&app, "recency").await;
    edit(&app, Method::PATCH, &path, json!({"weight": 0.8})).await;
    // Changes nothing, so it is no change.
    edit(&app, Method::PATCH, &path, json!({"weight": 0.8})).await;
    let statement = "UPDATE recommendation_rules SET is_active = false WHERE rule_type = 'recency'";
    sqlx::query(statement).execute(&app.pool).await.unwrap();
    app.request(Method::DELETE, &path).await;

    let history = app.get(&format!("{path}/history")).await.json();
    let changes = history["changes"].as_array().unwrap();
    let shown: Vec<_> =
        changes.iter().map(|change| json!([change["action"], change["weight"], change["is_active"]])).collect();
    let expected = [
        json!(["deleted", 0.8, false]),
        json!(["updated", 0.8, false]),
        json!(["updated", 0.8, true]),
        json!(["created", 0.3, true]),
    ];
    assert_eq!(shown, expected);
    assert!(changes.windows(2).all(|pair| pair[0]["revision"].as_i64() > pair[1]["revision"].as_i64()));
    assert!(changes.iter().all(|change| change["name"] == "Recency Bonus" && change["variant"] == ""));

    let page = app.get(&format!("{path}/history?limit=1&before={}", changes[1]["id"])).await.json();
    assert_eq!(page["changes"], json!([changes[2]]));
    for query in ["limit=0", "limit=101", "before=0", "befor=1"] {
        let response = app.get(&format!("{path}/history?{query}")).await;
        assert_eq!(response.status, StatusCode::BAD_REQUEST, "{query}");
    }
}
