//! How far a job has come: a bar on a terminal, a line every few seconds elsewhere, and what it came to at the end.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::models::job::{Job, JobError, JobState};

/// Pause between two lines where there is no terminal.
const LINE_PAUSE: Duration = Duration::from_secs(3);
/// Errors that are printed.
const MAX_ERRORS: usize = 10;

pub(super) struct Progress {
    bar: ProgressBar,
    last_line: Option<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("[{bar:20}] {percent}% {wide_msg}").expect("the template is valid");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self { bar: bar.with_style(style.progress_chars("#>.")), last_line: None }
    }

    pub(super) fn show(&mut self, job: &Job) {
        let text = progress_text(job);
        if !self.bar.is_hidden() {
            self.bar.set_length(u64::from(job.pages.total.unsigned_abs()));
            self.bar.set_position(u64::from(tried(job).unsigned_abs()));
            self.bar.set_message(text);
        } else if self.last_line.is_none_or(|last| last.elapsed() >= LINE_PAUSE) {
            self.last_line = Some(Instant::now());
            eprintln!("{}% {text}", (100 * tried(job)).checked_div(job.pages.total).unwrap_or(0));
        }
    }

    /// The bar, for lines that are to stand above it.
    pub(super) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Prints what the job came to.
    pub(super) fn finish(self, job: &Job) {
        self.clear();
        println!("{}", closing_text(job));
        for error in job.errors.iter().take(MAX_ERRORS) {
            println!("    {}", error_text(error));
        }
        if job.errors.len() > MAX_ERRORS {
            println!("    and {} more", job.errors.len() - MAX_ERRORS + job.errors_omitted.unsigned_abs() as usize);
        }
    }
}

fn tried(job: &Job) -> i32 {
    job.pages.done + job.pages.failed
}

fn progress_text(job: &Job) -> String {
    let Job { pages, movies, pages_per_second, .. } = job;
    let left = job.seconds_left.map(|left| format!(", {}:{:02} left", left / 60, left % 60)).unwrap_or_default();
    format!(
        "{}/{} pages, {pages_per_second}/s{left}, {} failed, {} new, {} changed",
        tried(job),
        pages.total,
        pages.failed,
        movies.new,
        movies.changed
    )
}

fn closing_text(job: &Job) -> String {
    let Job { pages, movies, .. } = job;
    let mut text = format!(
        "{}: {} of {} pages stored, {} failed; movies: {} new, {} changed, {} unchanged",
        job.state.as_str(),
        pages.done,
        pages.total,
        pages.failed,
        movies.new,
        movies.changed,
        movies.unchanged
    );
    if job.skipped > 0 {
        text += &format!("; {} malformed rows skipped", job.skipped);
    }
    if job.runtimes_left > 0 && job.state == JobState::Completed {
        text += &format!("; {} runtimes follow in the background", job.runtimes_left);
    }
    text
}

fn error_text(error: &JobError) -> String {
    let year = error.year.map(|year| format!("year {year}, "));
    let page = error.page.map(|page| format!("page {page}, "));
    format!("{}{}{}", year.unwrap_or_default(), page.unwrap_or_default(), error.error)
}
