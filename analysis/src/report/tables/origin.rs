//! Where the numbers come from.

use lab::environment::{ComputeMode, Environment, Gpu};

use crate::{
    judgement::{Judgement, Tolerance},
    report::{
        escape,
        input::Input,
        number,
        table::{Cell, Table, column},
        words,
    },
};

/// What is not counted.
pub(crate) fn voids(judgement: &Judgement) -> Table {
    let row = |void: &crate::judgement::Void| {
        vec![
            Cell::plain(number::count(u64::from(void.round))),
            Cell::plain(number::count(u64::from(void.block))),
            Cell::Text(escape::detail(&void.why)),
        ]
    };
    Table {
        name: "voids",
        caption: "Measured but not counted; a candidate is never the reason",
        columns: vec![column("Round", &["round"]), column("Block", &["block"]), column("Why", &["why"])],
        rows: judgement.voids.iter().map(row).collect(),
    }
}

/// The sealed folders.
pub(crate) fn bundles(judgement: &Judgement) -> Table {
    let row = |of: &'static str, bundle: &crate::judgement::BundleRef| {
        vec![
            Cell::Text(of.to_owned()),
            Cell::Text(bundle.kind.to_owned()),
            Cell::Code(escape::name(&bundle.folder)),
            Cell::Text(escape::name(&bundle.sealed)),
            Cell::Code(bundle.id.to_string()),
        ]
    };
    let own = judgement.bundles.iter().map(|bundle| row("the run", bundle));
    let calibration = judgement.calibration_bundles.iter().map(|bundle| row("calibration", bundle));
    Table {
        name: "bundles",
        caption: "The sealed bundles behind this report, by the digest of their manifests",
        columns: vec![
            column("Of", &["of"]),
            column("Kind", &["kind"]),
            column("Folder", &["folder"]),
            column("Sealed", &["sealed"]),
            column("Digest", &["digest"]),
        ],
        rows: own.chain(calibration).collect(),
    }
}

/// The method, the workload, the hosts and every digest.
pub(crate) fn environment(input: &Input) -> Table {
    let judgement = input.judgement;
    let mut rows = Vec::new();
    let mut fact =
        |of: &str, what: &str, cell: Cell| rows.push(vec![Cell::Text(of.into()), Cell::Text(what.into()), cell]);
    fact("report", "method version", Cell::Text(judgement.method.into()));
    fact("report", "workload", Cell::Text(escape::name(&judgement.workload)));
    fact("report", "workload digest", Cell::Code(judgement.workload_digest.to_string()));
    for (name, most) in judgement.slo.iter().flat_map(words::levels) {
        let level = Cell::Measure(number::declared(most.0 as f64 / 1e6), "ms");
        fact("report", &format!("service level, {name} at most"), level);
    }
    match &judgement.tolerance {
        Tolerance::Calibrated(c) => {
            fact("report", "margin cap c, calibrated", Cell::Measure(number::declared(c.cap_nats), "nats"));
            fact("report", "tolerance δ of mean x, calibrated", Cell::plain(number::small(c.mean)));
            fact("report", "tolerance δₕ of far requests, calibrated", Cell::plain(number::small(c.far)));
            for id in &c.bundles {
                fact("report", "calibrated by", Cell::Code(id.to_string()));
            }
        }
        Tolerance::Declared { cap_nats, mean, far } => {
            fact("report", "margin cap c, declared", Cell::Measure(number::declared(*cap_nats), "nats"));
            fact("report", "tolerance δ of mean x, declared", Cell::plain(number::declared(*mean)));
            fact("report", "tolerance δₕ of far requests, declared", Cell::plain(number::declared(*far)));
        }
        Tolerance::Failed { why } => fact("report", "tolerance", Cell::Nothing(format!("calibration failed: {why}"))),
        Tolerance::None => fact("report", "tolerance", Cell::Nothing("none declared".into())),
    }
    let levels = judgement.slo.iter().flat_map(|slo| words::levels(slo));
    for (what, most) in levels.collect::<Vec<_>>() {
        fact("report", &format!("service level, {what} at most"), Cell::Measure(number::millis(most.0 as f64), "ms"));
    }
    let baseline = &judgement.baseline;
    for (what, time) in [
        ("largest p99 of the client's lag, started − intended", baseline.client_lag_p99_ns),
        ("largest p99 of send lag, sent − intended", baseline.send_lag_p99_ns),
        ("longest that bytes waited to be read", baseline.read_behind_ns),
    ] {
        if let Some(time) = time {
            fact("report", what, Cell::Measure(number::millis(time.0 as f64), "ms"));
        }
    }
    if let Some(overhead) = &baseline.containers {
        fact("report", "containers", Cell::Text(overhead.to_string()));
    }
    for environment in input.environments {
        host(environment, &mut fact);
    }
    Table {
        name: "environment",
        caption: "What was measured with what",
        columns: vec![column("Of", &["of"]), column("What", &["what"]), column("Value", &["value", "unit"])],
        rows,
    }
}

