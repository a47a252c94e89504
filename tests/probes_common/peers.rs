//! Servers of a test's own: peers that do as they are told, and HTTP with or without TLS.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslVersion};

use super::tls::Paper;

/// A peer that does `act` with each connection, on a thread of its own; its port.
pub(crate) fn peer(act: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let act = Arc::new(act);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = Arc::clone(&act);
            thread::spawn(move || act(stream));
        }
    });
    port
}

/// A port whose queue of connections is full, so that a further one is not answered.
pub(crate) struct Full {
    pub(crate) port: u16,
    _listener: TcpListener,
    _held: Vec<TcpStream>,
}

impl Full {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let mut held = Vec::new();
        // std asks for a queue of 128 or more; each that is taken up is held.
        for _ in 0..8_192 {
            match TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
                Ok(stream) => held.push(stream),
                Err(_) => break,
            }
        }
        Self {
            port: address.port(),
            _listener: listener,
            _held: held,
        }
    }
}

/// Reads a request's head.
pub(crate) fn head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16_384 {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// An answer with a body and its length.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// HTTP in the clear: each request's head is given to `act`, which gives the answer.
pub(crate) fn http(act: impl Fn(&str) -> String + Send + Sync + 'static) -> u16 {
    peer(move |mut stream| {
        let asked = head(&mut stream);
        let _ = stream.write_all(act(&asked).as_bytes());
    })
}

/// The same over TLS with `paper`.
pub(crate) fn https(paper: &Paper, act: impl Fn(&str) -> String + Send + Sync + 'static) -> u16 {
    https_up_to(paper, SslVersion::TLS1_3, act)
}

/// The same with no later version of TLS than `most`.
pub(crate) fn https_up_to(
    paper: &Paper,
    most: SslVersion,
    act: impl Fn(&str) -> String + Send + Sync + 'static,
) -> u16 {
    let mut builder = SslAcceptor::mozilla_intermediate(SslMethod::tls()).expect("an acceptor");
    builder.set_security_level(0);
    builder
        .clear_options(openssl::ssl::SslOptions::NO_TLSV1 | openssl::ssl::SslOptions::NO_TLSV1_1);
    builder
        .set_min_proto_version(Some(SslVersion::TLS1))
        .expect("a version");
    builder
        .set_max_proto_version(Some(most))
        .expect("a version");
    builder.set_cipher_list("ALL:@SECLEVEL=0").expect("ciphers");
    builder
        .set_private_key_file(&paper.key, SslFiletype::PEM)
        .expect("a key");
    builder
        .set_certificate_chain_file(&paper.chain)
        .expect("a certificate");
    let acceptor = builder.build();
    peer(move |stream| {
        let Ok(mut stream) = acceptor.accept(stream) else {
            return;
        };
        let asked = head(&mut stream);
        let _ = stream.write_all(act(&asked).as_bytes());
        let _ = stream.shutdown();
    })
}
