//! Starting and ending the server: until a signal, or for as long as a test holds it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, oneshot};

use crate::alarm::Alarm;
use crate::behaviour::{Readiness, World};
use crate::canned::{Pacer, Shelf};
use crate::hash::text;
use crate::model::{Model, Weights};
use crate::modes::behaviour;
use crate::options::Options;
use crate::pace::Load;
use crate::probe;
use crate::send_log::SendLog;
use crate::server::Server;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Why the server ended otherwise than asked to.
#[derive(Debug)]
pub enum Error {
    /// It could not listen at this address.
    Listen(SocketAddr, io::Error),
    /// It could not write its log, start a thread, or hear signals.
    System(io::Error),
    /// The mode has it exit at the start.
    ExitAtStart,
    /// The mode has it die in mid-run.
    Died,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, error) => {
                write!(out, "cannot listen on {address}: {error}; try `--port 0` for a free port")
            }
            Self::System(error) => write!(out, "cannot start: {error}"),
            Self::ExitAtStart => out.write_str("Engine core initialization failed (as `--mode exit-at-start` asks)"),
            Self::Died => out.write_str("died in mid-run (as `--mode die-mid-run` asks)"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The exit code of the program `stub`: 3 where the mode asks for an exit at the start.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::ExitAtStart) { 3 } else { 1 }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// Serves until SIGINT or SIGTERM, in a runtime of its own.
///
/// # Errors
/// When it cannot start, and when the mode has it end by itself.
pub fn run(options: Options) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(options));
    runtime.shutdown_background();
    served
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// When it cannot start, and when the mode has it end by itself.
pub async fn serve(options: Options) -> Result<(), Error> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let deaf = behaviour(&options).ignores_term();
    let stop = async {
        loop {
            tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => if deaf { eprintln!("stub: SIGTERM ignored") } else { return },
            }
        }
    };
    let announce = |address| eprintln!("stub: listening on http://{address}");
    tokio::select! {
        () = stop => Ok(()),
        ended = until_death(options, announce) => ended,
    }
}

/// Serves until the mode ends it; tells its address before it listens.
async fn until_death(options: Options, announce: impl FnOnce(SocketAddr)) -> Result<(), Error> {
    let behaviour = behaviour(&options);
    probe::log_each(&options.probe).await;
    if behaviour.readiness(&options) == Readiness::Exit {
        eprintln!("INFO Starting to load the model\nERROR Engine core process died unexpectedly");
        return Err(Error::ExitAtStart);
    }
    let wanted = SocketAddr::new(options.host, options.port);
    let cannot = |error| Error::Listen(wanted, error);
    let socket = if wanted.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(cannot)?;
    socket.set_reuseaddr(true).map_err(cannot)?;
    socket.bind(wanted).map_err(cannot)?;
    let address = socket.local_addr().map_err(cannot)?;
    let log_lines = behaviour.log_lines(&options);
    let startup = options.startup;
    let log = Arc::new(SendLog::create(options.send_log.as_deref(), options.canned)?);
    let _flush = log.to_the_end();
    let server = Arc::new(Server {
        canned: options.canned.then(|| Pacer::start(Arc::clone(&log))).transpose()?,
        shelf: Shelf::default(),
        behaviour,
        alarm: Alarm::start()?,
        log,
        world: world(options),
        listening: Instant::now() + startup,
        load: Load::default(),
        jobs: AtomicU64::new(0),
        death: Notify::new(),
    });
    server.alarm.until(server.listening).await;
    let listener = socket.listen(BACKLOG).map_err(cannot)?;
    announce(address);
    tokio::select! {
        () = server.accept(listener) => Err(Error::Died),
        () = flood(log_lines) => Ok(()),
    }
}

fn world(options: Options) -> World {
    let launch_seed = options.launch_seed.unwrap_or_else(|| {
        // The address of the process in time and place is as good as any for noise.
        text(&format!("{:?} {}", std::time::SystemTime::now(), std::process::id()))
    });
    let model = |weights| Arc::new(Model::new(options.seed, weights, options.mean_tokens));
    World { model: model(options.weights), other: model(Weights::Other), launch_seed, options }
}

/// Writes this many lines a second to stderr for ever; none at all for 0.
async fn flood(lines_per_second: u32) {
    if lines_per_second == 0 {
        std::future::pending::<()>().await;
    }
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    for number in 0_u64.. {
        tick.tick().await;
        let lines = lines_per_second.div_ceil(10);
        let line = format!("INFO tick {number}: Avg generation throughput: 0.0 tokens/s\n");
        let block = line.repeat(lines as usize);
        // A full pipe must not hold up the server.
        let _ = tokio::task::spawn_blocking(move || eprint!("{block}")).await;
    }
}

/// A running test server; it stops when dropped.
pub struct Handle {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

/// Starts a server on a free port, whatever port the options name, in a thread of
/// its own; returns when it listens.
///
/// # Errors
/// When it cannot start.
pub fn start(options: Options) -> Result<Handle, Error> {
    let options = Options { port: 0, ..options };
    let (ready, listening) = std::sync::mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let thread = std::thread::Builder::new().name("stub".into()).spawn(move || {
        let announce = move |address| {
            // The test may have given up waiting.
            let _ = ready.send(address);
        };
        let ended = runtime.block_on(async {
            tokio::select! {
                _ = stopped => Ok(()),
                ended = until_death(options, announce) => ended,
            }
        });
        runtime.shutdown_background();
        ended
    })?;
    match listening.recv() {
        Ok(address) => Ok(Handle { address, stop: Some(stop), thread: Some(thread) }),
        Err(_) => match thread.join() {
            Ok(Err(error)) => Err(error),
            _ => Err(Error::Died),
        },
    }
}

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it and says how it ended.
    ///
    /// # Errors
    /// When it had ended by itself.
    pub fn stop(mut self) -> Result<(), Error> {
        self.end()
    }

    /// Waits until it ends by itself, which only some modes do.
    ///
    /// # Errors
    /// Says why it ended.
    pub fn wait(mut self) -> Result<(), Error> {
        let thread = self.thread.take();
        thread.map_or(Ok(()), |thread| thread.join().unwrap_or(Err(Error::Died)))
    }

    fn end(&mut self) -> Result<(), Error> {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        let thread = self.thread.take();
        thread.map_or(Ok(()), |thread| thread.join().unwrap_or(Err(Error::Died)))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Whoever wants to know how it ended calls `stop`.
        let _ = self.end();
    }
}
