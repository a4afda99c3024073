//! The speed of a large catalogue: `./dev-services.sh bench catalogue [sizes...]`, by default 10,000, 100,000 and 1,000,000
//! movies, made up but always the same.
//!
//! Each size has a database of its own, filled through the service. Each figure is the median over one connection beside
//! that of the very statements that the service sends for it, which are taken from the server's log and run by
//! `pgbench -M prepared` right afterwards. Both are read from memory, so that ratios hold on other machines and absolute
//! times do not. "Uncached" figures come from a service that cannot reach Redis.

#![expect(clippy::print_stderr, reason = "progress, apart from the table")]

mod figures;
mod generator;
mod http;
mod load;
mod measure;
mod pgbench;
mod postgres;
mod random;
mod redis;
mod service;
mod table;

use crate::postgres::Server;

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Smaller catalogues lack the movies that figures are about.
const SMALLEST: usize = 1_000;

fn main() {
    // `cargo test --benches` runs this without `--bench`: nothing to measure there.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let sizes: Vec<usize> = std::env::args().skip(1).filter(|argument| argument != "--bench").map(parse).collect();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    let server = Server::from_environment();
    let redis = std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL: run ./dev-services.sh bench catalogue");
    let redis = redis.trim_start_matches("redis://").trim_end_matches('/');
    let measured: Vec<_> = sizes.iter().map(|size| measure::size(&server, redis, *size)).collect();
    let broken = table::print(&measured);
    if broken > 0 {
        eprintln!("\n{broken} lines are BROKEN or FAILED");
        std::process::exit(1);
    }
}

fn parse(argument: String) -> usize {
    let size = argument.parse().ok().filter(|size| *size >= SMALLEST);
    size.unwrap_or_else(|| panic!("{argument} is not a number of movies from {SMALLEST}"))
}
