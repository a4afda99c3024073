//! The binary: settings, logging, then the service. `openapi` prints the specification instead, `hash-key` the hash of an
//! API key.

use std::{error::Error, process::ExitCode};

use api_gateway::{
    auth::api_key,
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
        Some("openapi") => print(&handler::openapi_yaml()),
        Some("hash-key") => match hash_key() {
            Ok(hash) => print(&format!("{hash}\n")),
            Err(error) => fail(&*error),
        },
        Some(other) => {
            fail(&*Box::<dyn Error>::from(format!("unknown argument {other}; there are only: openapi, hash-key")))
        }
    }
}

fn start() -> Result<(), Box<dyn Error>> {
    env::load_dotenv(env!("CARGO_PKG_NAME"))?;
    let config = Config::from_env(env::Env::from_process())?;
    // Dropped last: it writes and sends what is left.
    let _telemetry = telemetry::init(&config.telemetry)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(api_gateway::run(&config));
    // Dropping it would wait for the system to resolve a name, which may take longer than a shutdown may.
    runtime.shutdown_background();
    ended?;
    Ok(())
}

/// The hash of the key on the standard input, where no list of processes shows it.
fn hash_key() -> Result<String, Box<dyn Error>> {
    let mut key = String::new();
    std::io::stdin().read_line(&mut key)?;
    Ok(api_key::hash_key(key.trim())?)
}

#[expect(clippy::print_stdout, reason = "the text is the command's result")]
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
