use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bollard::{Docker, models::SystemInfo};
use lab::{Kind, Nanos, Problem, Result, environment};

/// A connection to the engine of this host.
#[derive(Clone)]
pub struct Engine {
    pub(super) docker: Docker,
    /// Whether it was told to make something and has not answered.
    pub(super) making: Arc<AtomicBool>,
    /// What it says of itself.
    pub facts: environment::Engine,
    /// Everything that it says of itself.
    pub info: SystemInfo,
}

/// Until an engine has to have answered a plain question.
pub(super) const ANSWER: Nanos = Nanos::from_secs(30);
/// Until one that is being restarted has to be back.
const BACK: Nanos = Nanos::from_secs(60);

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` names, or to the usual socket.
    pub async fn connect() -> Result<Self> {
        let place = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
        let failed = |what: String| {
            Problem::new(Kind::Machine, what)
                .at(place.clone())
                .next("start the container engine, set DOCKER_HOST to its socket, or read `bench doctor`")
        };
        if !place.starts_with("unix://") {
            return Err(failed("servers are measured beside their client, so the engine has to be this host's".into()));
        }
        if let Err(e) = std::os::unix::net::UnixStream::connect(place.trim_start_matches("unix://"))
            && e.kind() == std::io::ErrorKind::PermissionDenied
        {
            return Err(Problem::machine("this user may not use the container engine's socket")
                .at(place.clone())
                .next(
                    "run bench as root; being in the socket's group is enough for the profile docker-in-docker only",
                ));
        }
        let docker = Docker::connect_with_unix(&place, ANSWER.0 / 1_000_000_000, bollard::API_DEFAULT_VERSION)
            .map_err(|e| failed(format!("the engine's socket cannot be used: {e}")))?;
        let spoken = within(ANSWER, docker.negotiate_version())
            .await
            .map_err(|e| failed(format!("the container engine does not answer: {e}")))?;
        let version = within(ANSWER, spoken.version()).await.map_err(&failed)?;
        let info = within(ANSWER, spoken.info()).await.map_err(&failed)?;
        let facts = facts(version.version.unwrap_or_default(), version.api_version.unwrap_or_default(), &info);
        Ok(Engine { docker: spoken, making: Arc::default(), facts, info })
    }

    /// An answer to the order to make something. The engine carries it out whether or not
    /// anybody still waits.
    pub(super) async fn makes<T>(
        &self,
        order: impl Future<Output = std::result::Result<T, bollard::errors::Error>>,
    ) -> std::result::Result<T, String> {
        self.making.store(true, Ordering::Relaxed);
        let made = within(ANSWER, order).await;
        self.making.store(false, Ordering::Relaxed);
        made
    }

    /// Waits until an engine that went away answers again.
    pub async fn back(&self) -> std::result::Result<(), String> {
        let ask = async {
            while self.docker.ping().await.is_err() {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            Ok::<(), bollard::errors::Error>(())
        };
        within(BACK, ask).await
    }
}

/// An answer of the engine, or why there is none.
pub(super) async fn within<T>(
    time: Nanos,
    answer: impl Future<Output = std::result::Result<T, bollard::errors::Error>>,
) -> std::result::Result<T, String> {
    match tokio::time::timeout(time.into(), answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(in_words(&error)),
        Err(_) => Err(format!("no answer within {time}")),
    }
}

/// The engine's own words where it has some.
pub(super) fn in_words(error: &bollard::errors::Error) -> String {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => lab::text::shown(message, 1_000),
        other => lab::text::shown(&other.to_string(), 1_000),
    }
}

fn facts(version: String, api: String, info: &SystemInfo) -> environment::Engine {
    let security = info.security_options.iter().flatten().filter_map(|option| {
        let name = option.split(',').find_map(|part| part.strip_prefix("name="))?;
        Some(name.to_owned())
    });
    environment::Engine {
        version,
        api,
        storage: info.driver.clone(),
        cgroup: info.cgroup_version.map(|v| v.to_string()),
        runtime: info.default_runtime.clone(),
        security: security.collect(),
        cores: None,
    }
}
