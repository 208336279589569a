use std::{fmt, str::FromStr};

/// The base URL of an endpoint, without its `/v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether it speaks TLS.
    pub tls: bool,
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What stands before `/v1` in every path: empty, or `/…` without a slash at its end.
    pub prefix: String,
}

impl FromStr for Url {
    type Err = String;

    /// Reads `http://host:port` or `https://host/prefix`, with or without `/v1` at the end.
    fn from_str(text: &str) -> Result<Self, String> {
        let shown = || crate::text::shown(text, 120);
        let url = url::Url::parse(text).map_err(|e| format!("`{}` is not a URL: {e}", shown()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL with a user name or password would end up in the bundle".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("`{}` holds more than a scheme, a host, a port and a path", shown()));
        }
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(format!("`{}` is neither http nor https", crate::text::shown(other, 40))),
        };
        let host = url.host_str().ok_or_else(|| format!("`{}` names no host", shown()))?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host).to_owned();
        let port = url.port_or_known_default().ok_or_else(|| format!("`{}` names no port", shown()))?;
        let path = url.path().trim_end_matches('/');
        let prefix = path.strip_suffix("/v1").unwrap_or(path).to_owned();
        Ok(Url { tls, host, port, prefix })
    }
}

impl Url {
    /// A server on a port of this host.
    pub fn local(port: u16) -> Self {
        Url { tls: false, host: "127.0.0.1".to_owned(), port, prefix: String::new() }
    }

    /// Host and port as a `Host` header has them.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http{}://{}{}", if self.tls { "s" } else { "" }, self.authority(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn a_base_url_is_read_with_or_without_its_version() {
        for (text, shown) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
            ("https://api.example.com/v1/", "https://api.example.com"),
            ("https://example.com/proxy/v1", "https://example.com/proxy"),
            ("http://[::1]:8000/", "http://[::1]:8000"),
        ] {
            assert_eq!(text.parse::<Url>().map(|u| u.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn secrets_and_other_schemes_are_refused() {
        for text in ["http://user:pass@host", "ftp://host", "localhost:8000", "http://host/?key=1", "http://"] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }
}
