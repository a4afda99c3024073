//! Tokens that must be accepted and, far more of them, tokens that must not: the kinds of JSON Web Signatures that
//! C2SP's Wycheproof collects, and the claims of RFC 7519.

use std::time::Duration;

use api_gateway::{
    auth::{
        AuthError, Identity,
        jwks::KeySource,
        jwt::{JwtConfig, JwtKeys, JwtVerifier},
    },
    lifecycle::Lifecycle,
};
use serde_json::{Value, json};

use super::issuer::{AUDIENCE, ISSUER, Issuer, SECRET, claims, encode, hmac, now, temporary_file, token};

async fn verifier(keys: JwtKeys) -> JwtVerifier {
    let config = JwtConfig {
        keys,
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        leeway: Duration::from_secs(30),
        refresh: Duration::from_secs(3600),
    };
    JwtVerifier::new(&config, &Lifecycle::new()).await.unwrap()
}

async fn with_key_set(keys: &Value) -> JwtVerifier {
    verifier(JwtKeys::Public(KeySource::File(temporary_file("keys", &keys.to_string())))).await
}

/// A verifier of an issuer's tokens by its public keys, and one of tokens by the secret.
async fn verifiers() -> (Issuer, JwtVerifier, JwtVerifier) {
    let issuer = Issuer::new();
    let public = with_key_set(&issuer.key_set()).await;
    (issuer, public, verifier(JwtKeys::Secret(SECRET.into())).await)
}

async fn subject(verifier: &JwtVerifier, token: &str) -> Result<String, AuthError> {
    verifier.verify(token.as_bytes()).await.map(|identity: Identity| identity.subject().to_owned())
}

async fn assert_invalid(verifier: &JwtVerifier, tokens: &[(&str, String)]) {
    for (what, token) in tokens {
        assert_eq!(subject(verifier, token).await, Err(AuthError::InvalidToken), "{what}: {token}");
    }
}

/// The parts of a token.
fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

#[tokio::test]
async fn a_valid_token_of_each_algorithm_is_accepted() {
    let (issuer, public, secret) = verifiers().await;
    for (algorithm, key) in [("EdDSA", "ed"), ("ES256", "ec"), ("RS256", "rsa")] {
        let named = issuer.token(algorithm, key, &claims(&[]));
        assert_eq!(subject(&public, &named).await.as_deref(), Ok("7"), "{algorithm}");
        // There is one key for each algorithm, so that it need not be named.
        let header = json!({"alg": algorithm}).to_string();
        let unnamed = token(&header, &claims(&[]).to_string(), |message| issuer.sign(algorithm, message));
        assert_eq!(subject(&public, &unnamed).await.as_deref(), Ok("7"), "{algorithm}");
    }
    assert_eq!(subject(&secret, &issuer.token("HS256", "any", &claims(&[]))).await.as_deref(), Ok("7"));
}

#[tokio::test]
async fn a_signature_that_is_not_exactly_right_is_refused() {
    let (issuer, public, secret) = verifiers().await;
    for (algorithm, key) in [("EdDSA", "ed"), ("ES256", "ec"), ("RS256", "rsa"), ("HS256", "any")] {
        let valid = issuer.token(algorithm, key, &claims(&[]));
        let [header, payload, _] = parts(&valid);
        let message = format!("{header}.{payload}");
        let signature = issuer.sign(algorithm, message.as_bytes());
        let with = |signature: &[u8]| format!("{message}.{}", encode(signature));
        let flipped = |at: usize| {
            let mut signature = signature.clone();
            signature[at] ^= 1;
            with(&signature)
        };
        let longer = [&signature[..], &[0]].concat();
        let reversed: Vec<_> = signature.iter().rev().copied().collect();
        let other_payload = encode(claims(&[("sub", json!("1"))]).to_string());
        let other_header = encode(json!({"alg": algorithm, "kid": key, "typ": "at+jwt"}).to_string());
        let tokens = [
            ("no signature", with(&[])),
            ("first bit", flipped(0)),
            ("last bit", flipped(signature.len() - 1)),
            ("truncated", with(&signature[..signature.len() - 1])),
            ("half", with(&signature[..signature.len() / 2])),
            ("longer", with(&longer)),
            ("reversed", with(&reversed)),
            ("zeros", with(&vec![0; signature.len()])),
            ("ones", with(&vec![0xff; signature.len()])),
            ("of another payload", format!("{header}.{other_payload}.{}", encode(&signature))),
            ("of another header", format!("{other_header}.{payload}.{}", encode(&signature))),
            ("of the decoded message", with(&issuer.sign(algorithm, claims(&[]).to_string().as_bytes()))),
        ];
        assert_invalid(if algorithm == "HS256" { &secret } else { &public }, &tokens).await;
    }
}

