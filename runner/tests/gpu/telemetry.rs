use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use lab::{
    Nanos,
    bundle::{TELEMETRY, read_table},
    records::{TelemetryFacts, TelemetryRow},
};
use runner::{
    clock::Clock,
    gpu::{
        nvml::Library,
        telemetry::{INTERVAL, Telemetry},
    },
};

use crate::nvml::{Stub, uuid};

/// Long enough that only the first and the last sample are taken.
const NEVER: Nanos = Nanos::from_secs(3_600);

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(TELEMETRY)
    }

    fn rows(&self) -> Vec<TelemetryRow> {
        read_table(&fs::read(self.file()).unwrap(), TELEMETRY).unwrap()
    }

    /// Two samples of each GPU: the first and the last.
    fn watch(&self, stub: &Stub, uuids: Vec<String>) -> TelemetryFacts {
        Telemetry::start(&Ok(stub.library()), uuids, Clock::start(), NEVER, &self.file(), &[]).finish()
    }

    /// Waits until so many rows are on the disk, which they reach in blocks.
    fn wait_for(&self, rows: usize) {
        let began = Instant::now();
        let written = || fs::read_to_string(self.file()).unwrap_or_default().lines().count();
        while written() <= rows {
            assert!(began.elapsed() < Duration::from_secs(60), "{} rows in a minute", written());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn of(rows: &[TelemetryRow], n: u32) -> Vec<&TelemetryRow> {
    rows.iter().filter(|row| row.gpu == uuid(n)).collect()
}

#[test]
fn rows_are_what_the_library_says_at_each_moment() {
    let stub = Stub::new(
        "gpus 3\nenergy 1000 7\ngpu 2 energy 5000 11\ngpu 2 throttle 4\ngpu 2 throttle 40000000001\ngpu 2 process 4242 1\n",
    );
    let place = Place::new();
    let clock = Clock::start();
    let telemetry = Telemetry::start(&Ok(stub.library()), vec![uuid(0), uuid(2)], clock, NEVER, &place.file(), &[]);
    let facts = telemetry.finish();
    let ended = clock.now();
    let rows = place.rows();
    assert_eq!(facts, TelemetryFacts { samples: 4, interval_ns: NEVER, ..Default::default() });
    let row = |n: u32, energy, throttle, processes, offset_ns| TelemetryRow {
        offset_ns,
        gpu: uuid(n),
        sm_clock_mhz: Some(1_700 + n),
        mem_clock_mhz: Some(2_619),
        power_mw: Some(300_000 + n),
        temperature_c: Some(40 + n),
        throttle: Some(throttle),
        memory_used_bytes: Some(1 << 30),
        energy_mj: Some(energy),
        pcie_tx_kb_s: Some(1_000),
        pcie_rx_kb_s: Some(2_000),
        utilisation_percent: Some(90),
        processes: Some(processes),
    };
    let at = |i: usize| rows[i].offset_ns;
    let first = [row(0, 1_007, 0, 0, at(0)), row(2, 5_011, 4, 1, at(1))];
    // Reasons that are newer than the wrapper are kept.
    let last = [row(0, 1_014, 0, 0, at(2)), row(2, 5_022, 0x400_0000_0001, 1, at(3))];
    assert_eq!(rows, [first, last].concat());
    assert!(rows.is_sorted_by_key(|row| row.offset_ns) && rows.iter().all(|row| row.offset_ns <= ended));
}

#[test]
fn every_interval_has_a_sample_or_is_counted_as_missed_however_long_reading_takes() {
    let (stub, place) = (Stub::new("gpus 1\nenergy 0 1\n"), Place::new());
    let interval = Nanos::from_millis(10);
    let library = Ok(stub.library());
    let telemetry = Telemetry::start(&library, vec![uuid(0)], Clock::start(), interval, &place.file(), &[]);
    place.wait_for(50);
    let facts = telemetry.finish();
    let rows = place.rows();
    assert_eq!(facts.samples, rows.len() as u64);
    let energies: Vec<u64> = rows.iter().filter_map(|row| row.energy_mj).collect();
    assert_eq!(energies, (1..=facts.samples).collect::<Vec<u64>>());
    let time = rows[rows.len() - 1].offset_ns.0 - rows[0].offset_ns.0;
    let (scheduled, due) = (facts.samples - 1 + facts.missed, time / interval.0 + 1);
    assert!(scheduled.abs_diff(due) <= 2, "{scheduled} of {due}");
}

#[test]
fn what_a_gpu_does_not_support_is_an_empty_cell_and_no_error() {
    let stub = Stub::new(
        "gpus 1\nfail nvmlDeviceGetTotalEnergyConsumption 3\nfail nvmlDeviceGetPcieThroughput 3\n\
         fail nvmlDeviceGetUtilizationRates 3\nfail nvmlDeviceGetComputeRunningProcesses_v3 3\n",
    );
    let place = Place::new();
    let facts = place.watch(&stub, vec![uuid(0)]);
    assert_eq!(facts.errors, Vec::<String>::new());
    let row = &place.rows()[0];
    assert_eq!((row.energy_mj, row.pcie_tx_kb_s, row.pcie_rx_kb_s), (None, None, None));
    assert_eq!((row.utilisation_percent, row.processes, row.sm_clock_mhz), (None, None, Some(1_700)));
}

#[test]
fn what_fails_is_recorded_once_with_how_often_and_the_rest_is_read() {
    // 15: the GPU is lost. GPU 1 cannot even be found.
    let stub = Stub::new("gpus 2\ngpu 0 fail nvmlDeviceGetPowerUsage 15\ngpu 1 fail nvmlDeviceGetHandleByUUID 15\n");
    let place = Place::new();
    let interval = Nanos::from_millis(2);
    let library = Ok(stub.library());
    let telemetry = Telemetry::start(&library, vec![uuid(0), uuid(1)], Clock::start(), interval, &place.file(), &[]);
    place.wait_for(3);
    let facts = telemetry.finish();
    let rows = place.rows();
    assert!(rows.iter().all(|row| row.gpu == uuid(0) && row.power_mw.is_none() && row.temperature_c == Some(40)));
    assert_eq!(facts.samples, rows.len() as u64);
    assert!(facts.missed >= facts.samples, "a row of GPU 1 for each of GPU 0: {facts:?}");
    let (power, lost) = (&facts.errors[0], &facts.errors[1]);
    assert!(power.starts_with(&format!("{}: power: device fell off", uuid(0))), "{power}");
    assert!(power.ends_with(&format!("({} times)", rows.len())), "{power}");
    assert!(lost.starts_with(&format!("{}: device fell off", uuid(1))), "{lost}");
}

#[test]
fn no_library_and_no_gpus_are_facts_and_leave_no_file() {
    let place = Place::new();
    let start = |library: &Result<Library, String>, uuids| {
        Telemetry::start(library, uuids, Clock::start(), INTERVAL, &place.file(), &[]).finish()
    };
    let none = start(&Err("libnvidia-ml.so.1 was not found".into()), vec![uuid(0)]);
    let absent = Some("libnvidia-ml.so.1 was not found".to_owned());
    assert_eq!(none, TelemetryFacts { interval_ns: INTERVAL, absent, ..Default::default() });
    let none = start(&Ok(Stub::new("gpus 1\n").library()), Vec::new());
    assert_eq!(none.absent.as_deref(), Some("no GPU was leased"));
    assert!(!place.file().exists());
}

#[test]
fn a_table_that_cannot_be_written_is_a_fact() {
    let (stub, place) = (Stub::new("gpus 1\n"), Place::new());
    let file = place.0.path().join("no/such/folder");
    let facts = Telemetry::start(&Ok(stub.library()), vec![uuid(0)], Clock::start(), INTERVAL, &file, &[]).finish();
    assert!(facts.absent.unwrap().starts_with("the table cannot be written: No such file"));
    // A disk that is full takes the header, and not what follows.
    let full = PathBuf::from("/dev/full");
    let link = place.file();
    std::os::unix::fs::symlink(full, &link).unwrap();
    let facts = place.watch(&stub, vec![uuid(0)]);
    assert!(facts.absent.unwrap().contains("No space left"), "half a table is none");
    assert_eq!((facts.samples, link.exists()), (0, false));
}

#[test]
fn a_library_that_never_answers_is_left_behind() {
    let (stub, place) = (Stub::new("gpus 2\ngpu 1 hang nvmlDeviceGetPowerUsage\n"), Place::new());
    let facts = place.watch(&stub, vec![uuid(0), uuid(1)]);
    assert_eq!(facts.errors, ["the library does not answer"]);
    assert_eq!(of(&place.rows(), 0).len(), 1, "what came before it is kept");
    assert_eq!(facts.samples, 1);
}

#[test]
fn a_core_that_is_not_there_is_a_fact_and_telemetry_goes_on() {
    let (stub, place) = (Stub::new("gpus 1\n"), Place::new());
    let on = |cores: &[u32]| {
        let library = Ok(stub.library());
        Telemetry::start(&library, vec![uuid(0)], Clock::start(), NEVER, &place.file(), cores).finish()
    };
    assert_eq!(on(&[0]).errors, Vec::<String>::new());
    let facts = on(&[1_000]);
    assert!(facts.errors[0].contains("cannot be kept on its cores"), "{facts:?}");
    assert!(facts.samples > 0);
}
