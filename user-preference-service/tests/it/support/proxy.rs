//! A TCP link in front of a real server, which can be cut, frozen or slowed.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

/// What the link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Passes everything on, each piece after this time.
    Up(Duration),
    /// Closes connections, old and new.
    Dead,
    /// Keeps connections open and passes nothing on.
    Hung,
    /// Answers with what no server would say.
    Garbage,
    /// Answers everything on a new connection with this line.
    Refusing(&'static str),
}

/// The link; it ends with the test's runtime.
pub struct Proxy {
    pub address: SocketAddr,
    mode: watch::Sender<Link>,
}

impl Proxy {
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, seen) = watch::channel(Link::Up(Duration::ZERO));
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server.clone(), seen.clone()));
            }
        });
        Self { address, mode }
    }

    pub fn set(&self, mode: Link) {
        self.mode.send_replace(mode);
    }
}

async fn serve(client: TcpStream, server: String, mode: watch::Receiver<Link>) {
    let (first, mut seen) = (*mode.borrow(), mode.clone());
    let cut = async move { seen.wait_for(|mode| matches!(mode, Link::Dead)).await.is_ok() };
    let work = async move {
        match first {
            Link::Dead => {}
            Link::Garbage => babble(client, "?what?").await,
            Link::Refusing(line) => babble(client, line).await,
            Link::Up(_) | Link::Hung => {
                let Ok(server) = TcpStream::connect(server).await else { return };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::select! {
                    () = pass(from_client, to_server, mode.clone(), false) => {}
                    () = pass(from_server, to_client, mode, true) => {}
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
    mut mode: watch::Receiver<Link>,
    is_answer: bool,
) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else { return };
        let now = *mode.borrow();
        match now {
            Link::Up(delay) => sleep(delay).await,
            Link::Garbage if is_answer => piece[..length].fill(b'?'),
            Link::Garbage | Link::Refusing(_) => {}
            Link::Dead => return,
            Link::Hung => {
                if mode.wait_for(|mode| *mode != Link::Hung).await.is_err() {
                    return;
                }
            }
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

async fn babble(mut client: TcpStream, line: &str) {
    let mut ignored = [0; 1024];
    while let Ok(1..) = client.read(&mut ignored).await {
        if client.write_all(format!("{line}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}
