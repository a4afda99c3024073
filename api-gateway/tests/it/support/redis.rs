//! A database of its own on the real Redis for each test.

use redis::{AsyncConnectionConfig, Client, aio::MultiplexedConnection};

use super::WAIT_TIMEOUT;

/// One database, empty at first.
#[derive(Clone)]
pub struct TestRedis {
    pub address: String,
    pub database: i64,
    pub connection: MultiplexedConnection,
}

impl TestRedis {
    /// The next free database.
    pub async fn new() -> Self {
        let url = std::env::var("TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
        let address = url.trim_start_matches("redis://").trim_end_matches('/').to_owned();
        let mut first = connect(&address, 0).await;
        let number: i64 = redis::cmd("INCR").arg("test:next_database").query_async(&mut first).await.unwrap();
        let database = number % databases(&mut first).await + 1;
        let mut connection = connect(&address, database).await;
        redis::cmd("FLUSHDB").exec_async(&mut connection).await.unwrap();
        Self { address, database, connection }
    }

    /// Runs one command.
    pub async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(*word);
        });
        command.query_async(&mut self.connection.clone()).await.unwrap()
    }
}

pub async fn connect(address: &str, database: i64) -> MultiplexedConnection {
    let client = Client::open(format!("redis://{address}/{database}")).unwrap();
    // The default gives up after half a second, for which the start of a gateway may occupy the thread.
    let settings = AsyncConnectionConfig::new().set_response_timeout(Some(WAIT_TIMEOUT));
    let connecting = client.get_multiplexed_async_connection_with_config(&settings);
    connecting.await.expect("TEST_REDIS_URL names a running Redis")
}

async fn databases(connection: &mut MultiplexedConnection) -> i64 {
    let (_, number): (String, i64) =
        redis::cmd("CONFIG").arg("GET").arg("databases").query_async(connection).await.unwrap();
    number - 1
}
