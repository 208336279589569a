//! One arm: exactly one way to have its server, and what belongs to it.

use std::collections::BTreeMap;

use super::{Binds, Control, Profile, Source, Url, check::Check, written};
use crate::Result;

/// One server: what to start, and with what environment.
#[derive(Debug, Clone)]
pub struct Arm {
    /// For the report.
    pub description: String,
    /// A command of this host or an image.
    pub server: Server,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// The variable of our own environment that holds the API key. The key is sent, and
    /// stored nowhere.
    pub api_key_env: Option<String>,
    /// What is known of it, in a calibration run.
    pub control: Option<Control>,
    /// The configuration that it is a launch of, in a calibration run; its own name where
    /// none is given.
    pub configuration: Option<String>,
}

/// How a server is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// A process of this host, for trusted arms. `{port}`, `{model}` (the folder),
    /// `{served_name}` and `{bench}` (this program) are filled in.
    Command(Vec<String>),
    /// A container. `{port}`, `{model}` (`/models`) and `{served_name}` are filled in.
    Image {
        /// By digest.
        source: Source,
        /// Arguments after its entry point.
        args: Vec<String>,
        /// Folders of the host that it sees beside those of all containers.
        binds: Binds,
    },
    /// A server that runs already and that nobody here starts or stops: its base URL.
    Endpoint(Url),
}

