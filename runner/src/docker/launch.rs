//! From an arm to a server in a container of its own: made, compared with what was asked for,
//! started.

use std::{
    collections::BTreeMap,
    fs::File,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use bollard::{
    models::{ContainerCreateBody, ContainerInspectResponse, HealthConfig, NetworkCreateRequest},
    query_parameters::{AttachContainerOptionsBuilder, CreateContainerOptionsBuilder},
};
use lab::{
    Problem, Result,
    environment::Layout,
    records::{Class, Client, Container, Contract, ServerFacts, Stages},
    workload::{self, Limits},
};

use super::{
    contract::{self, HOME, Terms},
    engine::{ANSWER, Engine, within},
    image::Image,
    reap,
    running::{Server, watched},
};
use crate::{
    clock::Clock,
    gpu, host,
    log::Log,
    server::{Ended, NotReady},
};

/// What an arm's containers are made from.
pub struct Launch {
    pub(super) engine: Engine,
    pub(super) bench: PathBuf,
    pub(super) run: String,
    pub(super) image: Image,
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) container: workload::Container,
    pub(super) memory: u64,
    pub(super) layout: Layout,
    /// Inside, outside.
    pub(super) folders: BTreeMap<String, PathBuf>,
    pub(super) served_name: String,
    pub(super) gpus: Vec<gpu::Leased>,
    pub(super) grant: gpu::Grant,
}

/// The model's folder, inside.
pub(super) const MODELS: &str = "/models";

impl Launch {
    /// This program, whose second life is the driver.
    pub fn bench(&self) -> &Path {
        &self.bench
    }

    /// The cores of those that send and read.
    pub fn cores(&self) -> &[u32] {
        &self.layout.client
    }

    /// Before another attempt: the engine answers, and nothing is left of the last one.
    pub async fn recover(&self) -> Result<()> {
        let gone = |why| {
            Problem::machine(format!("the container engine did not come back: {why}"))
                .next("start it, then continue with --resume")
        };
        self.engine.back().await.map_err(gone)?;
        reap::reap(&self.engine).await
    }

    /// Makes a container for a trial and starts its server. What fails is whose failure it
    /// is; an error is what could not be cleaned up.
    pub async fn start(
        &self,
        clock: Clock,
        name: &str,
        limits: &Limits,
    ) -> Result<std::result::Result<Server, (NotReady, Ended)>> {
        if let Err(problem) = reap::reap(&self.engine).await {
            return Ok(Err((of_host(problem.what), Ended::default())));
        }
        let cold = self.container.cold && host::forget_files();
        let mut made = Made { cold, launch: self, network: None, facts: self.facts(), stages: Stages::default() };
        match made.start(clock, name, limits).await {
            Ok(server) => Ok(Ok(server)),
            Err(not) => {
                let ended = Ended { facts: made.facts, stages: made.stages, ..Ended::default() };
                match reap::reap(&self.engine).await {
                    // What the next attempt does first is to clean up.
                    Err(problem) if not.class != Class::Host => Err(problem),
                    _ => Ok(Err((not, ended))),
                }
            }
        }
    }

    fn facts(&self) -> ServerFacts {
        ServerFacts {
            executor: "docker".to_owned(),
            command: self.image.entry_point.iter().cloned().chain(self.arguments()).collect(),
            port: self.container.port,
            gpus: self.gpus.iter().map(|gpu| gpu.uuid.clone()).collect(),
            ..ServerFacts::default()
        }
    }

    fn arguments(&self) -> Vec<String> {
        let fill = |part: &String| {
            part.replace("{port}", &self.container.port.to_string())
                .replace("{model}", MODELS)
                .replace("{served_name}", &self.served_name)
        };
        if self.args.is_empty() { self.image.arguments.clone() } else { self.args.iter().map(fill).collect() }
    }

    fn terms<'a>(&'a self, network: Option<&'a str>) -> Terms<'a> {
        Terms {
            container: &self.container,
            memory: self.memory,
            cores: &self.layout.server,
            nodes: &self.layout.nodes,
            network,
            folders: &self.folders,
            volumes: &self.image.volumes,
            gpus: &self.grant,
        }
    }
}

/// A container on its way to being a server.
struct Made<'a> {
    launch: &'a Launch,
    network: Option<String>,
    facts: ServerFacts,
    stages: Stages,
    cold: bool,
}

