//! The result: for each size what loading took, then a line for each figure.

#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]

use std::time::Duration;

use crate::figures::{Figure, Promise};

const ROWS_PER_SECOND: f64 = 10_000.0;
const MEBIBYTES: f64 = 200.0;

/// What a size gave.
pub struct Size {
    /// Movies.
    pub movies: usize,
    /// While they were stored.
    pub rows_per_second: f64,
    /// The most memory of the service while they were stored, in MiB.
    pub load_peak: Option<f64>,
    /// The same after the reads.
    pub read_peak: Option<f64>,
    /// Of the database on disk.
    pub bytes: u64,
    /// In their order in the table.
    pub figures: Vec<Measured>,
}

/// A figure with its medians in milliseconds, or why there are none.
pub struct Measured {
    name: &'static str,
    promise: Promise,
    medians: Result<(f64, f64), String>,
}

impl Measured {
    /// From the times of the service and those beside them.
    pub fn new(figure: &Figure, times: Result<(Vec<Duration>, Vec<Duration>), String>) -> Self {
        let medians = times.map(|(service, bare)| (median(service), median(bare)));
        Self { name: figure.name, promise: figure.promise, medians }
    }
}

/// Prints everything; how many promises were broken or figures are missing.
pub fn print(sizes: &[Size]) -> usize {
    let mut broken = 0;
    println!("\n{:<12}{:>12}{:>18}{:>18}{:>14}", "movies", "rows/s", "peak, load MiB", "peak, all MiB", "on disk MiB");
    for size in sizes {
        let mebibytes = |peak: Option<f64>| peak.map_or("unknown".to_owned(), |peak| format!("{peak:.0}"));
        let kept = size.rows_per_second >= ROWS_PER_SECOND && size.read_peak.is_none_or(|peak| peak < MEBIBYTES);
        broken += usize::from(!kept);
        println!(
            "{:<12}{:>12.0}{:>18}{:>18}{:>14.0}{}",
            size.movies,
            size.rows_per_second,
            mebibytes(size.load_peak),
            mebibytes(size.read_peak),
            size.bytes as f64 / 1024.0 / 1024.0,
            if kept { "" } else { "  BROKEN: 10,000 rows/s, 200 MiB" }
        );
    }
    println!("\nMedians in ms, one client; bare: the same statements by pgbench -M prepared, for cached answers MGET");
    let head = sizes.iter().map(|size| format!("{:>10}{:>9}{:>7}", size.movies, "bare", "ratio")).collect::<String>();
    println!("{:<28}{head}{:>10}  promise", "figure", "growth");
    for at in 0..sizes.first().map_or(0, |size| size.figures.len()) {
        let row: Vec<&Measured> = sizes.iter().map(|size| &size.figures[at]).collect();
        broken += usize::from(!print_row(&row));
    }
    broken
}

fn print_row(row: &[&Measured]) -> bool {
    let cells = row.iter().map(|measured| match &measured.medians {
        Ok((service, bare)) => format!("{service:>10.3}{bare:>9.3}{:>7.2}", service / bare),
        Err(_) => format!("{:>26}", "FAILED"),
    });
    let cells: String = cells.collect();
    let medians: Option<Vec<(f64, f64)>> = row.iter().map(|measured| measured.medians.as_ref().ok().copied()).collect();
    let growth = medians.as_ref().map_or(f64::NAN, |medians| medians[medians.len() - 1].0 / medians[0].0);
    let (promise, kept) = verdict(row[0].promise, medians.as_deref().and_then(|medians| medians.last()), growth);
    let verdict = if kept { promise } else { format!("BROKEN: {promise}") };
    println!("{:<28}{cells}{growth:>10.2}  {verdict}", row[0].name);
    for failed in row.iter().filter_map(|measured| measured.medians.as_ref().err()) {
        println!("    {failed}");
    }
    kept
}

/// At the largest size.
fn verdict(promise: Promise, largest: Option<&(f64, f64)>, growth: f64) -> (String, bool) {
    match (promise, largest) {
        (Promise::Nothing, measured) => (String::new(), measured.is_some()),
        (Promise::Millis(most), measured) => {
            (format!("at most {most} ms"), measured.is_some_and(|(service, _)| *service <= most))
        }
        (Promise::Flat, measured) => (
            "at most 2 x bare + 1 ms, growth at most 1.5".to_owned(),
            measured.is_some_and(|(service, bare)| *service <= 2.0 * bare + 1.0) && growth <= 1.5,
        ),
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}
