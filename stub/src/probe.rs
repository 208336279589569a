//! What this server can reach from where it runs, for tests of its isolation.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

/// An address that says nothing for so long is silent.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tries the addresses one after another and logs what came of each.
pub(crate) async fn log_each(addresses: &[String]) {
    for address in addresses {
        eprintln!("stub: probe {address}: {}", outcome(connect(address).await));
    }
}

async fn connect(address: &str) -> io::Result<()> {
    let attempt = async {
        if address.starts_with('/') {
            UnixStream::connect(address).await.map(drop)
        } else {
            let address: SocketAddr = address.parse().map_err(|e| io::Error::new(ErrorKind::InvalidInput, e))?;
            TcpStream::connect(address).await.map(drop)
        }
    };
    tokio::time::timeout(PATIENCE, attempt).await.unwrap_or(Err(ErrorKind::TimedOut.into()))
}

/// Refused and silent are not unreachable: something may be there.
fn outcome(result: io::Result<()>) -> String {
    match result {
        Ok(()) => "connected".into(),
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused => "refused".into(),
            ErrorKind::TimedOut => "silent".into(),
            ErrorKind::NotFound => "absent".into(),
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => "unreachable".into(),
            _ => error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_is_connected_a_closed_port_refused_and_a_missing_socket_absent() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(outcome(connect(&address).await), "connected");
        drop(listener);
        assert_eq!(outcome(connect(&address).await), "refused");
        assert_eq!(outcome(connect("/absent.sock").await), "absent");
        assert_eq!(outcome(connect("nowhere").await), "invalid socket address syntax");
    }
}
