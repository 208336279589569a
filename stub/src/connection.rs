//! One connection: whole requests in, bytes out, and waiting that ends when the
//! client goes.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::alarm::Alarm;
use crate::http::{Request, Unreadable, parse_head};

/// Longest request head.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Longest request body.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of a further request that may arrive during an answer.
const MAX_AHEAD_BYTES: usize = 1024 * 1024;

/// One connection, with the bytes that were read ahead.
pub(crate) struct Connection {
    stream: Arc<TcpStream>,
    ahead: Vec<u8>,
}

impl Connection {
    /// Takes over a stream.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream: Arc::new(stream), ahead: Vec::new() }
    }

    /// The next request with its whole body.
    pub(crate) async fn request(&mut self) -> Result<Request, Unreadable> {
        let mut request = loop {
            if let Some((request, used)) = parse_head(&self.ahead)? {
                self.ahead.drain(..used);
                break request;
            }
            if self.ahead.len() > MAX_HEAD_BYTES {
                return Err(Unreadable::Bad(431, "Request Header Fields Too Large"));
            }
            self.fill().await?;
        };
        if request.length > MAX_BODY_BYTES {
            return Err(Unreadable::Bad(413, "Request Entity Too Large"));
        }
        if request.expects {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.body = if request.chunked { self.chunked_body().await? } else { self.exactly(request.length).await? };
        Ok(request)
    }

    /// The stream, for who writes to it by itself.
    pub(crate) fn stream(&self) -> Arc<TcpStream> {
        Arc::clone(&self.stream)
    }

    async fn read(&mut self) -> io::Result<usize> {
        loop {
            match self.stream.try_read_buf(&mut self.ahead) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.stream.readable().await?,
                read => return read,
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Unreadable> {
        match self.read().await? {
            0 => Err(Unreadable::Gone),
            _ => Ok(()),
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Unreadable> {
        while self.ahead.len() < length {
            self.fill().await?;
        }
        let rest = self.ahead.split_off(length);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    async fn line(&mut self) -> Result<String, Unreadable> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line = self.exactly(end + 1).await?;
                return Ok(String::from_utf8_lossy(&line).trim().to_owned());
            }
            if self.ahead.len() > MAX_HEAD_BYTES {
                return Err(Unreadable::Bad(400, "Bad Request"));
            }
            self.fill().await?;
        }
    }

    async fn chunked_body(&mut self) -> Result<Vec<u8>, Unreadable> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| Unreadable::Bad(400, "Bad Request"))?;
            if size > MAX_BODY_BYTES - body.len() {
                return Err(Unreadable::Bad(413, "Request Entity Too Large"));
            }
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.exactly(size).await?);
            self.line().await?;
        }
    }

    /// Writes bytes.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        write_all(&self.stream, bytes).await
    }

    /// Waits until an instant, or fails as soon as the client is gone.
    pub(crate) async fn wait(&mut self, alarm: &Alarm, when: Instant) -> io::Result<()> {
        if when <= Instant::now() {
            return Ok(());
        }
        tokio::select! {
            () = alarm.until(when) => Ok(()),
            error = self.gone() => Err(error),
        }
    }

    /// Returns when the client is gone; keeps what it sends meanwhile.
    pub(crate) async fn gone(&mut self) -> io::Error {
        loop {
            if self.ahead.len() >= MAX_AHEAD_BYTES {
                std::future::pending::<()>().await;
            }
            match self.read().await {
                Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// Closes the sending side.
    pub(crate) async fn half_close(&mut self) -> io::Result<()> {
        match Arc::get_mut(&mut self.stream) {
            Some(stream) => stream.shutdown().await,
            None => Err(io::ErrorKind::ResourceBusy.into()),
        }
    }

    /// Makes the coming close a reset.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }
}

/// Writes bytes to a stream that others hold too.
pub(crate) async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
