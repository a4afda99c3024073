//! Headers in which only a gateway may name the client or the user, and other spellings of them.

use crate::{gateway::Gateway, headers::forwarded};

#[tokio::test]
async fn cve_2026_39998_identity_headers_of_a_client_do_not_pass() {
    let gateway = Gateway::start();
    for name in [
        "X-User-Id",
        "X-User-Role",
        "X-Forwarded-Host",
        "X-Forwarded-User",
        "X-Forwarded-Prefix",
        "X-Forwarded-Port",
        "X-Forwarded-Server",
        "X-Original-URL",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Real-IP",
        "Forwarded",
    ] {
        let Some(seen) = forwarded(&gateway, &format!("{name}: spoofed\r\n")).await else { continue };
        assert!(!seen.head.contains("spoofed"), "{name}: {seen:?}");
    }
}

#[tokio::test]
async fn cve_2015_0219_names_with_underscores_do_not_pass_for_names_with_hyphens() {
    let gateway = Gateway::start();
    for name in ["X_User_Id", "X_Forwarded_For", "X-Forwarded_For", "X_FORWARDED-HOST", "Content_Length"] {
        let Some(seen) = forwarded(&gateway, &format!("{name}: spoofed\r\n")).await else { continue };
        assert!(!seen.head.contains("spoofed"), "{name}: {seen:?}");
    }
}

#[tokio::test]
async fn cve_2016_5385_the_proxy_header_does_not_pass() {
    let gateway = Gateway::start();
    if let Some(seen) = forwarded(&gateway, "Proxy: http://203.0.113.9:3128\r\n").await {
        assert!(seen.all("proxy").is_empty(), "{seen:?}");
    }
}
