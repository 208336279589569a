//! The server: connections in, routes, and one answer after another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::alarm::Alarm;
use crate::answer::{Parts, answer, stream_head};
use crate::ask::{self, Ask, Kind};
use crate::behaviour::{Behaviour, Head, Honest, Job, Names, Readiness, World};
use crate::canned::{Canned, Pacer, Replay, Shelf};
use crate::compose::Composer;
use crate::connection::Connection;
use crate::deliver::{Cut, Delivery};
use crate::hash::join;
use crate::http::{Request, Unreadable, head_bytes};
use crate::mode::Mode;
use crate::pace::{Load, Pace};
use crate::refusal::Refusal;
use crate::send_log::{Event, Row, SendLog};
use crate::tokens::Tokens;

/// The version of vLLM whose replies these are.
const VERSION: &str = "0.25.1";
/// Time between attempts to accept when there is no room for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// Bodies longer than this are read by another thread, lest streams wait.
const LONG_BODY_BYTES: usize = 16 * 1024;

/// Everything that connections share.
pub(crate) struct Server {
    pub(crate) world: World,
    pub(crate) behaviour: Box<dyn Behaviour>,
    pub(crate) alarm: Alarm,
    pub(crate) log: Arc<SendLog>,
    /// Replays canned answers, where those are wanted.
    pub(crate) canned: Option<Pacer>,
    pub(crate) shelf: Shelf,
    pub(crate) listening: Instant,
    pub(crate) load: Load,
    pub(crate) jobs: AtomicU64,
    /// Told when the server is to die.
    pub(crate) death: Notify,
}

