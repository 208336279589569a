//! What a run was made with: hardware, host, program, pins, weights, servers. The one list of these
//! fields: who compares runs takes from here what has to be equal.

use std::collections::{BTreeMap, BTreeSet};

use lab::{
    environment::{Environment, Gpu},
    plan, records,
    workload::{Arm, Server, Workload},
};
use serde::Serialize;

use crate::declared;

/// A field of a run, and what it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub field: String,
    /// In words; a digest, a version, a name. Hostile where the bundle is, but shown safely.
    pub value: String,
}

/// A field that is not the same in both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its name.
    pub field: String,
    /// In the first run.
    pub a: String,
    /// In the second run.
    pub b: String,
}

/// Field by field, in the order in which a person asks.
pub(crate) type Fields = Vec<(String, String)>;

/// Fields whose values differ; a field that one side lacks is `none` there.
pub(crate) fn differences(a: Fields, b: Fields) -> Vec<Difference> {
    let mut names: Vec<&String> = a.iter().map(|(name, _)| name).collect();
    names.extend(b.iter().map(|(name, _)| name).filter(|name| !a.iter().any(|(own, _)| own == *name)));
    let of = |fields: &Fields, name: &str| {
        let found = fields.iter().find(|(own, _)| own == name);
        found.map_or_else(|| "none".to_owned(), |(_, value)| safe(value))
    };
    let both = names.into_iter().map(|name| Difference { field: name.clone(), a: of(&a, name), b: of(&b, name) });
    both.filter(|d| d.a != d.b).collect()
}

fn safe(value: &str) -> String {
    lab::text::shown(value, 300)
}

/// What a run was made with, field by field, in the order in which a person asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stack {
    /// The fields.
    pub fields: Vec<Field>,
}

/// Two stacks, held against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StackContrast {
    /// What is the same.
    pub same: Vec<Field>,
    /// What is not.
    pub differs: Vec<Difference>,
}

impl Stack {
    /// This stack as the first, another as the second.
    pub fn against(&self, other: &Stack) -> StackContrast {
        let fields = |stack: &Stack| stack.fields.iter().map(|f| (f.field.clone(), f.value.clone())).collect();
        let differs = differences(fields(self), fields(other));
        let same = self.fields.iter().filter(|f| !differs.iter().any(|d| d.field == f.field)).cloned().collect();
        StackContrast { same, differs }
    }
}

/// What is known of a run, or of this host before one.
pub(crate) struct Ran<'a> {
    /// Its workload.
    pub(crate) workload: &'a Workload,
    /// Its planned trials.
    pub(crate) planned: Vec<&'a plan::Trial>,
    /// The arm and the server of each trial that is there.
    pub(crate) servers: Vec<(&'a str, &'a records::ServerFacts)>,
    /// Its hosts.
    pub(crate) hosts: &'a [Environment],
}

