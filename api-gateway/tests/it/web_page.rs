//! The web page and its files.

use crate::support::{GatewayBuilder, TestGateway, TestResponse, send};

/// GET with header lines and without a token.
async fn get(gateway: &TestGateway, path: &str, more: &str) -> TestResponse {
    send(gateway.address, format!("GET {path} HTTP/1.1\r\nHost: gateway\r\n{more}\r\n")).await
}

async fn gateway() -> TestGateway {
    GatewayBuilder::new().await.set("RATE_LIMIT_MAX", "1").start().await
}

/// The addresses of the page's own files, in its order.
fn assets(page: &str) -> Vec<&str> {
    page.split('"').filter(|text| text.starts_with("/app/")).collect()
}

#[tokio::test]
async fn the_page_and_all_its_files_need_no_token_and_are_not_counted() {
    let gateway = gateway().await;
    let page = get(&gateway, "/", "").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(page.header("x-ratelimit-limit"), None);
    let text = page.text();
    let assets = assets(&text);
    assert!(assets.len() > 10 && assets.iter().any(|asset| asset.ends_with("/main.js")), "{assets:?}");
    for asset in assets {
        let file = get(&gateway, asset, "").await;
        assert_eq!((file.status, file.header("x-ratelimit-limit")), (200, None), "{asset}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{asset}");
        let expected = match asset.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(file.header("content-type"), Some(expected), "{asset}");
    }
}

#[tokio::test]
async fn files_are_kept_for_ever_and_the_page_is_asked_for_again() {
    let gateway = gateway().await;
    let text = get(&gateway, "/", "").await.text();
    let script = assets(&text).into_iter().find(|asset| asset.ends_with("/main.js")).unwrap().to_owned();
    for (path, cache_control) in [("/", "no-cache"), (&script, "public, max-age=31536000, immutable")] {
        let plain = get(&gateway, path, "").await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{path}");
        let mut etags = vec![plain.header("etag").unwrap().to_owned()];
        for coding in ["gzip", "br"] {
            let accept = format!("Accept-Encoding: {coding}\r\n");
            let coded = get(&gateway, path, &accept).await;
            assert_eq!((coded.status, coded.header("content-encoding")), (200, Some(coding)), "{path}");
            assert!(coded.body.len() < plain.body.len(), "{path}");
            assert!(coded.header("vary").unwrap().contains("accept-encoding"), "{path}");
            assert_eq!(coded.header("cache-control"), Some(cache_control), "{path}");
            let etag = coded.header("etag").unwrap().to_owned();
            let unchanged = get(&gateway, path, &format!("{accept}If-None-Match: \"x\", {etag}\r\n")).await;
            assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{path}");
            assert_eq!(unchanged.header("cache-control"), Some(cache_control), "{path}");
            etags.push(etag);
        }
        etags.dedup();
        assert_eq!(etags.len(), 3, "{path}: each coding has an ETag of its own");
        let mut client = gateway.client().await;
        let head = client.send(format!("HEAD {path} HTTP/1.1\r\nHost: gateway\r\n\r\n")).await;
        let length = plain.body.len().to_string();
        assert_eq!((head.status, head.header("content-length")), (200, Some(&*length)), "{path}");
    }
}

#[tokio::test]
async fn the_first_view_is_smaller_than_100_kilobytes() {
    let gateway = gateway().await;
    let accept = "Accept-Encoding: br\r\n";
    let mut size = get(&gateway, "/", accept).await.body.len();
    let text = get(&gateway, "/", "").await.text();
    let mut assets = assets(&text);
    assets.sort_unstable();
    assets.dedup();
    for asset in assets {
        size += get(&gateway, asset, accept).await.body.len();
    }
    assert!(size < 100_000, "{size} bytes");
}

#[tokio::test]
async fn a_file_of_another_version_or_name_is_404() {
    let gateway = gateway().await;
    let text = get(&gateway, "/", "").await.text();
    let script = assets(&text).into_iter().find(|asset| asset.ends_with("/main.js")).unwrap().to_owned();
    let folder = script.strip_suffix("main.js").unwrap();
    for path in
        ["/app/0123456789abcdef/main.js".to_owned(), format!("{folder}nothing.js"), format!("{folder}index.html")]
    {
        let response = get(&gateway, &path, "").await;
        assert_eq!((response.status, response.error().as_str()), (404, "Not Found"), "{path}");
    }
}

#[tokio::test]
async fn the_page_runs_nothing_inline_and_nothing_of_another_host() {
    let gateway = gateway().await;
    let page = get(&gateway, "/", "").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(
        !policy.contains("unsafe") && !policy.contains("script-src") && !policy.contains("connect-src"),
        "{policy}"
    );
    let text = page.text();
    for inline in ["<style", " style=", " onclick=", "http://", "https://"] {
        assert!(!text.contains(inline), "{inline}");
    }
    assert_eq!(text.matches("<script").count(), text.matches("<script type=\"module\" src=\"/app/").count());
}

#[tokio::test]
async fn the_page_links_to_the_documentation_and_programs_get_the_links_as_json() {
    let gateway = gateway().await;
    let page = get(&gateway, "/", "Accept: text/html,application/json;q=0.9\r\n").await.text();
    for link in ["/swagger/", "/swagger/doc.yaml", "/health", "/ready"] {
        assert!(page.contains(&format!("href=\"{link}\"")), "{link}");
        assert_eq!(get(&gateway, link, "").await.status, 200, "{link}");
    }
    let json = get(&gateway, "/", "Accept: application/json\r\n").await;
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.json()["swagger_ui"], "/swagger/");
}
