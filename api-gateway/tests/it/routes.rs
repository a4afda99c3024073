//! Where requests go, and what the gateway answers itself.

use crate::support::{EchoService, GatewayBuilder, TestGateway, TestResponse, get, request, send};

struct Platform {
    gateway: TestGateway,
    movies: EchoService,
    users: EchoService,
    recommendations: EchoService,
}

async fn platform() -> Platform {
    let movies = EchoService::start("movie-service").await;
    let users = EchoService::start("user-preference-service").await;
    let recommendations = EchoService::start("recommendation-service").await;
    let builder = GatewayBuilder::new().await.movies(movies.address);
    let builder = builder.set("USER_PREFERENCE_SERVICE_URL", format!("http://{}", users.address));
    let builder = builder.set("RECOMMENDATION_SERVICE_URL", format!("http://{}", recommendations.address));
    Platform { gateway: builder.start().await, movies, users, recommendations }
}

#[tokio::test]
async fn every_route_of_the_contract_goes_to_its_service_with_path_and_query_unchanged() {
    let platform = platform().await;
    let routes = [
        (&platform.movies, "movie-service", "/api/v1/movies"),
        (&platform.movies, "movie-service", "/api/v1/movies/"),
        (&platform.movies, "movie-service", "/api/v1/movies?page=2&sort_by=title&x=a%2Fb%20c+d&&=;"),
        (&platform.movies, "movie-service", "/api/v1/movies/1"),
        (&platform.movies, "movie-service", "/api/v1/movies/1/"),
        (&platform.movies, "movie-service", "/api/v1/movies/any/depth/below?"),
        (&platform.movies, "movie-service", "/api/v1/movies/a%20b"),
        (&platform.movies, "movie-service", "/api/v1/movies/random?with_genres=Drama|War"),
        (&platform.movies, "movie-service", "/api/v1/movies/tmdb/603"),
        (&platform.movies, "movie-service", "/api/v1/movies/1/similar?limit=5"),
        (&platform.movies, "movie-service", "/api/v1/genres"),
        (&platform.movies, "movie-service", "/api/v1/admin/sync?pages=5"),
        (&platform.movies, "movie-service", "/api/v1/admin/sync?mode=async&pages=500&years=1990..2025"),
        (&platform.movies, "movie-service", "/api/v1/admin/sync/jobs/7/events"),
        (&platform.movies, "movie-service", "/api/v1/admin/anything/else"),
        (&platform.recommendations, "recommendation-service", "/api/v1/users/1/recommendations?limit=10"),
        (&platform.recommendations, "recommendation-service", "/api/v1/users/x/recommendations/"),
        (&platform.recommendations, "recommendation-service", "/api/v1/rules"),
        (&platform.recommendations, "recommendation-service", "/api/v1/rules/"),
        (&platform.recommendations, "recommendation-service", "/api/v1/rules/1"),
        (&platform.recommendations, "recommendation-service", "/api/v1/rules/1/history?limit=5"),
        (&platform.recommendations, "recommendation-service", "/api/v1/users/1/recommendations/history?limit=5"),
        (
            &platform.recommendations,
            "recommendation-service",
            "/api/v1/users/1/recommendations/history/diff?from=a&to=b",
        ),
        (&platform.recommendations, "recommendation-service", "/api/v1/recommendations/5f2c/events"),
        (&platform.recommendations, "recommendation-service", "/api/v1/recommendations/report?days=7"),
        (&platform.recommendations, "recommendation-service", "/api/v1/experiments"),
        (&platform.recommendations, "recommendation-service", "/api/v1/models"),
        (&platform.recommendations, "recommendation-service", "/api/v1/models/train"),
        (&platform.recommendations, "recommendation-service", "/api/v1/models/train/1"),
        (&platform.users, "user-preference-service", "/api/v1/users"),
        (&platform.users, "user-preference-service", "/api/v1/users/"),
        (&platform.users, "user-preference-service", "/api/v1/users/1"),
        (&platform.users, "user-preference-service", "/api/v1/users/1/preferences"),
        (&platform.users, "user-preference-service", "/api/v1/users/1/interactions?limit=3"),
        (&platform.users, "user-preference-service", "/api/v1/users/1/recommendations/2"),
    ];
    for (service, name, target) in routes {
        let response = get(platform.gateway.address, target).await;
        assert_eq!((response.status, response.header("x-upstream")), (200, Some(name)), "{target}");
        assert_eq!(service.seen().last().unwrap().target, target);
    }
}

