//! A TCP proxy in front of Redis or PostgreSQL that can hang or be cut.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    Open,
    /// Connections stay, nothing passes.
    Hung,
    /// Connections are closed, new ones too.
    Cut,
}

pub struct Proxy {
    pub address: SocketAddr,
    traffic: Arc<watch::Sender<Traffic>>,
    /// How often connections were frozen.
    freezes: Arc<watch::Sender<u32>>,
}

impl Proxy {
    /// In front of the Redis of the tests.
    pub async fn start(traffic: Traffic) -> Self {
        let url = std::env::var("TEST_REDIS_URL").unwrap();
        Self::before(url.strip_prefix("redis://").unwrap().trim_end_matches('/').to_owned(), traffic).await
    }

    /// In front of the PostgreSQL of the tests.
    pub async fn postgres() -> Self {
        let url = reqwest::Url::parse(&std::env::var("DATABASE_URL").unwrap()).unwrap();
        Self::before(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432)), Traffic::Open).await
    }

    async fn before(target: String, traffic: Traffic) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (traffic, seen) = watch::channel(traffic);
        let (freezes, observed_freezes) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if *seen.borrow() != Traffic::Cut {
                    tokio::spawn(carry(client, target.clone(), seen.clone(), observed_freezes.clone()));
                }
            }
        });
        Self { address, traffic: Arc::new(traffic), freezes: Arc::new(freezes) }
    }

    pub fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
    }

    /// From now on nothing passes on the connections there are, not even their end, until the proxy is dropped; new
    /// ones work.
    pub fn freeze(&self) {
        self.freezes.send_modify(|freezes| *freezes += 1);
    }
}

async fn carry(
    client: TcpStream,
    target: String,
    traffic: watch::Receiver<Traffic>,
    mut observed_freezes: watch::Receiver<u32>,
) {
    let freezes_at_start = *observed_freezes.borrow();
    let server = TcpStream::connect(target).await.unwrap();
    let (mut client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    let mut cut = traffic.clone();
    let there = copy(&mut client_read, &mut server_write, traffic.clone());
    let back = copy(&mut server_read, &mut client_write, traffic);
    let both = async {
        tokio::select! {
            () = there => {}
            () = back => {}
        }
    };
    let frozen = async { observed_freezes.wait_for(|freezes| *freezes > freezes_at_start).await.is_ok() };
    let ended = async {
        tokio::select! {
            biased;
            true = frozen => std::future::pending().await,
            () = both => {}
        }
    };
    tokio::select! {
        () = ended => {}
        _ = cut.wait_for(|traffic| *traffic == Traffic::Cut) => {}
    }
}

async fn copy(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut traffic: watch::Receiver<Traffic>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 || traffic.wait_for(|traffic| *traffic == Traffic::Open).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
