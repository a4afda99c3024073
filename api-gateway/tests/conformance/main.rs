//! One test for each vulnerability that gateways have had, named after it. By default they test this gateway's program;
//! README.md says how to test another one.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod bodies;
mod continues;
mod framing;
mod gateway;
mod headers;
mod identity;
mod limits;
mod no_response_without_a_token;
mod paths;
mod slow_clients;
mod spelling;
mod upstream;
mod wire;
