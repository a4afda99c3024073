//! `movie-service sync`: starts a job through the gateway, follows it with a progress bar, and says what it came to.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to the terminal")]

mod arguments;
mod client;
mod progress;

use std::{pin::pin, process::ExitCode, time::Duration};

use futures_util::StreamExt;
use tokio::{
    signal::ctrl_c,
    time::{Instant, sleep},
};

use crate::models::job::{Job, JobState};

use self::{
    arguments::{Arguments, Command, USAGE},
    client::{Api, CallError},
    progress::Progress,
};

/// Pause before a stream that broke is asked for again: with the poll before it, well below the gateway's rate limit.
const RETRY_PAUSE: Duration = Duration::from_secs(2);
/// How long a job is followed without a word of it.
const FOLLOW_TIMEOUT: Duration = Duration::from_secs(60);
/// What shells answer for a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Runs the command with the arguments behind `sync`. Fails (1) when a page or the job failed, or with 130 when it was
/// cancelled.
pub fn sync(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments = match arguments::parse(arguments) {
        Ok(Command::Sync(arguments)) => arguments,
        Ok(Command::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let code = runtime.block_on(run(&arguments));
    // Dropping it would wait for the system to resolve a name.
    runtime.shutdown_background();
    code
}

async fn run(arguments: &Arguments) -> ExitCode {
    let api = match Api::new(arguments) {
        Ok(api) => api,
        Err(_) => return fail(&format!("{} cannot be used (is there a store of CA certificates?)", arguments.url)),
    };
    let job = match api.start(&arguments.parameters).await {
        Ok(job) => job,
        Err(error) => return fail(&format!("the sync was not started: {error}")),
    };
    if job.source == "sample" {
        eprintln!("movie-service has no TMDB key: this is the built-in sample");
    }
    let mut progress = Progress::new();
    match follow_until_interrupted(&api, job, &mut progress).await {
        None => ExitCode::from(INTERRUPTED),
        Some(Err(error)) => {
            progress.clear();
            fail(&format!("the job cannot be followed any more, but it goes on: {error}"))
        }
        Some(Ok(job)) => {
            progress.finish(&job);
            exit_code(&job)
        }
    }
}

fn exit_code(job: &Job) -> ExitCode {
    match job.state {
        JobState::Completed if job.pages.failed == 0 => ExitCode::SUCCESS,
        // Its closing line and errors say so.
        JobState::Completed => ExitCode::FAILURE,
        JobState::Cancelled => {
            eprintln!("the job was cancelled; what is stored stays");
            ExitCode::from(INTERRUPTED)
        }
        JobState::Failed | JobState::Running => fail("the job failed"),
    }
}

/// Follows a job to its end. The first Ctrl-C cancels it; `None` after the second one.
async fn follow_until_interrupted(api: &Api, job: Job, progress: &mut Progress) -> Option<Result<Job, CallError>> {
    let id = job.id;
    progress.show(&job);
    let bar = progress.bar();
    let mut following = pin!(follow(api, id, progress));
    let mut cancelling = pin!(cancel_when_interrupted(api, id));
    let mut is_cancelled = false;
    loop {
        tokio::select! {
            job = &mut following => return Some(job),
            text = &mut cancelling, if !is_cancelled => {
                is_cancelled = true;
                let text = text?;
                bar.suspend(|| eprintln!("{text}"));
            }
            _ = ctrl_c(), if is_cancelled => return None,
        }
    }
}

/// What to tell after a Ctrl-C; `None` when a second one came first.
async fn cancel_when_interrupted(api: &Api, id: i32) -> Option<String> {
    // Without a handler of Ctrl-C the process simply ends.
    if ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    let cancelled = tokio::select! {
        cancelled = api.cancel(id) => cancelled,
        _ = ctrl_c() => return None,
    };
    Some(match cancelled {
        Ok(_) => "asked the job to stop; Ctrl-C again leaves it alone".to_owned(),
        Err(error) => format!("job {id} could not be asked to stop: {error}"),
    })
}

/// Reads the events of a job until it ends. While there is no stream of them, it is asked for again and again.
async fn follow(api: &Api, id: i32, progress: &mut Progress) -> Result<Job, CallError> {
    let mut last_word = Instant::now();
    loop {
        if let Ok(mut events) = api.events(id).await {
            while let Some(job) = events.next().await {
                last_word = Instant::now();
                if job.state != JobState::Running {
                    return Ok(job);
                }
                progress.show(&job);
            }
        }
        let mut pause = RETRY_PAUSE;
        match api.find(id).await {
            Ok(job) if job.state != JobState::Running => return Ok(job),
            Ok(job) => {
                last_word = Instant::now();
                progress.show(&job);
            }
            Err(CallError::TooManyRequests(seconds)) => {
                // The gateway is there: this is no silence.
                last_word = Instant::now();
                pause = Duration::from_secs(seconds).clamp(RETRY_PAUSE, FOLLOW_TIMEOUT);
            }
            Err(error) if last_word.elapsed() >= FOLLOW_TIMEOUT => return Err(error),
            Err(_) => {}
        }
        sleep(pause).await;
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
