//! Servers that run already: measured, marked, and never started or stopped by us.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::Arc,
};

use lab::records::Outcome;
use support::{Lab, code, model, stderr, stdout};
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

const KEY: &str = "sk-a-key-that-nobody-may-find";

fn workload() -> String {
    format!(
        "name = \"remote\"\n[models.toy]\npath = {:?}\nserved_name = \"stub\"\n[baseline]\ncommand = [\"left-out\", \"{{port}}\"]\n[candidates.gone]\ncommand = [\"left-out\", \"{{port}}\"]\n[requests.prose]\nseed = 3\nwords = 16\n[sampling]\nmax_tokens = 8\n[[load]]\nname = \"main\"\nrequests = 4\nclosed = {{ concurrency = 2 }}\n[rounds]\ncount = 1\n[limits]\nready = \"10s\"\nrequest = \"5s\"\n[equivalence]\nsample = 2\n",
        model()
    )
}

fn stub() -> stub::Handle {
    stub::start(stub::Options::from_args(["--ttft", "1ms", "--itl", "100us"]).unwrap()).unwrap()
}

#[test]
fn a_running_server_is_measured_and_marked_as_such() {
    let (lab, server) = (Lab::new(), stub());
    lab.write("x.toml", &workload());
    let output = lab.bench(&["run", "x.toml", "--endpoint", &server.url()]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let (bundle, record) = (lab.bundle(), lab.trial("baseline"));
    assert_eq!(bundle.environments().unwrap()[0].endpoints["baseline"], server.url());
    assert_eq!(record.trial.server.executor, "endpoint");
    assert!(record.requests.iter().all(|r| r.outcome == Outcome::Complete && r.ids > 0));
    assert_eq!(code(&lab.bench(&["verify", &bundle.path.display().to_string()])), 0);
    server.stop().unwrap();
}

#[test]
fn nodes_of_a_cluster_do_not_measure_one_running_server_at_once() {
    let lab = Lab::new();
    lab.write("x.toml", &workload());
    let refused = lab.bench(&["run", "x.toml", "--endpoint", "http://127.0.0.1:9", "--executor", "slurm"]);
    assert_eq!(code(&refused), 10);
    assert!(stderr(&refused).contains("next: leave --executor slurm out"), "{}", stderr(&refused));
    assert!(lab.runs().is_empty(), "nothing was begun");
}

#[test]
fn an_api_key_is_sent_and_is_nowhere_in_the_bundle_though_the_server_repeats_it() {
    let (lab, server) = (Lab::new(), echo());
    lab.write("x.toml", &workload());
    let url = format!("http://{server}");
    let arguments = ["run", "x.toml", "--endpoint", &url, "--api-key-env", "LAB_TEST_KEY"];
    let missing = lab.bench(&arguments);
    assert_eq!(code(&missing), 11);
    assert!(stderr(&missing).contains("LAB_TEST_KEY is not set"), "{}", stderr(&missing));
    assert!(lab.runs().is_empty(), "nothing was begun");
    let output = lab.command(&arguments).env("LAB_TEST_KEY", KEY).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let said: Vec<_> = lab.trial("baseline").chunks.iter().map(|c| c.text.clone()).collect();
    assert_eq!(said[0], format!("Bearer {}", "*".repeat(KEY.len())), "it was sent, and it is blanked");
    assert_eq!(files_with(&lab.bundle().path, KEY.as_bytes()), Vec::<String>::new());
    assert!(!stdout(&output).contains(KEY) && !stderr(&output).contains(KEY));
}

#[test]
fn an_endpoint_over_tls_is_measured_where_its_certificate_is_trusted() {
    let (lab, server) = (Lab::new(), stub());
    let front = tls_in_front_of(server.address());
    lab.write("x.toml", &workload());
    let url = format!("https://localhost:{}/v1", front.port());
    let run = |authority: &str| {
        let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(authority);
        lab.command(&["run", "x.toml", "--endpoint", &url]).env("SSL_CERT_FILE", authority).output().unwrap()
    };
    let output = run("ca.pem");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let record = lab.trial("baseline");
    assert!(record.requests.iter().all(|r| r.outcome == Outcome::Complete), "{:?}", record.requests[0]);
    assert!(record.chunks.iter().any(|c| !c.text.is_empty()));
    fs::remove_dir_all(lab.path("results")).unwrap();
    // Whom this host does not trust, it does not talk to.
    let stranger = run("stranger.pem");
    assert_eq!(code(&stranger), 13, "{}", stderr(&stranger));
}

/// A server that says the `Authorization` header of its requests.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
            while !String::from_utf8_lossy(&bytes).contains("\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(n) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
                    _ => break,
                }
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let says = text.lines().find_map(|l| {
                let (name, value) = l.split_once(": ")?;
                name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
            });
            let body = format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}},\"finish_reason\":\"stop\"}}]}}\n\ndata: [DONE]\n\n",
                says.unwrap_or_default()
            );
            let kind = if text.starts_with("GET") { "application/json" } else { "text/event-stream" };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes());
            // Until the client has read it: closing before would reset what is on its way.
            while stream.read(&mut buffer).is_ok_and(|n| n > 0) {}
        }
    });
    address
}

/// Speaks TLS and passes plain bytes on to another server.
fn tls_in_front_of(server: SocketAddr) -> SocketAddr {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    let chain = vec![CertificateDer::from_pem_file(folder.join("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                pass_on(StreamOwned::new(ServerConnection::new(config).unwrap(), stream), server)
            });
        }
    });
    address
}

/// One request and its answer, whose end is the plain server's close.
fn pass_on(mut front: StreamOwned<ServerConnection, TcpStream>, server: SocketAddr) {
    let mut back = TcpStream::connect(server).unwrap();
    let mut buffer = [0; 16 << 10];
    let Ok(n) = front.read(&mut buffer) else { return };
    // Requests here are smaller than one record; what more there is has been read with it.
    back.write_all(&buffer[..n]).unwrap();
    while let Ok(n) = back.read(&mut buffer) {
        if n == 0 || front.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    front.conn.send_close_notify();
    let _ = front.flush();
}

/// Files below a folder whose bytes, decompressed where they are compressed, hold `wanted`.
fn files_with(folder: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, wanted));
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|e| e == "zst") {
            bytes = zstd::decode_all(bytes.as_slice()).unwrap();
        }
        if bytes.windows(wanted.len()).any(|w| w == wanted) {
            found.push(path.display().to_string());
        }
    }
    found
}
