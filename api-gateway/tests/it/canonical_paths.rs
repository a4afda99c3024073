//! No spelling of a path gets past authentication.

use crate::support::{Client, EchoService, GatewayBuilder};

/// Ways to write a path that some server somewhere took for another one.
const NON_CANONICAL_PATHS: [&str; 66] = [
    "/%2e%2e/api/v1/movies",
    "/%2e/api/v1/movies",
    "/../api/v1/movies",
    "/./api/v1/movies",
    "/api/v1/./movies",
    "/api/v1/movies/.",
    "/api/v1/movies/..",
    "/api/v1/../v1/movies",
    "/health/../api/v1/movies",
    "/health/%2e%2e/api/v1/movies",
    "/health/..%2fapi/v1/movies",
    "/health%2f..%2fapi/v1/movies",
    "/health//api/v1/movies",
    "/health/api/v1/movies",
    "/health;/api/v1/movies",
    "/health;x=/../api/v1/movies",
    "/health%3b/api/v1/movies",
    "/healthz",
    "/health%20",
    "/health%00",
    "/health%00/api/v1/movies",
    "/health.",
    "/health%2e",
    "/HEALTH",
    "/Health",
    "/healt%68/x",
    "/health\\..\\api\\v1\\movies",
    "/health%5c..%5capi/v1/movies",
    "/ready/../api/v1/movies",
    "/api/v1/health/../movies",
    "/api/v1/health/%2e%2e/movies",
    "/api/v1/health/movies",
    "/api/v1/ready/..;/movies",
    "/swagger/../api/v1/movies",
    "/swagger/..%2fapi/v1/movies",
    "/swagger/%2e%2e/api/v1/movies",
    "/swagger/%2e%2e%2fapi/v1/movies",
    "/swagger/..;/api/v1/movies",
    "/swagger/..\\api/v1/movies",
    "/swagger/..%5capi/v1/movies",
    "/swagger%2f..%2fapi/v1/movies",
    "/swagger//api/v1/movies",
    "/swaggerx/api/v1/movies",
    "/SWAGGER/../api/v1/movies",
    "/swagger/%252e%252e/api/v1/movies",
    "/swagger/%25%32%65/api/v1/movies",
    "/swagger/%c0%ae%c0%ae/api/v1/movies",
    "/swagger/%uff0e%uff0e/api/v1/movies",
    "//api/v1/movies",
    "///api/v1/movies",
    "//health/api/v1/movies",
    "/api//v1/movies",
    "/api/v1//movies",
    "/api/v1/movies//",
    "/api%2fv1%2fmovies",
    "/api/v1%2fmovies",
    "/api/v1/%6dovies",
    "/api/v1/movies;x",
    "/api/v1/movies%3bx",
    "/api/v1/movies.",
    "/api/v1/movies%20",
    "/api/v1/movies%00",
    "/API/v1/movies",
    "http://gateway/api/v1/movies",
    "http://gateway/health/../api/v1/movies",
    "/api/v1/movies?/health",
];

/// Ways to be without a token.
const WITHOUT_A_TOKEN: [&str; 6] = [
    "",
    "Authorization: bearer x\r\n",
    "Authorization: Bearer\r\n",
    "Authorization: Bearer  \t \r\n",
    "Authorization: Bearer\tx\r\n",
    "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n",
];

#[tokio::test]
async fn no_non_canonical_path_reaches_a_service_without_a_token() {
    let service = EchoService::start("any-service").await;
    let url = format!("http://{}", service.address);
    let builder = GatewayBuilder::new().await.movies(service.address).set("USER_PREFERENCE_SERVICE_URL", &url);
    let gateway = builder.set("RECOMMENDATION_SERVICE_URL", &url).start().await;
    for path in NON_CANONICAL_PATHS {
        for header in WITHOUT_A_TOKEN {
            for method in ["GET", "POST"] {
                let mut client = Client::connect(gateway.address).await;
                client.write(format!("{method} {path} HTTP/1.1\r\nHost: gateway\r\n{header}\r\n")).await;
                let response = client.response().await;
                // Only among the pages of the documentation does a stranger learn what is missing.
                let fits = matches!(response.status, 400 | 401) || path.starts_with("/swagger/");
                assert!(fits && response.status >= 400, "{method} {path} {header:?}: {}", response.status);
            }
        }
    }
    assert!(service.seen().is_empty(), "{:?}", service.seen());
}

#[tokio::test]
async fn a_non_canonical_path_with_a_token_is_400_or_404_or_the_canonical_one() {
    let service = EchoService::start("any-service").await;
    let gateway = GatewayBuilder::new().await.movies(service.address).start().await;
    for path in NON_CANONICAL_PATHS {
        let mut client = Client::connect(gateway.address).await;
        let response = client.send(format!("GET {path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer x\r\n\r\n")).await;
        assert!(matches!(response.status, 200 | 400 | 404), "{path}: {}", response.status);
        if response.status == 400 && !path.starts_with("/swagger/") && !response.body.is_empty() {
            assert_eq!(response.text(), r#"{"error":"invalid request path","code":"invalid_path"}"#);
        }
    }
    for seen in service.seen() {
        assert!(seen.target.starts_with("/api/v1/movies"), "{}", seen.target);
        let path = seen.target.split('?').next().unwrap();
        assert!(!path.contains("..") && !path.contains("//") && !path.contains(';'), "{}", seen.target);
    }
}

#[tokio::test]
async fn a_very_long_token_is_forwarded_or_refused_but_never_an_error_of_the_gateway() {
    let service = EchoService::start("any-service").await;
    let gateway = GatewayBuilder::new().await.movies(service.address).start().await;
    for (length, expected) in [(1 << 10, 200), (32 << 10, 200), (64 << 10, 431)] {
        let token = "x".repeat(length);
        let mut client = Client::connect(gateway.address).await;
        client.write(format!("GET /api/v1/movies HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {token}\r\n\r\n")).await;
        assert_eq!(client.response().await.status, expected, "{length}");
    }
}
