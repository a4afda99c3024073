//! The counters in Redis. Each is changed by a call of its own to a script with one key, so that they may live on
//! different nodes of a cluster and an error of one leaves the others alone; the calls of a batch share a round trip.

use std::sync::LazyLock;

use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, RedisResult, Script, ServerErrorKind};

use crate::database::{redis::RedisLink, redis_connection::RedisConnection};

use super::{Algorithm, Count, Key, RateLimitConfig};

const FIXED_WINDOW: &str = include_str!("fixed_window.lua");
const GCRA: &str = include_str!("gcra.lua");
static FIXED_WINDOW_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(FIXED_WINDOW));
static GCRA_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(GCRA));

/// Adds numbers of requests to counters; `None` for each that Redis did not count.
pub async fn add(redis: &RedisLink, config: &RateLimitConfig, added: &[(&Key, usize)]) -> Vec<Option<Count>> {
    let called = redis.run(async |connection| call_scripts(connection, config, added).await).await;
    let mut counts = called.unwrap_or_default();
    counts.resize(added.len(), None);
    counts
}

async fn call_scripts(
    connection: &mut RedisConnection,
    config: &RateLimitConfig,
    added: &[(&Key, usize)],
) -> RedisResult<Vec<Option<Count>>> {
    let (source, script) = match config.algorithm {
        Algorithm::FixedWindow => (FIXED_WINDOW, &FIXED_WINDOW_SCRIPT),
        Algorithm::Gcra => (GCRA, &GCRA_SCRIPT),
    };
    let by_hash = added.iter().map(|added| call(config, "EVALSHA", script.get_hash(), added));
    let mut answers = send(connection, by_hash).await?;
    // Redis forgets scripts when it restarts; `EVAL` makes it remember.
    let forgotten: Vec<_> = (0..answers.len().min(added.len())).filter(|at| is_unknown(&answers[*at])).collect();
    if !forgotten.is_empty() {
        let by_source = forgotten.iter().map(|at| call(config, "EVAL", source, &added[*at]));
        let again = send(connection, by_source).await?;
        forgotten.into_iter().zip(again).for_each(|(at, answer)| answers[at] = answer);
    }
    Ok(answers.into_iter().map(counted).collect())
}

/// A call to the script of the algorithm, by its source or hash.
fn call(config: &RateLimitConfig, command: &str, script: &str, (key, requests): &(&Key, usize)) -> Cmd {
    let (mut call, quota) = (redis::cmd(command), config.quota(key.policy));
    call.arg(script).arg(1);
    match config.algorithm {
        Algorithm::FixedWindow => {
            call.arg(format!("ratelimit:{key}")).arg(quota.window.as_millis() as u64).arg(*requests)
        }
        // Keys of its own: its values are no counters.
        Algorithm::Gcra => {
            let key = format!("ratelimit:gcra:{key}");
            call.arg(key).arg(quota.interval_micros()).arg(*requests).arg(quota.max)
        }
    };
    call
}

/// Sends commands together; each has an answer of its own.
async fn send(
    connection: &mut RedisConnection,
    commands: impl Iterator<Item = Cmd>,
) -> RedisResult<Vec<RedisResult<Count>>> {
    if let RedisConnection::Cluster(cluster) = connection {
        let sending = commands.map(|command| {
            let mut cluster = cluster.clone();
            async move { command.query_async(&mut cluster).await }
        });
        // When one node does not answer, Redis counts as down.
        let answers = join_all(sending).await.into_iter();
        return answers
            .map(|answer| match answer {
                Err(error) if !matches!(error.kind(), ErrorKind::Server(_)) => Err(error),
                answer => Ok(answer),
            })
            .collect();
    }
    let mut pipeline = redis::pipe();
    pipeline.ignore_errors();
    commands.for_each(|command| {
        pipeline.add_command(command);
    });
    pipeline.query_async(connection).await
}

fn is_unknown(answer: &RedisResult<Count>) -> bool {
    matches!(answer, Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
}

fn counted(answer: RedisResult<Count>) -> Option<Count> {
    answer.inspect_err(|error| tracing::debug!(%error, "Redis did not count a request")).ok()
}
