//! The script of GCRA decides as a bucket of tokens does, by a clock of the test's own.

use proptest::{prelude::*, test_runner::TestRunner};
use redis::Script;

use crate::support::TestRedis;

const KEY: &str = "ratelimit:gcra:test";
/// So long that nothing expires by the real clock meanwhile.
const INTERVAL: u64 = 60_000_000;

/// The script with the clock as further arguments: whole seconds and microseconds.
fn script() -> Script {
    let source = include_str!("../../src/service/limiter/gcra.lua");
    let with_clock = source.replace("redis.call('TIME')", "{ARGV[4], ARGV[5]}");
    assert_ne!(with_clock, source, "the script asks for the time in another way");
    Script::new(&with_clock)
}

#[test]
fn the_script_decides_as_a_bucket_of_tokens_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (redis, script) = (runtime.block_on(TestRedis::new()), script());
    let arrivals = prop::collection::vec((0..3 * INTERVAL, 1_u64..8), 1..40);
    let mut runner = TestRunner::new(ProptestConfig { cases: 50, ..ProptestConfig::default() });
    let tested = runner.run(&(1_u64..20, arrivals), |(max, arrivals)| {
        runtime.block_on(redis.command::<i64>(&["DEL", KEY]));
        let (capacity, mut now) = (max * INTERVAL, 1_800_000_000_000_000_u64);
        let mut level = capacity;
        for (wait, requests) in arrivals {
            now += wait;
            level = capacity.min(level + wait);
            let mut call = script.key(KEY);
            call.arg(INTERVAL).arg(requests).arg(max).arg(now / 1_000_000).arg(now % 1_000_000);
            let mut connection = redis.connection.clone();
            let counted: (u64, u64) = runtime.block_on(call.invoke_async(&mut connection)).unwrap();
            prop_assert_eq!(counted, (level / INTERVAL, capacity - level));
            level -= requests.min(level / INTERVAL) * INTERVAL;
        }
        Ok(())
    });
    tested.unwrap();
}