impl Server {
    /// Serves connections until told to die.
    pub(crate) async fn accept(self: &Arc<Self>, listener: TcpListener) {
        loop {
            let stream = tokio::select! {
                () = self.death.notified() => return,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    // Too many open files: the next one may find room.
                    Err(_) => {
                        tokio::time::sleep(ACCEPT_PAUSE).await; continue }
                },
            };
            let server = Arc::clone(self);
            tokio::spawn(async move { server.connection(stream).await });
        }
    }

    async fn connection(&self, stream: TcpStream) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let mut connection = Connection::new(stream);
        loop {
            let served = match connection.request().await {
                Ok(request) => self.request(&mut connection, request).await,
                Err(Unreadable::Gone) => return,
                Err(Unreadable::Bad(status, detail)) => {
                    let refusal = Refusal::plain(status, detail);
                    let sent = self.refuse(&mut connection, refusal, vec![], false).await;
                    sent.and(Err(Cut::Closed))
                }
            };
            match served {
                Ok(true) => {}
                Ok(false) | Err(Cut::Closed) => return,
                Err(Cut::Die) => {
                    self.death.notify_one();
                    return;
                }
            }
        }
    }

    /// Serves one request; says whether the connection stays.
    async fn request(&self, connection: &mut Connection, request: Request) -> Result<bool, Cut> {
        let received = Instant::now();
        let keep = request.keep_alive;
        let route = (request.method.as_str(), request.path.as_str());
        let reply = match (route, self.ready()) {
            ((_, "/v1/chat/completions" | "/v1/completions" | "/tokenize" | "/detokenize"), _) if route.0 != "POST" => {
                Err(Refusal::method("POST"))
            }
            ((_, "/health" | "/v1/models" | "/version"), _) if route.0 != "GET" => Err(Refusal::method("GET")),
            (("POST", "/v1/chat/completions"), true) => {
                self.text(connection, request, Kind::Chat, received).await?;
                return Ok(keep);
            }
            (("POST", "/v1/completions"), true) => {
                self.text(connection, request, Kind::Completion, received).await?;
                return Ok(keep);
            }
            ((_, path), ready) => self.small(path, ready, &request, received),
        };
        match reply {
            Ok(body) => self.send_small(connection, &body, keep).await?,
            Err(refusal) => self.refuse(connection, refusal, vec![], keep).await?,
        }
        Ok(keep)
    }

    fn ready(&self) -> bool {
        match self.behaviour.readiness(&self.world.options) {
            Readiness::Now => true,
            Readiness::After(time) => self.listening.elapsed() >= time,
            Readiness::Never | Readiness::Exit => false,
        }
    }

    /// The small replies; none for `/health`, whose body is empty.
    fn small(&self, path: &str, ready: bool, request: &Request, received: Instant) -> Result<Option<Value>, Refusal> {
        let options = &self.world.options;
        match path {
            "/health" | "/v1/models" | "/version" | "/tokenize" | "/detokenize" if !ready => {
                Err(Refusal::unavailable())
            }
            "/v1/chat/completions" | "/v1/completions" => Err(Refusal::unavailable()),
            "/health" => Ok(None),
            "/version" => Ok(Some(json!({ "version": VERSION }))),
            "/v1/models" => Ok(Some(self.models())),
            "/tokenize" => {
                json_only(request)?;
                let (mut ids, topic, strings) = ask::tokenize(&request.body, options)?;
                self.behaviour.tokenize(&mut ids, &topic, received);
                let pieces = || ids.iter().map(|id| Tokens::shared().piece(*id)).collect::<Vec<_>>();
                Ok(Some(json!({
                    "count": ids.len(),
                    "max_model_len": options.max_model_len,
                    "tokens": ids,
                    "token_strs": strings.then(pieces),
                })))
            }
            "/detokenize" => {
                json_only(request)?;
                let ids = ask::detokenize(&request.body, options)?;
                Ok(Some(json!({ "prompt": Tokens::shared().decode(&ids) })))
            }
            _ => Err(Refusal::plain(404, "Not Found")),
        }
    }

    fn models(&self) -> Value {
        let name = self.names().model;
        json!({"object": "list", "data": [{
            "id": name, "object": "model", "created": unix_seconds(), "owned_by": "vllm",
            "root": name, "parent": null, "max_model_len": self.world.options.max_model_len,
            "permission": [{
                "id": "modelperm-0", "object": "model_permission", "created": unix_seconds(),
                "allow_create_engine": false, "allow_sampling": true, "allow_logprobs": true,
                "allow_search_indices": false, "allow_view": true, "allow_fine_tuning": false,
                "organization": "*", "group": null, "is_blocking": false
            }]
        }]})
    }

    fn names(&self) -> Names {
        let model = self.world.options.model_name.clone();
        let fingerprint = format!("vllm-{VERSION}-stub");
        let mut names = Names { in_chunks: model.clone(), model, fingerprint };
        self.behaviour.names(&mut names);
        names
    }

    async fn text(
        &self,
        connection: &mut Connection,
        request: Request,
        kind: Kind,
        received: Instant,
    ) -> Result<(), Cut> {
        let keep = request.keep_alive;
        let request_id = request.request_id.clone();
        let index = self.jobs.load(Ordering::Relaxed);
        let wanted = self.canned.as_ref().filter(|_| self.is_honest(index));
        let slot = wanted.and_then(|_| self.shelf.slot(kind, &request.body));
        if let Some(canned) = slot.as_ref().and_then(|slot| slot.get()) {
            let (canned, index) = (Arc::clone(canned), self.jobs.fetch_add(1, Ordering::Relaxed));
            return self.replay(connection, canned, index, request_id, received, keep).await;
        }
        let ask = match self.read_ask(request, kind).await {
            Ok(ask) => ask,
            Err(refusal) => return self.refuse(connection, refusal, vec![], keep).await,
        };
        let index = self.jobs.fetch_add(1, Ordering::Relaxed);
        let seed = join(self.world.options.seed, index);
        let job = Job {
            index,
            request_id: request_id.unwrap_or_else(|| format!("{seed:016x}")),
            ask,
            created: unix_seconds(),
            seed,
        };
        let behaviour: &dyn Behaviour = if self.is_honest(index) { &Honest } else { &*self.behaviour };
        if let Some(slot) = slot {
            let compose = || {
                let composer = Composer::new(&job, self.names());
                let parts = Parts::new(&self.world, behaviour, &job, &composer);
                Arc::new(Canned::new(job.ask.prompts.iter().map(Vec::len).sum(), parts))
            };
            let canned = Arc::clone(slot.get_or_init(compose));
            return self.replay(connection, canned, index, Some(job.request_id), received, keep).await;
        }
        if let Some((refusal, headers)) = behaviour.instead(&job) {
            return self.refuse(connection, refusal, headers, keep).await;
        }
        let mut delivery = Delivery {
            connection,
            alarm: &self.alarm,
            behaviour,
            world: &self.world,
            log: &self.log,
            request: index,
            request_id: &job.request_id,
            keep_alive: keep,
            chunked: false,
            parts: 0,
        };
        delivery.note(Event::RequestReceived, 0, received);
        let prompt = job.ask.prompts.iter().map(Vec::len).sum();
        let pace = Pace::new(&self.world.options, received, prompt, seed, self.load.join());
        let composer = Composer::new(&job, self.names());
        answer(&mut delivery, &job, &composer, pace).await
    }

    fn is_honest(&self, index: u64) -> bool {
        index < self.world.options.mode_after || self.world.options.mode == Mode::Honest
    }

    async fn replay(
        &self,
        connection: &mut Connection,
        canned: Arc<Canned>,
        index: u64,
        request_id: Option<String>,
        received: Instant,
        keep: bool,
    ) -> Result<(), Cut> {
        let Some(pacer) = &self.canned else { return Err(Cut::Closed) };
        let request_id = request_id.unwrap_or_default();
        let row = Row {
            request: index,
            request_id: &request_id,
            event: Event::RequestReceived,
            chunk: 0,
            tokens: 0,
            at: received,
        };
        self.log.row(row);
        let seed = join(self.world.options.seed, index);
        let pace = Pace::new(&self.world.options, received, canned.prompt, seed, self.load.join());
        let replay = Replay::new(connection.stream(), canned, pace, index, request_id);
        let head = head_bytes(&stream_head(), keep);
        tokio::select! {
            sent = replay.run(head, pacer, &self.log) => Ok(sent?),
            error = connection.gone() => Err(error.into()),
        }
    }

    async fn read_ask(&self, request: Request, kind: Kind) -> Result<Ask, Refusal> {
        json_only(&request)?;
        if request.body.len() < LONG_BODY_BYTES {
            return Ask::read(kind, &request.body, &self.world.options);
        }
        let options = self.world.options.clone();
        let read = move || Ask::read(kind, &request.body, &options);
        let lost = |_| Refusal::internal("the request could not be read");
        tokio::task::spawn_blocking(read).await.map_err(lost)?
    }

    async fn refuse(
        &self,
        connection: &mut Connection,
        refusal: Refusal,
        mut headers: Vec<(&'static str, String)>,
        keep: bool,
    ) -> Result<(), Cut> {
        headers.extend(refusal.allow.map(|method| ("allow", method.to_owned())));
        headers.push(("content-type", "application/json".to_owned()));
        let body = refusal.body.to_string();
        let head = Head { status: refusal.status, headers, length: Some(body.len() as u64) };
        let mut bytes = head_bytes(&head, keep);
        bytes.extend(body.into_bytes());
        Ok(connection.write(&bytes).await?)
    }

    async fn send_small(&self, connection: &mut Connection, body: &Option<Value>, keep: bool) -> Result<(), Cut> {
        let body = body.as_ref().map(Value::to_string).unwrap_or_default();
        let kind = ("content-type", "application/json".to_owned());
        let headers = if body.is_empty() { vec![] } else { vec![kind] };
        let head = Head { status: 200, headers, length: Some(body.len() as u64) };
        let mut bytes = head_bytes(&head, keep);
        bytes.extend(body.into_bytes());
        Ok(connection.write(&bytes).await?)
    }
}

fn json_only(request: &Request) -> Result<(), Refusal> {
    let kind = request.content_type.split(';').next().unwrap_or_default().trim();
    if kind.is_empty() || kind == "application/json" || kind.ends_with("+json") {
        return Ok(());
    }
    let what = "Unsupported Media Type: Only 'application/json' is allowed";
    Err(Refusal::malformed(None, what))
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