#[tokio::test]
async fn any_method_is_forwarded_with_its_body_and_headers_unchanged() {
    let platform = platform().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "PURGE", "PROPFIND"] {
        let more = "X-Odd:  a,b ; \"c\" \r\nX-Odd: second\r\nContent-Type: application/x-www-form-urlencoded\r\n";
        let response =
            send(platform.gateway.address, request(method, "/api/v1/movies/1", more, "{\"a\":\u{0}\"\u{e9}\"}")).await;
        assert_eq!((response.status, response.text().as_str()), (200, "movie-service"), "{method}");
        let seen = platform.movies.seen().pop().unwrap();
        assert_eq!(seen.method, method);
        assert_eq!(seen.body.as_deref(), Some("{\"a\":\u{0}\"\u{e9}\"}".as_bytes()), "{method}");
        assert_eq!(seen.all("x-odd"), ["a,b ; \"c\"", "second"]);
        assert_eq!(seen.all("content-type"), ["application/x-www-form-urlencoded"]);
        assert_eq!(seen.all("content-length"), ["11"]);
        assert_eq!(seen.all("authorization"), ["Bearer x"]);
        assert_eq!(seen.all("transfer-encoding"), [] as [&str; 0]);
    }
}

#[tokio::test]
async fn head_is_forwarded_as_head_and_answered_without_a_body() {
    let platform = platform().await;
    let mut client = platform.gateway.client().await;
    let head = client.send(request("HEAD", "/api/v1/movies", "", "")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("13"));
    assert_eq!(platform.movies.seen().pop().unwrap().method, "HEAD");
    // The connection is still in step.
    assert_eq!(client.send(request("GET", "/api/v1/movies", "", "")).await.text(), "movie-service");
    assert_eq!(client.send(request("HEAD", "/health", "", "")).await.status, 200);
    assert_eq!(client.send(request("HEAD", "/nowhere", "", "")).await.status, 404);
    assert_eq!(client.send(request("GET", "/health", "", "")).await.status, 200);
}