fn host(environment: &Environment, fact: &mut impl FnMut(&str, &str, Cell)) {
    let host = escape::name(&environment.host);
    let known = |value: &Option<String>| {
        value.as_ref().map_or_else(|| Cell::Nothing("unknown".into()), |v| Cell::Text(escape::name(v)))
    };
    let code = |digest: lab::Digest| Cell::Code(digest.to_string());
    fact(&host, "system", known(&environment.system));
    fact(&host, "kernel", known(&environment.kernel));
    fact(&host, "processor", known(&environment.cpu));
    fact(&host, "cores", Cell::plain(number::count(u64::from(environment.cores))));
    let gib = |bytes: u64| Cell::Measure(number::fixed(bytes as f64 / f64::from(1 << 30), 2), "GiB");
    fact(&host, "memory", environment.memory_bytes.map_or_else(|| Cell::Nothing("unknown".into()), gib));
    fact(&host, "frequency governor", known(&environment.governor));
    fact(&host, "clock source", known(&environment.clock_source));
    if environment.gpus.is_empty() {
        fact(&host, "GPU", Cell::Nothing("none found".into()));
    }
    for gpu in &environment.gpus {
        let text = format!("{}, driver {}", escape::name(&gpu.name), escape::name(&gpu.driver));
        fact(&host, "GPU", Cell::Text(text));
        fact(&host, "GPU id", Cell::Code(escape::name(&gpu.uuid)));
        settings(gpu).into_iter().for_each(|(what, cell)| fact(&host, what, cell));
    }
    fact(&host, "program", Cell::Text(format!("bench {}", escape::name(&environment.program.version))));
    let program = environment.program.digest;
    fact(&host, "program digest", program.map_or_else(|| Cell::Nothing("unknown".into()), code));
    let named = |text: &Option<String>| text.as_ref().map(|text| Cell::Code(escape::name(text)));
    let origin =
        [("program made by Nix", &environment.program.store_path), ("program's commit", &environment.program.revision)];
    for (what, text) in origin {
        named(text).into_iter().for_each(|cell| fact(&host, what, cell));
    }
    if let Some(pins) = &environment.pins {
        fact(&host, "pinned nixpkgs", Cell::Code(escape::name(&pins.nixpkgs)));
        for (name, digest) in &pins.wheels {
            fact(&host, &format!("pinned wheels, {}", escape::name(name)), code(*digest));
        }
    }
    containers(environment, &host, fact);
    for (arm, url) in &environment.endpoints {
        let what = format!("server of {}, which nobody here started", escape::name(arm));
        fact(&host, &what, Cell::Code(escape::name(url)));
    }
    for (name, model) in &environment.models {
        let name = escape::name(name);
        fact(&host, &format!("model {name}"), gib(model.bytes));
        fact(&host, &format!("model {name}, tree digest"), code(model.digest));
        fact(&host, &format!("model {name}, tokenizer digest"), code(model.tokenizer));
    }
}

