//! A way to Redis or PostgreSQL that can hang or be cut.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Connections stay, nothing passes.
    Hung,
    /// Connections are closed, new ones too.
    Cut,
}

pub struct Proxy {
    pub address: SocketAddr,
    way: Arc<watch::Sender<Way>>,
    /// How often connections were frozen.
    frosts: Arc<watch::Sender<u32>>,
}

impl Proxy {
    /// In front of the Redis of the tests.
    pub async fn start(way: Way) -> Self {
        let url = std::env::var("TEST_REDIS_URL").unwrap();
        Self::before(url.strip_prefix("redis://").unwrap().trim_end_matches('/').to_owned(), way).await
    }

    /// In front of the PostgreSQL of the tests.
    pub async fn postgres() -> Self {
        let url = reqwest::Url::parse(&std::env::var("DATABASE_URL").unwrap()).unwrap();
        Self::before(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432)), Way::Open).await
    }

    async fn before(target: String, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, seen) = watch::channel(way);
        let (frosts, felt) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if *seen.borrow() != Way::Cut {
                    tokio::spawn(carry(client, target.clone(), seen.clone(), felt.clone()));
                }
            }
        });
        Self { address, way: Arc::new(way), frosts: Arc::new(frosts) }
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// From now on nothing passes on the connections there are, not even their end, until the proxy is dropped; new
    /// ones work.
    pub fn freeze(&self) {
        self.frosts.send_modify(|frosts| *frosts += 1);
    }
}

async fn carry(client: TcpStream, target: String, way: watch::Receiver<Way>, mut felt: watch::Receiver<u32>) {
    let born = *felt.borrow();
    let server = TcpStream::connect(target).await.unwrap();
    let (mut client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    let mut cut = way.clone();
    let there = copy(&mut client_read, &mut server_write, way.clone());
    let back = copy(&mut server_read, &mut client_write, way);
    let both = async {
        tokio::select! {
            () = there => {}
            () = back => {}
        }
    };
    let frozen = async { felt.wait_for(|frosts| *frosts > born).await.is_ok() };
    let ended = async {
        tokio::select! {
            biased;
            true = frozen => std::future::pending().await,
            () = both => {}
        }
    };
    tokio::select! {
        () = ended => {}
        _ = cut.wait_for(|way| *way == Way::Cut) => {}
    }
}

async fn copy(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut way: watch::Receiver<Way>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 || way.wait_for(|way| *way == Way::Open).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
