//! A TCP proxy in front of Redis that can be slow, hang or be cut.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What happens to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Everything goes through.
    Open,
    /// Everything that the client sends goes through after this time.
    Slow(Duration),
    /// Connections stay open, nothing goes through.
    Hung,
    /// Connections are closed at once.
    Cut,
}

/// A proxy in front of one address.
pub struct Proxy {
    pub address: SocketAddr,
    traffic: watch::Sender<Traffic>,
}

impl Proxy {
    /// In front of `target`.
    pub async fn to(target: String, traffic: Traffic) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (traffic, watched) = watch::channel(traffic);
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(near, target.clone(), watched.clone()));
            }
        });
        Self { address, traffic }
    }

    pub fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
    }
}

async fn carry(near: TcpStream, target: String, mut traffic: watch::Receiver<Traffic>) {
    let watched = traffic.clone();
    let Ok(far) = TcpStream::connect(target).await else { return };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = copy(near_in, far_out, watched.clone(), true) => {}
        () = copy(far_in, near_out, watched, false) => {}
        _ = traffic.wait_for(|traffic| *traffic == Traffic::Cut) => {}
    }
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut traffic: watch::Receiver<Traffic>,
    is_from_client: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        while *traffic.borrow_and_update() == Traffic::Hung {
            // The sender is gone only when the test is over.
            if tokio::time::timeout(Duration::from_secs(60), traffic.changed()).await.is_err() {
                return;
            }
        }
        let current = *traffic.borrow();
        if let (Traffic::Slow(time), true) = (current, is_from_client) {
            tokio::time::sleep(time).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
