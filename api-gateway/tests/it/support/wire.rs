//! A stretch of network in front of Redis that can be cut, held up and mended.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Everything goes through.
    Well,
    /// Connections stay open, nothing goes through.
    Hung,
    /// Connections are closed at once.
    Cut,
}

/// The stretch.
pub struct Wire {
    pub address: SocketAddr,
    state: watch::Sender<State>,
}

impl Wire {
    /// In front of `target`.
    pub async fn to(target: String, state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, watched) = watch::channel(state);
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(near, target.clone(), watched.clone()));
            }
        });
        Self { address, state }
    }

    pub fn turn(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn carry(near: TcpStream, target: String, mut state: watch::Receiver<State>) {
    let held = state.clone();
    let Ok(far) = TcpStream::connect(target).await else { return };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = copy(near_in, far_out, held.clone()) => {}
        () = copy(far_in, near_out, held) => {}
        _ = state.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        while *state.borrow_and_update() == State::Hung {
            // The sender is gone only when the test is over.
            if tokio::time::timeout(Duration::from_secs(60), state.changed()).await.is_err() {
                return;
            }
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
