//! `AUTH_MODE=api-key`, and the program's command that makes hashes.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use crate::support::{EchoService, GatewayBuilder, eventually, send};

use super::issuer::temporary_file;

const USER_KEY: &str = "5d41402abc4b2a76b9719d911017c592";
const ADMIN_KEY: &str = "7d793037a0760186574b0282f2f435e7";

/// `api-gateway hash-key` with `key` on its standard input.
fn hash_key(key: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api-gateway"));
    command.arg("hash-key").env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = command.spawn().unwrap();
    program.stdin.take().unwrap().write_all(key.as_bytes()).unwrap();
    program.wait_with_output().unwrap()
}

fn hash(key: &str) -> String {
    let output = hash_key(&format!("{key}\n"));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_hash_is_in_the_file_is_accepted_until_it_is_taken_out() {
    let movies = EchoService::start("movie-service").await;
    let user = format!("7 {}\n", hash(USER_KEY));
    let file = temporary_file("api-keys", &format!("# name, hash, scopes\n{user}ops {} admin\n", hash(ADMIN_KEY)));
    let builder = GatewayBuilder::new().await.movies(movies.address).set("AUTH_MODE", "api-key");
    let gateway = builder.set("API_KEY_FILE", file.display()).start().await;
    let status = async |key: &str, method: &str| {
        let line = format!("Authorization: Bearer {key}\r\nContent-Length: 0\r\n");
        send(gateway.address, format!("{method} /api/v1/movies HTTP/1.1\r\nHost: g\r\n{line}\r\n")).await.status
    };
    assert_eq!((status(USER_KEY, "GET").await, status(USER_KEY, "POST").await), (200, 403));
    assert_eq!((status(ADMIN_KEY, "GET").await, status(ADMIN_KEY, "POST").await), (200, 200));
    assert_eq!(movies.seen()[0].all("x-user-id"), ["7"]);
    for other in ["x", &USER_KEY.to_uppercase(), &USER_KEY[1..], &hash(USER_KEY)] {
        assert_eq!(status(other, "GET").await, 401, "{other}");
    }
    std::fs::write(&file, user).unwrap();
    eventually("the key is not accepted any more", async || status(ADMIN_KEY, "GET").await == 401).await;
    assert_eq!(status(USER_KEY, "GET").await, 200);
}

#[test]
fn a_key_that_could_be_guessed_gets_no_hash() {
    let output = hash_key("secret\n");
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("at least 32 characters"));
}

#[test]
fn a_gateway_whose_keys_cannot_be_read_does_not_start() {
    for text in [None, Some("7 plain-text")] {
        let file = text.map(|text| temporary_file("api-keys", text)).unwrap_or("/nowhere".into());
        let mut command = Command::new(env!("CARGO_BIN_EXE_api-gateway"));
        command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR")).env("SERVER_PORT", "0");
        let output = command.env("AUTH_MODE", "api-key").env("API_KEY_FILE", file).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && errors.contains("file of API keys"), "{errors}");
        assert!(!errors.contains("plain-text"), "the file is not repeated: {errors}");
    }
}

#[test]
fn a_production_gateway_refuses_mock_tokens() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api-gateway"));
    command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR")).env("SERVER_PORT", "0");
    let output = command.env("APP_ENV", "production").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("AUTH_MODE must be jwt or api-key while APP_ENV is production"), "{errors}");
    assert!(!output.status.success());
}