#[tokio::test]
async fn unknown_paths_are_404_with_a_json_body_and_reach_no_service() {
    let platform = platform().await;
    let paths = [
        "/nowhere",
        "/healthz",
        "/HEALTH",
        "/api",
        "/api/v1",
        "/api/v1/admin",
        "/api/v1/moviesx",
        "/API/V1/Movies",
        "/api/v1/rulesx",
        "/api/v2/movies",
        "/internal/v1/catalogue",
        "/api/v1/internal/v1/catalogue",
    ];
    for path in paths {
        let response = get(platform.gateway.address, path).await;
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.text(), r#"{"error":"Not Found","code":"not_found"}"#, "{path}");
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    for service in [platform.movies, platform.users, platform.recommendations] {
        assert!(service.seen().is_empty());
    }
}

#[tokio::test]
async fn one_spelling_of_a_path_reaches_the_services() {
    let platform = platform().await;
    for (sent, arrives) in [
        ("/api/v1/%6dovies/%31?q=%6d", "/api/v1/movies/1?q=%6d"),
        ("/%61pi/v1/movies/caf%c3%a9", "/api/v1/movies/caf%C3%A9"),
        ("/api/v1/movies/a~b_c-d.e", "/api/v1/movies/a~b_c-d.e"),
    ] {
        assert_eq!(get(platform.gateway.address, sent).await.status, 200, "{sent}");
        assert_eq!(platform.movies.seen().pop().unwrap().target, arrives);
    }
}

async fn without_token(gateway: &TestGateway, method: &str, path: &str) -> TestResponse {
    send(gateway.address, format!("{method} {path} HTTP/1.1\r\nHost: gateway\r\n\r\n")).await
}

#[tokio::test]
async fn health_and_readiness_are_those_of_the_gateway_and_need_no_token() {
    let platform = platform().await;
    for path in ["/health", "/health/", "/api/v1/health", "/api/v1/health/", "/api/v1/health?x=1"] {
        let response = without_token(&platform.gateway, "GET", path).await;
        assert_eq!((response.status, response.text().as_str()), (200, r#"{"status":"ok","service":"api-gateway"}"#));
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    for path in ["/ready", "/ready/", "/api/v1/ready"] {
        let response = without_token(&platform.gateway, "GET", path).await;
        let expected = r#"{"status":"ready","service":"api-gateway","checks":{"redis":"ok"}}"#;
        assert_eq!((response.status, response.text().as_str()), (200, expected));
    }
}

#[tokio::test]
async fn the_readiness_report_has_each_dependency_with_its_latency() {
    let platform = platform().await;
    let live = without_token(&platform.gateway, "GET", "/health/live").await;
    assert_eq!((live.status, live.text().as_str()), (200, r#"{"status":"ok","service":"api-gateway"}"#));
    let report = without_token(&platform.gateway, "GET", "/health/ready").await;
    assert_eq!((report.status, &report.json()["status"]), (200, &"ready".into()));
    for name in ["redis", "movie-service", "user-preference-service", "recommendation-service"] {
        let check = &report.json()["checks"][name];
        assert_eq!(check["status"], "ok", "{name}");
        assert!(check["latency_ms"].as_f64().is_some_and(|millis| millis > 0.0), "{name}: {check}");
    }
}

#[tokio::test]
async fn the_gateway_is_ready_without_redis_and_services_and_says_which_are_missing() {
    let gateway = GatewayBuilder::new().await.set("REDIS_ADDR", "127.0.0.1:1").start().await;
    let report = without_token(&gateway, "GET", "/health/ready").await;
    assert_eq!((report.status, &report.json()["status"]), (200, &"ready".into()));
    for name in ["redis", "movie-service", "user-preference-service", "recommendation-service"] {
        assert_eq!(report.json()["checks"][name]["status"], "unavailable", "{name}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_with_allow() {
    let platform = platform().await;
    for (method, path) in
        [("POST", "/health"), ("DELETE", "/api/v1/ready"), ("PUT", "/swagger/doc.yaml"), ("POST", "/")]
    {
        let response = without_token(&platform.gateway, method, path).await;
        assert_eq!(response.status, 405, "{method} {path}");
        assert_eq!(response.error(), "Method Not Allowed");
        assert_eq!(response.header("allow"), Some("GET,HEAD"));
    }
}

#[tokio::test]
async fn swagger_needs_no_token_and_shows_the_platform() {
    let platform = platform().await;
    let page = without_token(&platform.gateway, "GET", "/swagger/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("swagger-ui"), "{}", page.text());
    assert!(page.text().contains("<title>Movie Discovery Platform</title>"), "{}", page.text());
    assert!(page.text().contains("name=\"viewport\""), "{}", page.text());
    let short = without_token(&platform.gateway, "GET", "/swagger").await;
    assert_eq!((short.status, short.header("location")), (303, Some("/swagger/")));
    let yaml = without_token(&platform.gateway, "GET", "/swagger/doc.yaml").await;
    assert_eq!(yaml.header("content-type"), Some("application/yaml; charset=utf-8"));
    assert_eq!(yaml.text(), api_gateway::handler::openapi_yaml());
    assert_eq!(without_token(&platform.gateway, "GET", "/swagger/nothing.js").await.status, 404);
    for script in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        let response = without_token(&platform.gateway, "GET", &format!("/swagger/{script}")).await;
        assert_eq!(response.status, 200, "{script}");
        assert!(!response.text().contains("https://petstore"), "{script} fetches from elsewhere");
    }
}

/// GET with header lines and without a token.
async fn get_with(gateway: &TestGateway, path: &str, more: &str) -> TestResponse {
    send(gateway.address, format!("GET {path} HTTP/1.1\r\nHost: gateway\r\n{more}\r\n")).await
}

#[tokio::test]
async fn swagger_is_compressed_and_cached() {
    let platform = platform().await;
    for path in ["/swagger/", "/swagger/doc.yaml", "/swagger/swagger-ui.css", "/swagger/swagger-initializer.js"] {
        let plain = get_with(&platform.gateway, path, "").await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{path}");
        let mut etags = vec![plain.header("etag").unwrap().to_owned()];
        for coding in ["gzip", "br"] {
            let more = format!("Accept-Encoding: {coding}\r\n");
            let first = get_with(&platform.gateway, path, &more).await;
            let again = get_with(&platform.gateway, path, &more).await;
            assert_eq!((first.status, first.header("content-encoding")), (200, Some(coding)), "{path}");
            assert_eq!(first.header("vary"), Some("accept-encoding"));
            assert!(first.body.len() < plain.body.len() && first.body == again.body, "{path}");
            etags.push(first.header("etag").unwrap().to_owned());
            let tag = format!("{more}If-None-Match: \"other\", W/{}\r\n", etags.last().unwrap());
            let unchanged = get_with(&platform.gateway, path, &tag).await;
            assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{path}");
            assert_eq!(unchanged.header("etag"), etags.last().map(String::as_str));
        }
        etags.dedup();
        assert_eq!(etags.len(), 3, "{path}: each coding has an ETag of its own");
        let asset = path.ends_with(".css");
        let expected = if asset { "public, max-age=86400" } else { "no-cache" };
        assert_eq!(plain.header("cache-control"), Some(expected), "{path}");
        let mut client = platform.gateway.client().await;
        let head = client.send(format!("HEAD {path} HTTP/1.1\r\nHost: gateway\r\n\r\n")).await;
        let length = plain.body.len().to_string();
        assert_eq!((head.status, head.header("content-length")), (200, Some(&*length)), "{path}");
    }
}