impl Made<'_> {
    async fn start(&mut self, clock: Clock, trial: &str, limits: &Limits) -> std::result::Result<Server, NotReady> {
        let Launch { engine, container, .. } = self.launch;
        if !container.profile.inside() {
            self.network = Some(self.isolated_network(trial).await.map_err(of_host)?);
        }
        let (id, contract) = self.create(trial).await?;
        self.stages.created_ns = Some(clock.now());
        let mut log = Log::new(limits.log);
        let output = AttachContainerOptionsBuilder::default().stdout(true).stderr(true).stream(true).build();
        let attached = within(ANSWER, engine.docker.attach_container(&id, Some(output))).await.map_err(of_host)?;
        log.follow(attached.output);
        self.run(&id).await?;
        self.stages.started_ns = Some(clock.now());
        let found = within(ANSWER, engine.docker.inspect_container(&id, None)).await.map_err(of_host)?;
        let (namespace, address) = self.reached(&found)?;
        let (end, watching) = watched(engine, &id);
        self.facts.container = Some(Container {
            id: id.clone(),
            image: self.launch.image.facts.id,
            profile: container.profile,
            client: if container.profile.inside() { Client::Inside } else { Client::Bridge },
            cold: self.cold,
            contract,
            exit_code: None,
            out_of_memory: false,
        });
        Ok(Server {
            engine: engine.clone(),
            id,
            network: self.network.take(),
            namespace,
            address,
            end,
            watching,
            log,
            facts: std::mem::take(&mut self.facts),
            stages: std::mem::take(&mut self.stages),
        })
    }

    /// A network that only this container is in, and that leads nowhere.
    async fn isolated_network(&self, trial: &str) -> std::result::Result<String, String> {
        let Launch { engine, run, .. } = self.launch;
        let name = reap::name(run, trial);
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            internal: Some(true),
            labels: Some(reap::labels(run, trial)),
            ..NetworkCreateRequest::default()
        };
        engine.makes(engine.docker.create_network(request)).await?;
        Ok(name)
    }

    /// Makes the container and holds what the engine says of it against what was asked for.
    async fn create(&self, trial: &str) -> std::result::Result<(String, Contract), NotReady> {
        let launch = self.launch;
        if self.facts.command.is_empty() {
            let detail = "the image names no program, and the arm has no args".to_owned();
            return Err(NotReady { class: Class::Image, detail });
        }
        let asked = contract::asked(&launch.terms(self.network.as_deref()));
        let wanted = contract::of(&asked, self.network.as_deref());
        let mut env: BTreeMap<&str, &str> = BTreeMap::from([("HOME", HOME)]);
        if launch.grant.device_requests.is_empty() {
            // Where NVIDIA's runtime is the engine's default, an image would choose its GPUs.
            env.insert("NVIDIA_VISIBLE_DEVICES", "void");
        }
        env.extend(launch.grant.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        env.extend(launch.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let body = ContainerCreateBody {
            image: Some(launch.image.facts.id.to_string()),
            cmd: (!launch.args.is_empty()).then(|| launch.arguments()),
            env: Some(env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
            healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
            labels: Some(reap::labels(&launch.run, trial)),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            host_config: Some(asked),
            ..ContainerCreateBody::default()
        };
        let docker = &launch.engine.docker;
        let named = CreateContainerOptionsBuilder::default().name(&reap::name(&launch.run, trial)).build();
        let made = docker.create_container(Some(named), body);
        let created = launch.engine.makes(made).await.map_err(of_host)?;
        let found = within(ANSWER, docker.inspect_container(&created.id, None)).await.map_err(of_host)?;
        let granted = contract::granted(&found, self.network.as_deref());
        let mut differences = contract::differences(&wanted, &granted);
        if found.image.as_deref() != Some(&launch.image.facts.id.to_string()) {
            differences.push(format!("image: asked for {}, made from {:?}", launch.image.facts.id, found.image));
        }
        if differences.is_empty() {
            Ok((created.id, granted))
        } else {
            Err(of_host(format!("the container engine did not do as it was told: {}", differences.join("; "))))
        }
    }

    /// A program that is not there, or that nobody may run, is the image's; what else keeps a
    /// container from starting is this host's.
    async fn run(&self, id: &str) -> std::result::Result<(), NotReady> {
        let docker = &self.launch.engine.docker;
        let Err(why) = within(ANSWER, docker.start_container(id, None)).await else { return Ok(()) };
        let found = within(ANSWER, docker.inspect_container(id, None)).await.map_err(of_host)?;
        let code = found.state.as_ref().and_then(|s| s.exit_code).unwrap_or(0);
        let of_engine = why.contains("docker-init");
        let of_image = (!of_engine && matches!(code, 126 | 127))
            || why.contains("unable to find user")
            || why.contains("Cannot mkdir")
            || why.contains("exec format error");
        let detail = format!("the server could not be started (exit {code}): {why}");
        if of_image { Err(NotReady { class: Class::Start, detail }) } else { Err(of_host(detail)) }
    }

    /// Where the client finds the server. Its network stays what it is as long as the file is
    /// open, whatever becomes of its processes.
    fn reached(&self, found: &ContainerInspectResponse) -> std::result::Result<(Option<File>, SocketAddr), NotReady> {
        let port = self.launch.container.port;
        if let Some(network) = &self.network {
            let networks = found.network_settings.iter().flat_map(|n| n.networks.iter().flatten());
            let own = networks.filter(|(name, _)| *name == network).find_map(|(_, n)| n.ip_address.clone());
            let ip: IpAddr = own
                .as_deref()
                .and_then(|ip| ip.parse().ok())
                .ok_or_else(|| of_host("the engine gave the container no address".to_owned()))?;
            return Ok((None, (ip, port).into()));
        }
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let pid = found.state.as_ref().and_then(|s| s.pid).filter(|pid| *pid > 0);
        // One that has ended already is found dead in a moment.
        let Some(pid) = pid else { return Ok((None, address)) };
        match File::open(format!("/proc/{pid}/ns/net")) {
            Ok(file) => Ok((Some(file), address)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok((None, address)),
            Err(e) => Err(of_host(format!("the container's network cannot be entered: {e}"))),
        }
    }
}

fn of_host(detail: String) -> NotReady {
    NotReady { class: Class::Host, detail }
}
