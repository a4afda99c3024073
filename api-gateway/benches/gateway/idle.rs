//! Memory for connections on which nothing happens.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::{candidates::Candidate, process::memory_mebibytes};

/// Opens 1,000 connections, sends one request on each, and says what the gateway's processes take then, in MiB.
pub fn memory_at_1_000_connections(candidate: &Candidate) -> f64 {
    let connections: Vec<TcpStream> = (0..1000).map(|_| connection(candidate)).collect();
    std::thread::sleep(Duration::from_millis(500));
    let memory = memory_mebibytes(&candidate.processes());
    drop(connections);
    memory
}

fn connection(candidate: &Candidate) -> TcpStream {
    let mut stream = TcpStream::connect(candidate.address).expect("the gateway listens");
    let request = "GET /api/v1/movies HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the gateway reads");
    let mut read = [0; 4096];
    assert!(stream.read(&mut read).expect("the gateway answers") > 0, "{} hung up", candidate.name);
    stream
}
