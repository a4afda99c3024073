//! A body of 1 GiB in both directions.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Instant,
};

use crate::{
    candidates::Candidate,
    process::{peak_mebibytes, reset_peak},
};

/// Length of the body in bytes.
pub const BYTES: usize = 1 << 30;

/// Sends and receives the body through each gateway, and prints time and peak memory.
pub fn table(candidates: &[Candidate]) {
    println!("\na body of 1 GiB: seconds, and peak memory in MiB (RSS of all processes of the gateway)");
    println!("{:<24}{:>12}{:>12}{:>12}{:>12}", "gateway", "up s", "peak", "down s", "peak");
    for candidate in candidates {
        let (up, up_peak) = measure(candidate, upload);
        let (down, down_peak) = measure(candidate, download);
        println!("{:<24}{up:>12.2}{up_peak:>12.1}{down:>12.2}{down_peak:>12.1}", candidate.name);
    }
}

fn measure(candidate: &Candidate, transfer: fn(TcpStream)) -> (f64, f64) {
    let processes = candidate.processes();
    reset_peak(&processes);
    let started = Instant::now();
    transfer(TcpStream::connect(candidate.address).expect("the gateway listens"));
    (started.elapsed().as_secs_f64(), peak_mebibytes(&processes))
}

/// The upstream answers with the number of bytes that it got.
fn upload(mut stream: TcpStream) {
    let head = format!("POST {}Content-Length: {BYTES}\r\n\r\n", target("/api/v1/users/sink"));
    stream.write_all(head.as_bytes()).expect("the gateway reads");
    let chunk = vec![b'x'; 256 << 10];
    for _ in 0..BYTES / chunk.len() {
        stream.write_all(&chunk).expect("the gateway reads");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the gateway answers");
    assert!(answer.ends_with(&BYTES.to_string()), "{answer}");
}

fn download(mut stream: TcpStream) {
    stream
        .write_all((target("/api/v1/users/source") + "\r\n").replacen("", "GET ", 1).as_bytes())
        .expect("the gateway reads");
    let (mut buffer, mut length) = (vec![0; 256 << 10], 0);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        length += read;
    }
    assert!(length > BYTES, "only {length} bytes came");
}

fn target(path: &str) -> String {
    format!("{path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\nConnection: close\r\n")
}