impl Ran<'_> {
    /// All that a bundle says of its stack.
    pub(crate) fn stack(&self) -> Stack {
        let mut all = self.hardware();
        for (field, value) in self.host().into_iter().chain(self.pins()) {
            if !all.iter().any(|(known, _)| *known == field) {
                all.push((field, value));
            }
        }
        all.extend(self.models());
        all.extend(self.folders());
        all.extend(self.sources());
        Stack {
            fields: all.into_iter().map(|(field, value)| Field { field: safe(&field), value: safe(&value) }).collect(),
        }
    }

    /// The digest of each model of the plan.
    pub(crate) fn models(&self) -> Fields {
        let planned: BTreeSet<&str> = self.planned.iter().map(|t| t.model.as_str()).collect();
        let digest = |name: &str| {
            let all: BTreeSet<String> =
                self.hosts.iter().filter_map(|h| h.models.get(name)).map(|m| m.digest.to_string()).collect();
            if all.is_empty() { "unknown".into() } else { joined(all) }
        };
        planned.into_iter().map(|name| (format!("model {name}"), digest(name))).collect()
    }

    /// The GPUs and their driver; without any, the processors.
    pub(crate) fn hardware(&self) -> Fields {
        let gpus = self.used();
        let names = counted(gpus.iter().map(|gpu| gpu.name.as_str()));
        let drivers: BTreeSet<String> = gpus.iter().map(|gpu| gpu.driver.clone()).collect();
        let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
        let mut fields =
            vec![("GPUs".to_owned(), or_none(names.join(", "))), ("driver".to_owned(), or_none(joined(drivers)))];
        if gpus.is_empty() {
            fields.push(self.processors());
        }
        fields
    }

    fn processors(&self) -> (String, String) {
        ("processors".into(), self.all(|h| format!("{} × {}", h.cores, h.cpu.as_deref().unwrap_or("unknown"))))
    }

    /// The machines, their systems and the program.
    pub(crate) fn host(&self) -> Fields {
        let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
        vec![
            ("host".into(), self.all(|h| h.host.clone())),
            self.processors(),
            ("system".into(), self.all(|h| or_unknown(&h.system))),
            ("kernel".into(), self.all(|h| or_unknown(&h.kernel))),
            ("program".into(), self.all(|h| h.program.version.clone())),
        ]
    }

    /// Where the program comes from, and what it was pinned with; nothing of what is not known.
    fn pins(&self) -> Fields {
        let mut fields = Fields::new();
        let mut known = |field: &str, value: String| {
            if !value.is_empty() {
                fields.push((field.to_owned(), value));
            }
        };
        let of = |text: Option<String>| text.unwrap_or_default();
        known("program digest", self.all(|h| of(h.program.digest.map(|d| d.to_string()))));
        known("program's commit", self.all(|h| of(h.program.revision.clone())));
        known("program made by Nix", self.all(|h| of(h.program.store_path.clone())));
        let pins = || self.hosts.iter().filter_map(|host| host.pins.as_ref());
        known("nixpkgs", joined(pins().map(|pins| pins.nixpkgs.clone()).collect()));
        let lists: BTreeSet<&String> = pins().flat_map(|pins| pins.wheels.keys()).collect();
        for list in lists {
            let digests = pins().filter_map(|pins| pins.wheels.get(list)).map(ToString::to_string);
            known(&format!("wheels {list}"), joined(digests.collect()));
        }
        let engines = self.hosts.iter().filter_map(|host| host.engine.as_ref());
        let engine = |e: &lab::environment::Engine| match &e.runtime {
            Some(runtime) => format!("{}, {runtime}", e.version),
            None => e.version.clone(),
        };
        known("container engine", joined(engines.map(engine).collect()));
        fields
    }

    /// Tree digests of the host's folders that containers see.
    fn folders(&self) -> Fields {
        let all: BTreeMap<String, String> =
            self.hosts.iter().flat_map(|h| &h.binds).map(|(path, digest)| (path.clone(), digest.to_string())).collect();
        all.into_iter().map(|(path, digest)| (format!("folder {path}"), digest)).collect()
    }

    /// What each planned arm's server was made from: an image, a program's file, or an address.
    fn sources(&self) -> Fields {
        let arms: BTreeSet<&str> = self.planned.iter().map(|t| t.arm.as_str()).collect();
        let image = |name: &str| self.hosts.iter().find_map(|h| h.images.get(name)).map(|image| image.id.to_string());
        let source = |name: &str| {
            let (of, value) = match &self.workload.arm(name)?.server {
                Server::Image { .. } => ("image", image(name)),
                Server::Command(_) => ("program", Some(self.programs(name)).filter(|all| !all.is_empty()).map(joined)),
                Server::Endpoint(url) => ("endpoint", Some(url.to_string())),
            };
            Some((format!("{of} of {name}"), value.unwrap_or_else(|| "unknown".into())))
        };
        arms.into_iter().filter_map(source).collect()
    }

    /// The digests of the files that an arm's servers ran.
    fn programs(&self, name: &str) -> BTreeSet<String> {
        let own = self.servers.iter().filter(|(arm, _)| *arm == name);
        own.filter_map(|(_, server)| server.program.map(|digest| digest.to_string())).collect()
    }

    /// A server as it was declared, with what its program or image was.
    pub(crate) fn server(&self, name: &str, arm: &Arm) -> String {
        let program = self.programs(name).into_iter().map(|p| format!(", program {p}")).collect::<String>();
        let is = match &arm.server {
            Server::Command(command) => format!("command {}{program}", declared::list(command)),
            Server::Image { source, args, binds } => {
                format!("image {source} {}, folders {}", declared::list(args), declared::list(binds.keys()))
            }
            Server::Endpoint(url) => format!("endpoint {url}"),
        };
        if arm.env.is_empty() { is } else { format!("{is}, variables {}", declared::text(&arm.env)) }
    }

    /// The GPUs of each trial's server, where it says which; else the host's.
    fn used(&self) -> Vec<&Gpu> {
        let all = || self.hosts.iter().flat_map(|h| &h.gpus);
        if self.planned.iter().all(|t| t.gpus == 0) {
            return all().collect();
        }
        let ids: BTreeSet<&String> = self.servers.iter().flat_map(|(_, server)| &server.gpus).collect();
        let mut seen = BTreeSet::new();
        all().filter(|gpu| ids.is_empty() || ids.contains(&gpu.uuid)).filter(|gpu| seen.insert(&gpu.uuid)).collect()
    }

    fn all(&self, of: impl Fn(&Environment) -> String) -> String {
        joined(self.hosts.iter().map(of).collect())
    }
}

fn joined(all: BTreeSet<String>) -> String {
    all.into_iter().filter(|value| !value.is_empty()).collect::<Vec<_>>().join(", ")
}

/// `2 × NVIDIA H100`, one for each name.
fn counted<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut counts = BTreeMap::<&str, u32>::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts.into_iter().map(|(name, n)| format!("{n} × {name}")).collect()
}

#[cfg(test)]
mod tests;
