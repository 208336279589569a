//! A connection that says when its bytes came.
//!
//! Each read is stamped right after it returns; the kernel says beside it how long ago the
//! last of the bytes had reached this host (`SO_TIMESTAMPNS`). However busy this thread or
//! its core is, a chunk's time is then when it arrived and not when somebody looked.

use std::{
    future::poll_fn,
    io::{self, IoSliceMut},
    os::fd::AsRawFd,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use lab::Nanos;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recv, recvmsg, setsockopt, sockopt::ReceiveTimestampns};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::{clock::Clock, target::Target};

/// When a read returned and how long its last bytes had been there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stamp {
    /// Right after the read returned.
    pub at: Nanos,
    /// Since the bytes were in the kernel; zero where it does not say.
    pub behind: Nanos,
}

impl Stamp {
    /// When the bytes were at this host.
    pub fn arrived(self) -> Nanos {
        Nanos(self.at.0.saturating_sub(self.behind.0))
    }
}

/// A plain connection.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    clock: Clock,
    control: Vec<u8>,
    stamp: Stamp,
    sent: Nanos,
    early: bool,
}

/// By so much the kernel's clock and ours may be apart, once they are asked.
const ASKING: Nanos = Nanos(50_000);

/// A connection, plain or encrypted.
pub enum Connection {
    /// Plain.
    Plain(Socket),
    /// Encrypted.
    Tls(Box<TlsStream<Socket>>),
}

/// What a connection is before a request is sent on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// Nothing has come.
    Quiet,
    /// The server closed it.
    Closed,
    /// Bytes that nobody asked for.
    Talking,
}

impl Connection {
    /// Connects, with TLS where the target has it.
    pub async fn open(target: &Target) -> io::Result<Self> {
        let socket = Socket::open(target).await?;
        match &target.tls {
            None => Ok(Connection::Plain(socket)),
            Some((tls, name)) => {
                let connector = tokio_rustls::TlsConnector::from(Arc::clone(tls));
                Ok(Connection::Tls(Box::new(connector.connect(name.clone(), socket).await?)))
            }
        }
    }

    /// When the last read returned.
    pub fn stamp(&self) -> Stamp {
        self.socket().stamp
    }

    /// Whether what the last read brought was here before the request was sent.
    pub fn early(&self) -> bool {
        self.socket().early
    }

    /// A request is sent now: nothing that is read from here on can have come before.
    pub fn begin(&mut self, now: Nanos) {
        let socket = match self {
            Connection::Plain(socket) => socket,
            Connection::Tls(stream) => stream.get_mut().0,
        };
        (socket.stamp, socket.sent, socket.early) = (Stamp { at: now, behind: Nanos(0) }, now, false);
    }

    fn socket(&self) -> &Socket {
        match self {
            Connection::Plain(socket) => socket,
            Connection::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Whether a request can be sent on it. Over TLS a server may send tickets at any time, so
    /// what counts there is what comes of the bytes.
    pub async fn idle(&mut self) -> Idle {
        match self {
            Connection::Plain(socket) => socket.idle(),
            Connection::Tls(stream) => {
                let mut bytes = [0; 64];
                let mut buffer = ReadBuf::new(&mut bytes);
                let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut *stream).poll_read(cx, &mut buffer))).await;
                match polled {
                    Poll::Pending => Idle::Quiet,
                    Poll::Ready(Ok(())) if !buffer.filled().is_empty() => Idle::Talking,
                    Poll::Ready(_) => Idle::Closed,
                }
            }
        }
    }
}

impl Socket {
    async fn open(target: &Target) -> io::Result<Self> {
        let stream = TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        // A kernel without stamps leaves those of the reads.
        let _ = setsockopt(&stream, ReceiveTimestampns, &true);
        let control = nix::cmsg_space!(nix::sys::time::TimeSpec);
        Ok(Socket { stream, clock: target.clock, control, stamp: Stamp::default(), sent: Nanos(0), early: false })
    }

    fn idle(&self) -> Idle {
        match recv(self.stream.as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) {
            Ok(0) => Idle::Closed,
            Ok(_) => Idle::Talking,
            Err(nix::errno::Errno::EAGAIN) => Idle::Quiet,
            Err(_) => Idle::Closed,
        }
    }
}

/// One read, with the time at which the kernel had its last bytes.
fn receive(stream: &TcpStream, into: &mut [u8], control: &mut [u8]) -> io::Result<(usize, Option<Duration>)> {
    let mut into = [IoSliceMut::new(into)];
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut into, Some(control), MsgFlags::empty())?;
    let arrived = message.cmsgs()?.find_map(|c| match c {
        ControlMessageOwned::ScmTimestampns(at) => Some(at.into()),
        _ => None,
    });
    Ok((message.bytes, arrived))
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Socket { stream, clock, control, stamp, sent, early } = self.get_mut();
        loop {
            ready!(stream.poll_read_ready(cx))?;
            let into = buf.initialize_unfilled();
            let room = into.len();
            match stream.try_io(Interest::READABLE, || receive(stream, into, control)) {
                Ok((n, arrived)) => {
                    let at = clock.now();
                    let arrived = arrived.and_then(|wall| clock.of_wall(wall)).unwrap_or(at);
                    *early = arrived.0 + ASKING.0 < sent.0;
                    // What came later did not arrive earlier, whatever the system's clock did.
                    let arrived = arrived.clamp(stamp.arrived().min(at), at);
                    *stamp = Stamp { at, behind: Nanos(at.0 - arrived.0) };
                    if 0 < n && n < room {
                        // Nothing is left, so the next poll need not ask the kernel.
                        let _ = stream.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
                    }
                    buf.advance(n);
                    return Poll::Ready(Ok(()));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Connection::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Connection::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Connection::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Connection::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Connection::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
