//! A TCP proxy that can cut or freeze what goes through it.

use std::net::SocketAddr;

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
    Open,
    /// Connections stay open, nothing gets through.
    Hung,
    /// Connections are closed at once, old and new.
    Cut,
}

/// A proxy in front of one address.
pub struct Proxy {
    pub address: SocketAddr,
    traffic: watch::Sender<Traffic>,
    /// How often all connections were lost; new ones are not concerned.
    losses: watch::Sender<u32>,
}

impl Proxy {
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (traffic, watcher) = watch::channel(Traffic::Open);
        let (losses, lost) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, target.clone(), watcher.clone(), lost.clone()));
            }
        });
        Self { address, traffic, losses }
    }

    pub fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
    }

    /// From now on nothing gets through the connections that there are, and nobody is told; new ones work.
    pub fn lose_connections(&self) {
        self.losses.send_modify(|losses| *losses += 1);
    }
}

async fn connection(
    client: TcpStream,
    target: String,
    watcher: watch::Receiver<Traffic>,
    mut losses: watch::Receiver<u32>,
) {
    let mut cut = watcher.clone();
    let before = *losses.borrow();
    let forwarding = async {
        let Ok(server) = TcpStream::connect(target).await else { return };
        let ((client_read, client_write), (server_read, server_write)) = (client.into_split(), server.into_split());
        tokio::select! {
            () = pump(client_read, server_write, watcher.clone()) => {}
            () = pump(server_read, client_write, watcher.clone()) => {}
        }
    };
    let lost = async move { losses.wait_for(|losses| *losses != before).await.is_ok() };
    let until_lost = async {
        tokio::pin!(forwarding);
        tokio::select! {
            () = &mut forwarding => {}
            // Kept as it is, open and silent.
            true = lost => std::future::pending().await,
        }
    };
    tokio::select! {
        () = until_lost => {}
        _ = cut.wait_for(|traffic| *traffic == Traffic::Cut) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut watcher: watch::Receiver<Traffic>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length) = from.read(&mut buffer).await {
        if length == 0
            || watcher.wait_for(|traffic| *traffic != Traffic::Hung).await.is_err()
            || to.write_all(&buffer[..length]).await.is_err()
        {
            return;
        }
    }
}
