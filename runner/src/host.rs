//! What this host is, as far as it says so itself.

use std::{collections::BTreeMap, fs, path::Path};

use lab::{
    Digest, Kind, Nanos, Problem, Result,
    environment::{self, Environment, ModelFacts},
    tokenizer::Tokenizer,
    workload::Model,
};

use crate::{batch, pins};

/// The host's name, made fit for a file name; on a cluster the node's.
pub fn name() -> String {
    let own = || nix::unistd::gethostname().ok().and_then(|n| n.into_string().ok());
    let name = batch::node().or_else(own).unwrap_or_default();
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "host".to_owned() } else { plain[..plain.len().min(40)].to_owned() }
}

/// Reads the host and the models; a model's `tokenizer.json` comes back beside them. `revision`
/// is the commit that this program was built from.
pub fn environment(
    models: &BTreeMap<String, Model>,
    revision: Option<&str>,
) -> Result<(Environment, BTreeMap<String, Vec<u8>>)> {
    let (mut facts, mut tokenizers) = (BTreeMap::new(), BTreeMap::new());
    for (name, model) in models {
        let (fact, tokenizer) = model_facts(name, model)?;
        facts.insert(name.clone(), fact);
        tokenizers.insert(name.clone(), tokenizer);
    }
    let read = |path: &str| fs::read_to_string(path).ok().map(|s| s.trim().to_owned());
    let field = |text: Option<String>, key: &str, separator: char| {
        text?.lines().find_map(|line| {
            line.split_once(separator)
                .filter(|(k, _)| k.trim() == key)
                .map(|(_, v)| v.trim().trim_matches('"').to_owned())
        })
    };
    let memory =
        field(read("/proc/meminfo"), "MemTotal", ':').and_then(|kib| kib.trim_end_matches(" kB").parse::<u64>().ok());
    let environment = Environment {
        format: environment::FORMAT,
        host: self::name(),
        system: field(read("/etc/os-release"), "PRETTY_NAME", '='),
        kernel: read("/proc/sys/kernel/osrelease"),
        cpu: field(read("/proc/cpuinfo"), "model name", ':'),
        cores: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        memory_bytes: memory.map(|kib| kib * 1024),
        governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        clock_source: read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        program: pins::program(revision),
        pins: Some(pins::pins()),
        models: facts,
        ..Environment::default()
    };
    Ok((environment, tokenizers))
}

/// Each model's `tokenizer.json`.
pub fn tokenizers(models: &BTreeMap<String, Model>) -> Result<BTreeMap<String, Vec<u8>>> {
    models.iter().map(|(name, model)| Ok((name.clone(), Tokenizer::of_model(&model.path)?.1))).collect()
}

fn model_facts(name: &str, model: &Model) -> Result<(ModelFacts, Vec<u8>)> {
    let (tokenizer, bytes) = Tokenizer::of_model(&model.path)?;
    let (digest, size) = Digest::of_tree(&model.path)
        .map_err(|e| Problem::io(Kind::Machine, "read the model's folder", &model.path, &e))?;
    if let Some(pinned) = model.digest.filter(|pinned| *pinned != digest) {
        return Err(Problem::machine(format!("the folder's digest is {digest}, the workload pins {pinned}"))
            .at(format!("models.{name}: {}", model.path.display()))
            .next("fetch the pinned model, or write this digest into the workload file if the model is meant to be this one"));
    }
    Ok((ModelFacts { digest, bytes: size, tokenizer: tokenizer.digest }, bytes))
}

/// What this process has taken so far: processor time in user and kernel mode, and the most
/// memory in bytes that it had at once.
pub fn taken() -> Option<(Nanos, u64)> {
    use nix::sys::{
        resource::{UsageWho, getrusage},
        time::TimeValLike,
    };
    let used = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let micros = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    Some((Nanos(u64::try_from(micros).ok()? * 1_000), u64::try_from(used.max_rss()).ok()? * 1_024))
}

/// TCP segments that have come out of order so far, in this network namespace.
pub fn out_of_order() -> Option<u64> {
    let text = fs::read_to_string("/proc/net/netstat").ok()?;
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let (_, value) = names.split(' ').zip(values.split(' ')).find(|(name, _)| *name == "TCPOFOQueue")?;
    value.parse().ok()
}

/// Raises the soft limit of descriptors as far as it goes, and refuses a load that needs
/// more.
pub fn descriptors(streams: u64) -> Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let failed = |e| Problem::machine(format!("the limit of descriptors cannot be read: {e}"));
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    if soft < hard {
        // Where it cannot be raised, the soft limit is the limit.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
    let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    let needed = streams + SPARE;
    if needed <= limit {
        return Ok(());
    }
    Err(Problem::machine(format!(
        "{streams} streams at once need {needed} file descriptors, this process may have {limit}"
    ))
    .next(format!("raise the limit (ulimit -n {needed}; LimitNOFILE= in a service), or ask for fewer at once")))
}

/// Descriptors beside those of the streams.
const SPARE: u64 = 256;

/// Keeps this thread, and those that it will start, to these cores; none leaves it to the
/// system. Where it cannot be kept there, it runs where it could before.
pub fn keep_to(cores: &[u32]) -> nix::Result<()> {
    if cores.is_empty() {
        return Ok(());
    }
    let mut set = nix::sched::CpuSet::new();
    cores.iter().try_for_each(|core| set.set(*core as usize))?;
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set)
}

/// Makes this host forget which parts of files it has in memory; whether it could.
pub fn forget_files() -> bool {
    fs::write("/proc/sys/vm/drop_caches", "1").is_ok()
}

/// Until it is dropped, this thread keeps to some cores; then it may run where it could before.
pub struct Kept(Option<nix::sched::CpuSet>);

impl Kept {
    /// From now on.
    pub fn to(cores: &[u32]) -> Self {
        let before = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).ok();
        // The layout has made sure of them.
        let _ = keep_to(cores);
        Kept(before)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // They were this thread's a moment ago.
            let _ = nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), before);
        }
    }
}

/// `size` bytes from the system's source of randomness.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    use std::io::Read;
    let mut bytes = [0; N];
    let path = Path::new("/dev/urandom");
    fs::File::open(path)
        .and_then(|mut f| f.read_exact(&mut bytes))
        .map_err(|e| Problem::io(Kind::Machine, "read randomness", path, &e))?;
    Ok(bytes)
}