#[tokio::test]
async fn signatures_of_another_form_are_refused() {
    let (issuer, public, _) = verifiers().await;
    let with = |algorithm: &str, key: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        token(&json!({"alg": algorithm, "kid": key}).to_string(), &claims(&[]).to_string(), sign)
    };
    // What OpenSSL prints: a sequence of two integers.
    let der = |message: &[u8]| {
        let signature = issuer.sign("ES256", message);
        let integer = |bytes: &[u8]| [&[2, 33, 0][..], bytes].concat();
        [vec![0x30, 70], integer(&signature[..32]), integer(&signature[32..])].concat()
    };
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let tokens = [
        ("ES256 in DER", with("ES256", "ec", &der)),
        ("ES256 with r and s of the order", with("ES256", "ec", &|_| [order, order].concat())),
        ("ES256 with r = 1 and s = 0", with("ES256", "ec", &|_| [&[0; 31][..], &[1], &[0; 32]].concat())),
        ("PSS instead of PKCS 1", with("RS256", "rsa", &|message| issuer.sign("PS256", message))),
        ("the key of another algorithm", with("EdDSA", "ed", &|message| issuer.sign("ES256", message))),
    ];
    assert_invalid(&public, &tokens).await;
}

#[tokio::test]
async fn the_algorithm_belongs_to_the_key() {
    let (issuer, public, secret) = verifiers().await;
    let (payload, modulus, keys) = (claims(&[]).to_string(), issuer.rsa_components().n, issuer.key_set().to_string());
    let unsigned = |algorithm: Value| token(&json!({"alg": algorithm}).to_string(), &payload, |_| Vec::new());
    let by_hmac = |key: &str, secret: &[u8]| {
        token(&json!({"alg": "HS256", "kid": key}).to_string(), &payload, |message| hmac(secret, message))
    };
    let mut tokens: Vec<_> = ["none", "None", "NONE", "nOnE", "", "es256", "ES512", "A128KW"]
        .map(|algorithm| ("an algorithm that is none of the four", unsigned(json!(algorithm))))
        .to_vec();
    tokens.extend(
        [json!(null), json!(1), json!(["ES256"]), json!({"alg": "ES256"})]
            .map(|algorithm| ("no text", unsigned(algorithm))),
    );
    tokens.push(("none at all", token("{}", &payload, |_| Vec::new())));
    assert_invalid(&secret, &tokens).await;
    tokens.extend([
        ("the modulus as a secret", by_hmac("rsa", &modulus)),
        ("the key set as a secret", by_hmac("rsa", keys.as_bytes())),
        ("an empty secret", by_hmac("rsa", b"")),
        ("the right secret of another mode", by_hmac("rsa", SECRET.as_bytes())),
        ("PS256 with a key for RS256", issuer.token("PS256", "rsa", &claims(&[]))),
        ("EdDSA that names the key of ES256", issuer.token("EdDSA", "ec", &claims(&[]))),
        ("ES256 that names the key of EdDSA", issuer.token("ES256", "ed", &claims(&[]))),
    ]);
    assert_invalid(&public, &tokens).await;
    let asymmetric =
        ["EdDSA", "ES256", "RS256"].map(|algorithm| (algorithm, issuer.token(algorithm, "any", &claims(&[]))));
    assert_invalid(&secret, &asymmetric).await;
}

