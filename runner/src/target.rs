//! What requests are sent to.

use std::{net::SocketAddr, sync::Arc};

use lab::{
    Bytes, Problem, Result,
    workload::{Arm, Url, Workload},
};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, pki_types::ServerName};

use crate::clock::Clock;

/// One server, as the client sees it.
#[derive(Clone)]
pub struct Target {
    /// The trial's clock.
    pub clock: Clock,
    /// Its base URL.
    pub url: Url,
    /// Where that leads.
    pub address: SocketAddr,
    /// How it is encrypted, and the name on its certificate.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// The API key; nothing that is stored ever holds it.
    pub key: Option<Secret>,
    /// Bytes of one response.
    pub limit: Bytes,
    /// Whether ports, buffers and memory of the connection are shared with the server, who
    /// then may have taken them all: its network is the one that the client is in.
    pub shared: bool,
}

/// A text that is sent and never shown.
#[derive(Clone)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Every key of a workload.
    pub fn all(workload: &Workload) -> Result<Vec<Self>> {
        let arms = workload.arms().chain(workload.reference().map(|r| ("equivalence.reference", r)));
        arms.filter_map(|(field, arm)| Secret::of(arm, field).transpose()).collect()
    }

    /// The arm's API key, from our own environment.
    pub fn of(arm: &Arm, field: &str) -> Result<Option<Self>> {
        let Some(name) = &arm.api_key_env else { return Ok(None) };
        match std::env::var(name) {
            Ok(key) if !key.is_empty() && key.bytes().all(|b| (0x20..0x7f).contains(&b)) => {
                Ok(Some(Secret(key.into())))
            }
            Ok(_) => Err(Problem::machine(format!("the variable {name} does not hold an API key"))
                .at(format!("{field}.api_key_env"))
                .next("set it to the key, without line ends")),
            Err(_) => Err(Problem::machine(format!("the variable {name} is not set"))
                .at(format!("{field}.api_key_env"))
                .next(format!("export {name}=… before the run"))),
        }
    }

    /// As a header needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a text holds it.
    pub fn is_in(&self, text: &str) -> bool {
        text.contains(&*self.0)
    }

    /// Puts as many asterisks where a server repeats the key.
    pub fn blank(&self, bytes: &mut [u8]) {
        let key = self.0.as_bytes();
        let mut from = 0;
        while let Some(at) = bytes[from..].windows(key.len()).position(|w| w == key) {
            bytes[from + at..from + at + key.len()].fill(b'*');
            from += at + key.len();
        }
    }
}

impl Target {
    /// A server on a port of this host.
    pub fn local(clock: Clock, port: u16, limit: Bytes, key: Option<Secret>) -> Self {
        Self::at(clock, (std::net::Ipv4Addr::LOCALHOST, port).into(), limit, key)
    }

    /// A server at an address.
    pub fn at(clock: Clock, address: SocketAddr, limit: Bytes, key: Option<Secret>) -> Self {
        let url = Url { host: address.ip().to_string(), ..Url::local(address.port()) };
        Target { clock, url, address, tls: None, key, limit, shared: false }
    }

    /// A server that somebody else started; its name is looked up once.
    pub async fn remote(clock: Clock, url: &Url, limit: Bytes, key: Option<Secret>) -> Result<Self> {
        let failed = |what: String| Problem::machine(what).at(url.to_string()).next("correct the endpoint's URL");
        let mut found = tokio::net::lookup_host((url.host.as_str(), url.port))
            .await
            .map_err(|e| failed(format!("the host is not found: {e}")))?;
        let address = found.next().ok_or_else(|| failed("the host has no address".to_owned()))?;
        let tls = if url.tls {
            let name = ServerName::try_from(url.host.clone()).map_err(|e| failed(e.to_string()))?;
            Some((Arc::new(tls()?), name))
        } else {
            None
        };
        Ok(Target { clock, url: url.clone(), address, tls, key, limit, shared: false })
    }
}

/// TLS that trusts whom this host trusts.
fn tls() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(Problem::machine("this host has no trusted certificates")
            .next("install ca-certificates, or set SSL_CERT_FILE"));
    }
    config(roots)
}

/// TLS that trusts nobody, for a client that never speaks it.
pub(crate) fn no_tls() -> Result<ClientConfig> {
    config(RootCertStore::empty())
}

/// HTTP/1.1 over TLS 1.2 or 1.3.
fn config(roots: RootCertStore) -> Result<ClientConfig> {
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Problem::machine(format!("TLS cannot be set up: {e}")))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_key_that_a_server_repeats_is_blanked() {
        let mut bytes = b"data: sk-1sk-1 and sk-12 sk-".to_vec();
        Secret("sk-1".into()).blank(&mut bytes);
        assert_eq!(bytes, b"data: ******** and ****2 sk-");
    }
}