/// What is known of a GPU beside its name; rows only for what is.
fn settings(gpu: &Gpu) -> Vec<(&'static str, Cell)> {
    let gib = |bytes| Cell::Measure(number::fixed(bytes as f64 / f64::from(1 << 30), 2), "GiB");
    let watts = |mw| Cell::Measure(number::fixed(f64::from(mw) / 1e3, 0), "W");
    let text = |parts: &[Option<String>]| {
        let known: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
        (!known.is_empty()).then(|| Cell::Text(known.join(", ")))
    };
    let of = |now: Option<u32>, most: Option<u32>, what: &str| {
        now.zip(most).map(|(now, most)| format!("{what} {now} of {most}"))
    };
    let switch = |what: &str, on: Option<bool>| on.map(|on| format!("{what} {}", if on { "on" } else { "off" }));
    let clocks = |sm: Option<u32>, memory: Option<u32>| {
        text(&[sm.map(|mhz| format!("{mhz} MHz")), memory.map(|mhz| format!("memory {mhz} MHz"))])
    };
    let modes = [
        switch("ECC", gpu.ecc),
        switch("MIG", gpu.mig),
        switch("persistence", gpu.persistence),
        gpu.compute_mode.map(|mode| format!("compute mode {}", mode_name(mode))),
    ];
    let link = [
        gpu.pci.as_deref().map(escape::name),
        gpu.numa_node.map(|node| format!("NUMA node {node}")),
        of(gpu.pcie_generation, gpu.pcie_generation_max, "generation"),
        of(gpu.pcie_width, gpu.pcie_width_max, "lanes"),
    ];
    let rows = [
        ("GPU firmware", gpu.vbios.as_deref().map(|version| Cell::Text(escape::name(version)))),
        ("GPU memory", gpu.memory_bytes.map(gib)),
        ("GPU power limit", gpu.power_limit_mw.map(watts)),
        ("GPU modes", text(&modes)),
        ("GPU PCIe, as it was at rest", text(&link)),
        ("GPU clocks, at most", clocks(gpu.sm_clock_max_mhz, gpu.memory_clock_max_mhz)),
        ("GPU clocks of applications", clocks(gpu.sm_clock_application_mhz, gpu.memory_clock_application_mhz)),
    ];
    rows.into_iter().filter_map(|(what, cell)| Some((what, cell?))).collect()
}

fn mode_name(mode: ComputeMode) -> &'static str {
    match mode {
        ComputeMode::Default => "default",
        ComputeMode::ExclusiveThread => "exclusive thread",
        ComputeMode::Prohibited => "prohibited",
        ComputeMode::ExclusiveProcess => "exclusive process",
    }
}

/// The engine, who ran where, and each arm's image.
fn containers(environment: &Environment, host: &str, fact: &mut impl FnMut(&str, &str, Cell)) {
    if let Some(engine) = &environment.engine {
        let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".into());
        let text = format!(
            "Docker {}, interface {}, {}, cgroup {}, {}",
            engine.version,
            engine.api,
            known(&engine.storage),
            known(&engine.cgroup),
            known(&engine.runtime)
        );
        fact(host, "container engine", Cell::Text(escape::name(&text)));
        fact(host, "confined by", Cell::Text(escape::name(&engine.security.join(", "))));
    }
    if let Some(layout) = &environment.layout {
        let cores = |cores: &[u32]| cores.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        fact(host, "cores of servers", Cell::Text(cores(&layout.server)));
        fact(host, "cores of the client", Cell::Text(cores(&layout.client)));
        if let Some(shared) = &layout.shared {
            fact(host, "cores shared", Cell::Text(escape::name(shared)));
        }
    }
    for (inside, digest) in &environment.binds {
        let what = format!("{} of containers, tree digest", escape::name(inside));
        fact(host, &what, Cell::Code(digest.to_string()));
    }
    for (arm, image) in &environment.images {
        let arm = escape::name(arm);
        fact(host, &format!("image of {arm}"), Cell::Code(escape::name(&image.asked)));
        fact(
            host,
            &format!("image of {arm}, digest of its {}", escape::name(&image.id_of)),
            Cell::Code(image.id.to_string()),
        );
        for wanted in &image.wants {
            fact(host, &format!("image of {arm}, note"), Cell::Text(escape::name(wanted)));
        }
    }
    for alike in lab::environment::alike(&environment.images) {
        fact(host, "images alike", Cell::Text(escape::name(&alike)));
    }
}
