//! A port of the loopback interface for one server, kept from other runs on this host.
//!
//! Between choosing a port and the server's taking it pass seconds to minutes, in which the
//! kernel gives the same port to the next who asks. Two servers that ask to share it
//! (`SO_REUSEPORT`, as vLLM's does) then both get it, and a client is answered by either.

use std::{
    io::ErrorKind,
    net::TcpListener,
    os::{linux::net::SocketAddrExt, unix::net::SocketAddr, unix::net::UnixDatagram},
};

use lab::{Problem, Result};

/// So many ports in a row that other runs keep are no chance.
const TRIES: usize = 1_000;

/// A port that no other run on this host is given as long as this value lives.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) number: u16,
    _kept: UnixDatagram,
}

impl Port {
    /// One that is free now.
    pub(super) fn free() -> Result<Port> {
        for _ in 0..TRIES {
            let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr());
            let free = free.map_err(|e| Problem::machine(format!("no free port on the loopback interface: {e}")))?;
            if let Some(port) = Port::keep(free.port())? {
                return Ok(port);
            }
        }
        Err(Problem::machine(format!("other runs keep each of {TRIES} free ports")))
    }

    /// This one, unless another run keeps it. What keeps it is a socket with a name of its
    /// own in this network namespace; the kernel lets go of it however its owner ends.
    fn keep(number: u16) -> Result<Option<Port>> {
        let name = SocketAddr::from_abstract_name(format!("bench-port-{number}"));
        match name.and_then(|name| UnixDatagram::bind_addr(&name)) {
            Ok(kept) => Ok(Some(Port { number, _kept: kept })),
            Err(e) if e.kind() == ErrorKind::AddrInUse => Ok(None),
            Err(e) => Err(Problem::machine(format!("port {number} cannot be kept from other runs: {e}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Port;

    #[test]
    fn a_port_that_one_run_keeps_no_other_is_given_until_it_lets_go() {
        let port = Port::free().unwrap();
        assert!(Port::keep(port.number).unwrap().is_none());
        let number = port.number;
        drop(port);
        assert_eq!(Port::keep(number).unwrap().unwrap().number, number);
    }
}
