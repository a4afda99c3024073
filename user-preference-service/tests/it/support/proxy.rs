//! A TCP proxy in front of a real server, which can be cut, frozen or slowed.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

/// What happens to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Passes everything on, each piece after this time.
    Open(Duration),
    /// Closes connections, old and new.
    Cut,
    /// Keeps connections open and passes nothing on.
    Hung,
    /// Answers with what no server would say.
    Garbage,
    /// Answers everything on a new connection with this line.
    Refusing(&'static str),
}

/// A proxy; it ends with the test's runtime.
pub struct Proxy {
    pub address: SocketAddr,
    traffic: watch::Sender<Traffic>,
}

impl Proxy {
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (traffic, seen) = watch::channel(Traffic::Open(Duration::ZERO));
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server.clone(), seen.clone()));
            }
        });
        Self { address, traffic }
    }

    pub fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
    }
}

async fn serve(client: TcpStream, server: String, traffic: watch::Receiver<Traffic>) {
    let (first, mut seen) = (*traffic.borrow(), traffic.clone());
    let cut = async move { seen.wait_for(|traffic| matches!(traffic, Traffic::Cut)).await.is_ok() };
    let work = async move {
        match first {
            Traffic::Cut => {}
            Traffic::Garbage => send_garbage(client, "?what?").await,
            Traffic::Refusing(line) => send_garbage(client, line).await,
            Traffic::Open(_) | Traffic::Hung => {
                let Ok(server) = TcpStream::connect(server).await else { return };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::select! {
                    () = pass(from_client, to_server, traffic.clone(), false) => {}
                    () = pass(from_server, to_client, traffic, true) => {}
                }
            }
        }
    };
    tokio::select! {
        () = work => {}
        _ = cut => {}
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut traffic: watch::Receiver<Traffic>,
    is_answer: bool,
) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else { return };
        let now = *traffic.borrow();
        match now {
            Traffic::Open(delay) => sleep(delay).await,
            Traffic::Garbage if is_answer => piece[..length].fill(b'?'),
            Traffic::Garbage | Traffic::Refusing(_) => {}
            Traffic::Cut => return,
            Traffic::Hung => {
                if traffic.wait_for(|traffic| *traffic != Traffic::Hung).await.is_err() {
                    return;
                }
            }
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

async fn send_garbage(mut client: TcpStream, line: &str) {
    let mut ignored = [0; 1024];
    while let Ok(1..) = client.read(&mut ignored).await {
        if client.write_all(format!("{line}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}
