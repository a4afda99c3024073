//! The binary: settings, logging, then the service. Instead of it, `openapi` prints the specification, and `sync` follows
//! a sync of a running platform.

use std::{error::Error, process::ExitCode};

use movie_service::{
    cli,
    config::{Config, env},
    handler, telemetry,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => match start() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&*error),
        },
        Some("sync") => cli::sync(std::env::args().skip(2)),
        Some("openapi") => print(&handler::openapi_yaml()),
        Some(other) => fail(&*Box::<dyn Error>::from(format!("unknown argument {other}; there are: openapi, sync"))),
    }
}

fn start() -> Result<(), Box<dyn Error>> {
    env::load_dotenv(env!("CARGO_PKG_NAME"))?;
    let config = Config::from_env(env::Env::from_process())?;
    // Dropped last: it writes and sends what is left.
    let _telemetry = telemetry::init(&config.telemetry)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(movie_service::run(&config));
    // Dropping it would wait for the system to resolve a name, which may take longer than a shutdown may.
    runtime.shutdown_background();
    ended?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the specification is this command's result")]
fn print(text: &str) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "before logging is set up there is nowhere else to say it")]
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("{}: {error}", env!("CARGO_PKG_NAME"));
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}