#[tokio::test]
async fn a_key_comes_from_the_set_and_never_from_the_token() {
    let (_, public, _) = verifiers().await;
    let stranger = Issuer::new();
    let payload = claims(&[]).to_string();
    let own_key = stranger.key_set()["keys"][0].clone();
    let headers = [
        json!({"alg": "EdDSA", "kid": "ed"}),
        json!({"alg": "EdDSA", "kid": "unknown"}),
        json!({"alg": "EdDSA", "kid": "../../dev/null"}),
        json!({"alg": "EdDSA", "kid": "ed", "jwk": own_key}),
        json!({"alg": "EdDSA", "jwk": own_key}),
        json!({"alg": "EdDSA", "kid": "ed", "jku": "https://evil.example/keys"}),
        json!({"alg": "EdDSA", "kid": "ed", "x5u": "https://evil.example/keys"}),
    ];
    let by_stranger = |header: Value| token(&header.to_string(), &payload, |message| stranger.sign("EdDSA", message));
    assert_invalid(&public, &headers.map(|header| ("a key of the token's own", by_stranger(header)))).await;
}

#[tokio::test]
async fn only_the_compact_form_is_read() {
    let (issuer, public, _) = verifiers().await;
    let valid = issuer.token("EdDSA", "ed", &claims(&[]));
    let [header, payload, signature] = parts(&valid);
    let resigned = |header: &str, payload: &str| {
        let message = format!("{header}.{payload}");
        let signature = encode(issuer.sign("EdDSA", message.as_bytes()));
        format!("{message}.{signature}")
    };
    let (json, no_json, array) = (encode("{}"), encode("{\"alg\":\"EdDSA\",\"kid\":"), encode("[]"));
    let twice = encode(r#"{"alg":"EdDSA","alg":"none","kid":"ed"}"#);
    let tokens = [
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{valid}.{signature}")),
        ("five parts, as encryption has", format!("{valid}.{signature}.{signature}")),
        ("an empty header", resigned("", payload)),
        ("an empty payload", resigned(header, "")),
        ("a header without members", resigned(&json, payload)),
        ("a header that is no JSON", resigned(&no_json, payload)),
        ("a header that is an array", resigned(&array, payload)),
        ("a member of the header twice", resigned(&twice, payload)),
        ("a payload that is an array", resigned(header, &array)),
        ("a payload that is no JSON", resigned(header, &no_json)),
        ("the form in JSON", json!({"protected": header, "payload": payload, "signature": signature}).to_string()),
        ("blanks around", format!(" {valid}")),
        ("a line break", format!("{header}.\n{payload}.{signature}")),
        ("padding", format!("{valid}==")),
        ("a character of no alphabet", format!("{header}.{payload}.{}!", &signature[1..])),
        ("the other alphabet", format!("{header}.{payload}.{}+/", &signature[2..])),
    ];
    assert_invalid(&public, &tokens).await;
}

#[tokio::test]
async fn extensions_that_are_not_understood_are_refused() {
    let (issuer, public, _) = verifiers().await;
    let sign = |message: &[u8]| issuer.sign("EdDSA", message);
    let tokens = [
        json!({"alg": "EdDSA", "kid": "ed", "crit": ["exp"], "exp": 1}),
        json!({"alg": "EdDSA", "kid": "ed", "crit": []}),
        json!({"alg": "EdDSA", "kid": "ed", "crit": ["b64"], "b64": false}),
        json!({"alg": "EdDSA", "kid": "ed", "b64": false}),
        json!({"alg": "EdDSA", "kid": "ed", "crit": "exp"}),
    ];
    let tokens = tokens.map(|header| ("crit", token(&header.to_string(), &claims(&[]).to_string(), sign)));
    assert_invalid(&public, &tokens).await;
}

#[tokio::test]
async fn claims_are_checked_with_leeway_for_clocks_only() {
    let (issuer, public, _) = verifiers().await;
    let token_with = |changes: &[(&str, Value)]| issuer.token("EdDSA", "ed", &claims(changes));
    for (name, value) in [
        ("exp", json!(now() - 10)),
        ("nbf", json!(now() + 10)),
        ("nbf", json!(now() - 1000)),
        ("aud", json!(["others", AUDIENCE])),
        ("iat", json!("any")),
    ] {
        let token = token_with(&[(name, value.clone())]);
        assert_eq!(subject(&public, &token).await.as_deref(), Ok("7"), "{name}: {value}");
    }
    let expired = token_with(&[("exp", json!(now() - 60))]);
    assert_eq!(subject(&public, &expired).await, Err(AuthError::ExpiredToken));
    let long = "7".repeat(256);
    let wrong = [
        ("exp", json!(null)),
        ("exp", json!("tomorrow")),
        ("exp", json!((now() + 600).to_string())),
        ("exp", json!(-1)),
        ("exp", json!({})),
        ("nbf", json!(now() + 60)),
        ("nbf", json!("yesterday")),
        ("iss", json!(null)),
        ("iss", json!("https://issuer.example/")),
        ("iss", json!(7)),
        ("aud", json!(null)),
        ("aud", json!("others")),
        ("aud", json!([])),
        ("aud", json!([AUDIENCE.to_uppercase()])),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("7\r\nX-User-Scope: admin")),
        ("sub", json!("7 8")),
        ("sub", json!(long)),
        ("scope", json!("admin\u{e9}")),
        ("scope", json!({"admin": true})),
    ];
    let wrong = wrong.map(|(name, value)| (name, token_with(&[(name, value)])));
    assert_invalid(&public, &wrong).await;
    let twice = claims(&[]).to_string().replacen('{', r#"{"sub":"1","#, 1);
    let twice = token(r#"{"alg":"EdDSA","kid":"ed"}"#, &twice, |message| issuer.sign("EdDSA", message));
    assert_invalid(&public, &[("a claim twice", twice)]).await;
}

#[tokio::test]
async fn scopes_are_a_text_or_a_list() {
    let (issuer, public, _) = verifiers().await;
    for (scope, is_admin) in [
        (json!("movies admin"), true),
        (json!(["admin"]), true),
        (json!("administrator"), false),
        (json!(["movies admin-not"]), false),
        (json!(""), false),
        (json!([]), false),
    ] {
        let token = issuer.token("EdDSA", "ed", &claims(&[("scope", scope.clone())]));
        let granted = public.verify(token.as_bytes()).await.map(|identity| identity.has_scope("admin"));
        assert_eq!(granted.unwrap_or(false), is_admin, "{scope}");
    }
}

#[tokio::test]
async fn keys_that_are_not_for_signatures_or_of_other_kinds_are_not_used() {
    let issuer = Issuer::new();
    let token = issuer.token("EdDSA", "ed", &claims(&[]));
    let key = &issuer.key_set()["keys"][0];
    let secret = json!({"kid": "secret", "kty": "oct", "k": encode(SECRET), "alg": "HS256"});
    let curve = json!({"kid": "p384", "kty": "EC", "crv": "P-384", "x": encode([1; 48]), "y": encode([1; 48])});
    for (name, value) in
        [("use", json!("enc")), ("alg", json!("ES256")), ("key_ops", json!(["sign"])), ("kty", json!("?"))]
    {
        let mut changed = key.clone();
        changed[name] = value;
        let ec = &issuer.key_set()["keys"][1];
        let verifier = with_key_set(&json!({"keys": [changed, secret, curve, "rubbish", ec]})).await;
        assert_eq!(subject(&verifier, &token).await, Err(AuthError::InvalidToken), "{name}");
        let by_secret = issuer.token("HS256", "secret", &claims(&[]));
        assert_eq!(subject(&verifier, &by_secret).await, Err(AuthError::InvalidToken), "a secret in a public set");
    }
}
