//! A way to Redis that can hang or be cut.

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
}

impl Proxy {
    /// In front of the Redis of the tests.
    pub async fn start(way: Way) -> Self {
        let url = std::env::var("TEST_REDIS_URL").unwrap();
        let target = url.strip_prefix("redis://").unwrap().trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, seen) = watch::channel(way);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if *seen.borrow() != Way::Cut {
                    tokio::spawn(carry(client, target.clone(), seen.clone()));
                }
            }
        });
        Self { address, way: Arc::new(way) }
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn carry(client: TcpStream, target: String, way: watch::Receiver<Way>) {
    let server = TcpStream::connect(target).await.unwrap();
    let (mut client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    let mut cut = way.clone();
    let there = copy(&mut client_read, &mut server_write, way.clone());
    let back = copy(&mut server_read, &mut client_write, way);
    tokio::select! {
        () = there => {}
        () = back => {}
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
