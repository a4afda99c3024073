//! This gateway beside nginx and Envoy, in turns and before the same upstream: `./dev-services.sh bench gateway`.
//!
//! Load generator, upstream, Redis and gateway share this machine, so absolute figures say little elsewhere: the ratios to
//! nginx of the same run do. `BENCH_ROUNDS` and `BENCH_SECONDS` change how long each load is kept up.

#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]

mod bodies;
mod candidates;
mod idle;
mod process;
mod upstream;
mod wrk;

use std::time::Duration;

use crate::{
    candidates::{Candidate, start_all},
    process::{CpuTime, memory_mebibytes},
    wrk::Load,
};

/// Connections of the load generator.
const CONNECTIONS: [usize; 2] = [32, 256];

/// The load on one gateway in one round.
struct Sample {
    per_second: f64,
    p50_millis: f64,
    p99_millis: f64,
    /// CPU time of the gateway's processes for a request.
    cpu_micros: f64,
}

fn main() {
    // `cargo test --benches` runs this without `--bench`: nothing to measure there.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let (rounds, seconds) = (number("BENCH_ROUNDS", 5), number("BENCH_SECONDS", 4));
    let folder = tempfolder();
    let upstreams = upstream::start(&folder);
    let candidates = start_all(&folder, &upstreams);
    for candidate in &candidates {
        println!("{:<24}{}", candidate.name, candidate.settings);
    }
    let idle: Vec<_> = candidates.iter().map(idle::memory_at_1_000_connections).collect();
    let (after_first, requests) = measure(&candidates, rounds, Duration::from_secs(seconds as u64));
    memory_table(&candidates, &idle, &after_first, &requests);
    bodies::table(&candidates);
    drop(candidates);
    let _ = std::fs::remove_dir_all(&folder);
}

/// Loads one gateway after the other, round by round, so that a change in the machine's speed touches all equally. The
/// memory of each after the first round, and the requests that each has answered in all.
fn measure(candidates: &[Candidate], rounds: usize, time: Duration) -> (Vec<f64>, Vec<u64>) {
    let mut requests = vec![0; candidates.len()];
    let mut after_first = Vec::new();
    let mut samples: Vec<Vec<Vec<Sample>>> =
        candidates.iter().map(|_| CONNECTIONS.map(|_| Vec::new()).into()).collect();
    for round in 0..rounds {
        for (which, connections) in CONNECTIONS.into_iter().enumerate() {
            for (at, candidate) in candidates.iter().enumerate() {
                let before = CpuTime::of(&candidate.processes());
                let load = wrk::run(candidate.address, connections, time);
                let cpu = CpuTime::of(&candidate.processes()).since(before);
                assert_eq!(load.failed, 0, "{}: some answers were not 2xx", candidate.name);
                requests[at] += load.requests;
                samples[at][which].push(sample(&load, cpu));
            }
        }
        if round == 0 {
            after_first = candidates.iter().map(|candidate| memory_mebibytes(&candidate.processes())).collect();
        }
    }
    for (which, connections) in CONNECTIONS.into_iter().enumerate() {
        let of_each: Vec<_> =
            candidates.iter().zip(&samples).map(|(candidate, all)| (candidate.name, &all[which])).collect();
        speed_table(connections, rounds, time, &of_each);
    }
    (after_first, requests)
}

fn sample(load: &Load, cpu: Duration) -> Sample {
    Sample {
        per_second: load.per_second,
        p50_millis: load.p50_millis,
        p99_millis: load.p99_millis,
        cpu_micros: cpu.as_secs_f64() * 1e6 / load.requests as f64,
    }
}

/// One line for each gateway: medians, and the median of the ratios to nginx round by round.
fn speed_table(connections: usize, rounds: usize, time: Duration, samples: &[(&str, &Vec<Sample>)]) {
    println!("\n{connections} connections, medians of {rounds} rounds of {} s", time.as_secs());
    println!(
        "{:<24}{:>12}{:>10}{:>10}{:>10}{:>16}{:>12}",
        "gateway", "requests/s", "of nginx", "p50 ms", "p99 ms", "p99 of nginx", "CPU us/req"
    );
    let nginx = samples.iter().find(|(name, _)| *name == candidates::NGINX).map(|(_, samples)| *samples);
    for (name, samples) in samples {
        let ratio = |of: fn(&Sample) -> f64| {
            let ratios = nginx.into_iter().flatten().zip(*samples).map(|(nginx, sample)| of(sample) / of(nginx));
            median(ratios.collect())
        };
        let middle = |of: fn(&Sample) -> f64| median(samples.iter().map(of).collect());
        println!(
            "{name:<24}{:>12.0}{:>10.2}{:>10.2}{:>10.2}{:>16.2}{:>12.1}",
            middle(|sample| sample.per_second),
            ratio(|sample| sample.per_second),
            middle(|sample| sample.p50_millis),
            middle(|sample| sample.p99_millis),
            ratio(|sample| sample.p99_millis),
            middle(|sample| sample.cpu_micros),
        );
    }
}

fn memory_table(candidates: &[Candidate], idle: &[f64], after_first: &[f64], requests: &[u64]) {
    println!("\nmemory in MiB (PSS of all processes of the gateway)");
    println!("{:<24}{:>18}{:>18}{:>18}{:>12}", "gateway", "1,000 idle", "after round 1", "after the last", "requests");
    for (at, candidate) in candidates.iter().enumerate() {
        let last = memory_mebibytes(&candidate.processes());
        println!("{:<24}{:>18.1}{:>18.1}{last:>18.1}{:>12}", candidate.name, idle[at], after_first[at], requests[at]);
    }
}

/// The middle value; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |number| number.parse().expect("a whole number"))
}

fn tempfolder() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("gateway-benchmark-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for configurations and logs");
    folder
}
