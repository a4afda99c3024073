//! The counters in Redis. Each is changed by a call of its own to a script with one key, so that they may live on
//! different nodes of a cluster and an error of one leaves the others alone; the calls of a batch share a round trip.

use redis::{Cmd, ErrorKind, Pipeline, RedisResult, Script, ServerErrorKind, aio::MultiplexedConnection};
use std::sync::LazyLock;

use crate::database::redis::RedisLink;

const SOURCE: &str = include_str!("fixed_window.lua");
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SOURCE));

/// Count and remaining milliseconds of a window.
pub type Count = (i64, i64);

/// Adds to counters (key and number of requests); `None` for each that Redis did not count.
pub async fn increment(redis: &RedisLink, window_millis: u64, counters: &[(String, usize)]) -> Vec<Option<Count>> {
    let called = redis.run(async |connection| call_scripts(connection, window_millis, counters).await).await;
    let mut counts = called.unwrap_or_default();
    counts.resize(counters.len(), None);
    counts
}

async fn call_scripts(
    connection: &mut MultiplexedConnection,
    window_millis: u64,
    counters: &[(String, usize)],
) -> RedisResult<Vec<Option<Count>>> {
    let call = |name: &str, script: &str, (key, requests): &(String, usize)| {
        let mut call = redis::cmd(name);
        call.arg(script).arg(1).arg(key).arg(window_millis).arg(*requests).to_owned()
    };
    let by_hash = counters.iter().map(|counter| call("EVALSHA", SCRIPT.get_hash(), counter));
    let mut answers = pipeline(by_hash).query_async::<Vec<RedisResult<Count>>>(connection).await?;
    // Redis forgets scripts when it restarts; `EVAL` makes it remember.
    let forgotten: Vec<_> = (0..answers.len().min(counters.len())).filter(|at| is_unknown(&answers[*at])).collect();
    if !forgotten.is_empty() {
        let by_source = forgotten.iter().map(|at| call("EVAL", SOURCE, &counters[*at]));
        let again = pipeline(by_source).query_async::<Vec<RedisResult<Count>>>(connection).await?;
        forgotten.into_iter().zip(again).for_each(|(at, answer)| answers[at] = answer);
    }
    Ok(answers.into_iter().map(counted).collect())
}

/// Commands that are sent together and answered one by one.
fn pipeline(commands: impl Iterator<Item = Cmd>) -> Pipeline {
    let mut pipeline = redis::pipe();
    pipeline.ignore_errors();
    commands.for_each(|command| {
        pipeline.add_command(command);
    });
    pipeline
}

fn is_unknown(answer: &RedisResult<Count>) -> bool {
    matches!(answer, Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
}

fn counted(answer: RedisResult<Count>) -> Option<Count> {
    answer.inspect_err(|error| tracing::debug!(%error, "Redis did not count a request")).ok()
}
