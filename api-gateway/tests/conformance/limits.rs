//! The rate limit counts clients, not what they say about themselves.

use crate::gateway::{Gateway, request};

#[tokio::test]
async fn rotating_the_headers_that_name_a_client_does_not_escape_the_limit() {
    let Some((gateway, limit)) = Gateway::start_limited() else {
        println!("not tested: CONFORMANCE_LIMITED_TARGET is not set");
        return;
    };
    let mut passed = 0;
    for number in 0..limit * 3 {
        let address = format!("203.0.{}.{}", number / 250, number % 250);
        let more: String = [
            "X-Forwarded-For",
            "X-Real-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "X-Client-IP",
            "X-Cluster-Client-IP",
        ]
        .map(|name| format!("{name}: {address}\r\n"))
        .concat();
        let more = format!("{more}Forwarded: for={address}\r\nAuthorization: Bearer {number}\r\nConnection: close\r\n");
        let message = request("GET", "/api/v1/movies", &more, "").replacen("Authorization: Bearer x\r\n", "", 1);
        let answers = gateway.send(message).await;
        assert!(matches!(answers[..], [ref answer] if matches!(answer.status, 200 | 429 | 503)), "{answers:?}");
        passed += usize::from(answers[0].status == 200);
    }
    assert_eq!((passed, gateway.seen().len()), (limit, limit));
}