impl Check<'_> {
    pub(super) fn arm(&self, field: &str, arm: written::Arm) -> Result<Arm> {
        let wrong = |part: &str, what: &str, next: &str| self.wrong(&format!("{field}.{part}"), what, next);
        let only_image = |part: &str, none: bool, next: &str| {
            if none { Ok(()) } else { Err(wrong(part, &format!("{part} belong to an image"), next)) }
        };
        let server = match (arm.command, arm.image, arm.archive, arm.endpoint) {
            (None, None, None, Some(url)) => {
                if !arm.env.is_empty() || !arm.args.is_empty() || !arm.binds.is_empty() {
                    let what = "nobody here starts this server, so it gets no arguments, variables or folders";
                    return Err(wrong("endpoint", what, "remove args, env and binds"));
                }
                let next = "write it like \"http://127.0.0.1:8000\"";
                Server::Endpoint(url.parse().map_err(|what: String| wrong("endpoint", &what, next))?)
            }
            (Some(command), None, None, None) => {
                only_image("args", arm.args.is_empty(), "write the arguments into command")?;
                only_image("binds", arm.binds.is_empty(), "a command sees this host's folders as they are")?;
                self.command(field, &command)?;
                Server::Command(command)
            }
            (None, Some(image), None, None) => {
                self.placeholders(&format!("{field}.args"), &arm.args, &IN_CONTAINERS)?;
                Server::Image { source: Source::Registry(image), args: arm.args, binds: self.below(arm.binds) }
            }
            (None, None, Some(file), None) => {
                self.placeholders(&format!("{field}.args"), &arm.args, &IN_CONTAINERS)?;
                let source = Source::Archive { path: self.folder.join(file.path), digest: file.digest };
                Server::Image { source, args: arm.args, binds: self.below(arm.binds) }
            }
            (None, None, None, None) => {
                return Err(self.wrong(
                    field,
                    "neither a command nor an image nor an archive nor an endpoint is given",
                    "add command = [\"…\"], image = \"name@sha256:…\", archive = { path, digest } or endpoint = \"http://…\"",
                ));
            }
            _ => {
                let what = "only one of a command, an image, an archive and an endpoint can be given";
                return Err(self.wrong(field, what, "keep one of them"));
            }
        };
        if arm.api_key_env.as_deref().is_some_and(|name| name.is_empty() || name.contains(['=', '\0'])) {
            let what = "this is not the name of an environment variable";
            return Err(wrong("api_key_env", what, "write the variable's name, never the key"));
        }
        if arm.configuration.is_some() && arm.control != Some(Control::Positive) {
            let next = "add control = \"positive\", or remove it";
            return Err(wrong("configuration", "only a positive control is a launch of a configuration", next));
        }
        if let Some(configuration) = &arm.configuration {
            self.name(&format!("{field}.configuration"), configuration)?;
        }
        let (control, configuration) = (arm.control, arm.configuration);
        Ok(Arm {
            description: arm.description,
            server,
            env: arm.env,
            api_key_env: arm.api_key_env,
            control,
            configuration,
        })
    }

    fn command(&self, field: &str, command: &[String]) -> Result<()> {
        let field = format!("{field}.command");
        if command.first().is_none_or(String::is_empty) {
            let next = "write the program and its arguments as a list";
            return Err(self.wrong(&field, "the command is empty", next));
        }
        if !command.iter().any(|part| part.contains("{port}")) {
            let what = "no argument holds {port}, so the server cannot know where to listen";
            return Err(self.wrong(&field, what, "add {port} where the port belongs"));
        }
        self.placeholders(&field, command, &OF_COMMANDS)
    }

    fn placeholders(&self, field: &str, parts: &[String], known: &[&str]) -> Result<()> {
        match parts.iter().find_map(|part| unknown_placeholder(part, known)) {
            None => Ok(()),
            Some(unknown) => {
                let known: Vec<String> = known.iter().map(|p| format!("{{{p}}}")).collect();
                let what = format!("{{{unknown}}} is no placeholder");
                Err(self.wrong(field, &what, &format!("write one of {}", known.join(", "))))
            }
        }
    }

    /// What is compared runs under one contract: a container gives a server less than a bare
    /// process has, and of an endpoint nobody knows.
    pub(super) fn one_executor(&self, baseline: &Arm, candidates: &BTreeMap<String, Arm>) -> Result<()> {
        let kind = |arm: &Arm| match arm.server {
            Server::Command(_) => "a command",
            Server::Image { .. } => "an image",
            Server::Endpoint(_) => "an endpoint",
        };
        match candidates.iter().find(|(_, arm)| kind(arm) != kind(baseline)) {
            None => Ok(()),
            Some((name, arm)) => {
                let (one, other) = (kind(arm), kind(baseline));
                let what = format!("it is {one}, the baseline is {other}: they would not run under one contract");
                let next = "give all of them images, or commands, or endpoints; the reference may differ";
                Err(self.wrong(&format!("candidates.{name}"), &what, next))
            }
        }
    }

    /// Only the profile that says so lets a container see folders of the host.
    pub(super) fn binds_of_arm(&self, field: &str, arm: &Arm, profile: Profile) -> Result<()> {
        let Server::Image { binds, .. } = &arm.server else { return Ok(()) };
        self.binds(&format!("{field}.binds"), binds, profile)
    }

    pub(super) fn binds(&self, field: &str, binds: &Binds, profile: Profile) -> Result<()> {
        if binds.is_empty() {
            return Ok(());
        }
        if profile != Profile::HostBinds {
            let what = "only the profile host-binds shows folders of the host to containers";
            return Err(self.wrong(field, what, "write profile = \"host-binds\" into [container], or remove binds"));
        }
        let taken = ["/models", "/tmp", "/home", "/proc", "/sys", "/dev"];
        let bad = |inside: &&String| {
            let parts = inside.strip_prefix('/').unwrap_or("..").split('/');
            let odd = |part: &str| matches!(part, "" | "." | "..") || part.contains([':', ',']);
            parts.clone().any(odd)
                || taken.iter().any(|t| inside.as_str() == *t || inside.starts_with(&format!("{t}/")))
        };
        let nested = binds.keys().find(|inner| binds.keys().any(|outer| inner.starts_with(&format!("{outer}/"))));
        if let Some(inner) = nested {
            let what = format!("`{}` lies in another bound folder, which is read-only", crate::text::shown(inner, 120));
            return Err(self.wrong(field, &what, "bind the outer folder alone"));
        }
        match binds.keys().find(bad) {
            None => Ok(()),
            Some(inside) => {
                let what = format!("`{}` cannot be a folder of the container", crate::text::shown(inside, 120));
                let next = format!("write an absolute path that is not below one of {}", taken.join(", "));
                Err(self.wrong(field, &what, &next))
            }
        }
    }
}

/// What a command may leave to be filled in.
const OF_COMMANDS: [&str; 5] = ["port", "model", "served_name", "bench", "here"];

/// What the arguments of an image may leave to be filled in.
const IN_CONTAINERS: [&str; 3] = ["port", "model", "served_name"];

/// The first `{word}` that is not one of them. Braces around anything but a word, as in
/// JSON, are the command's own.
fn unknown_placeholder<'p>(part: &'p str, known: &[&str]) -> Option<&'p str> {
    let inside = part.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(word, _)| word));
    let word = |w: &&str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    inside.filter(word).find(|w| !known.contains(w))
}
