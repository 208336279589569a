use lab::{
    Nanos,
    bundle::{TELEMETRY, write_table},
    environment::{Environment, Gpu},
    records::{Fault, GpuFault, TelemetryFacts, TelemetryRow, Trial},
};

use super::*;

/// A trial of 10 s with one GPU that was looked at three times.
fn watched() -> Sealed {
    let sealed = sealed();
    let path = sealed.measure.join("environments/here.json");
    let mut environment = Environment::from_json(&fs::read_to_string(&path).unwrap()).unwrap();
    environment.gpus = vec![Gpu { uuid: "GPU-1".into(), ..Gpu::default() }];
    fs::write(&path, environment.to_json()).unwrap();
    forge(
        &sealed.measure,
        &format!("{TRIAL}/trial.json"),
        replaced("\"stopped_ns\": null", "\"stopped_ns\": 10000000000"),
    );
    put(&sealed, &three());
    sealed
}

fn three() -> Vec<TelemetryRow> {
    let row = |offset, energy_mj| TelemetryRow {
        offset_ns: Nanos(offset),
        gpu: "GPU-1".into(),
        energy_mj: Some(energy_mj),
        ..TelemetryRow::default()
    };
    vec![row(0, 100), row(500_000_000, 100), row(10_000_000_000, 900)]
}

fn put(sealed: &Sealed, rows: &[TelemetryRow]) {
    let table = write_table(rows, TelemetryRow::HEADER, TELEMETRY);
    fs::write(sealed.measure.join(TRIAL).join(TELEMETRY), table).unwrap();
    let path = sealed.measure.join(TRIAL).join(lab::bundle::TRIAL);
    let mut record: Trial = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    record.telemetry = Some(TelemetryFacts { samples: rows.len() as u64, ..TelemetryFacts::default() });
    fs::write(&path, serde_json::to_vec_pretty(&record).unwrap()).unwrap();
    remake(&sealed.measure);
}

#[test]
fn a_table_that_can_have_been_verifies_and_is_read_with_its_trial() {
    let sealed = watched();
    assert_eq!(findings(&sealed), "");
    let study = Study::open(std::slice::from_ref(&sealed.measure)).unwrap();
    assert_eq!(study.telemetry(&study.trials[0]).unwrap(), three());
    assert_eq!(study.telemetry(&study.trials[1]).unwrap(), []);
}

#[test]
fn what_a_gpu_cannot_have_done_is_named() {
    type Change = fn(&mut Vec<TelemetryRow>);
    let cases: [(Change, &str); 6] = [
        (|rows| rows[1].offset_ns = Nanos(10_000_000_001), "not in the order of time"),
        (|rows| rows[2].energy_mj = Some(99), "energy counter goes back"),
        (|rows| (rows[1].energy_mj, rows[2].energy_mj) = (None, Some(99)), "energy counter goes back"),
        (|rows| rows[2].offset_ns = Nanos(15_000_000_001), "after the trial"),
        (|rows| rows[2].offset_ns = Nanos(u64::MAX), "after the trial"),
        (|rows| rows[0].gpu = "GPU-2\u{1b}".into(), "its host has no such GPU"),
    ];
    for (change, expected) in cases {
        let (sealed, mut rows) = (watched(), three());
        change(&mut rows);
        put(&sealed, &rows);
        let text = findings(&sealed);
        assert!(text.starts_with(&format!("{TRIAL}/{TELEMETRY}: GPU GPU-")) && text.contains(expected), "{text}");
    }
}

#[test]
fn two_gpus_have_two_clocks_and_two_counters() {
    let sealed = watched();
    forge(
        &sealed.measure,
        "environments/here.json",
        replaced("\"gpus\": [", "\"gpus\": [{\"uuid\":\"GPU-2\",\"name\":\"\",\"driver\":\"\"},"),
    );
    let other = three().into_iter().map(|row| TelemetryRow { gpu: "GPU-2".into(), energy_mj: Some(1), ..row });
    put(&sealed, &three().into_iter().chain(other).collect::<Vec<_>>());
    assert_eq!(findings(&sealed), "");
}

#[test]
fn a_strangers_table_is_cut_flipped_and_overflown_without_a_panic() {
    let sealed = watched();
    let path = sealed.measure.join(TRIAL).join(TELEMETRY);
    let original = fs::read(&path).unwrap();
    let text = String::from_utf8(original.clone()).unwrap();
    let parts = [
        original[..original.len() - 20].to_vec(),
        original.iter().map(|b| b ^ 1).collect(),
        text.replacen("900", "-1", 1).into_bytes(),
        text.replacen("900", "99999999999999999999999", 1).into_bytes(),
        text.replacen("energy_mj", "joules", 1).into_bytes(),
    ];
    for part in parts {
        fs::write(&path, part).unwrap();
        remake(&sealed.measure);
        assert!(findings(&sealed).contains("cannot be read"), "{}", findings(&sealed));
        let study = Study::open(std::slice::from_ref(&sealed.measure)).unwrap();
        assert_ne!(study.telemetry(&study.trials[0]).ok(), Some(three()));
    }
}

#[test]
fn hardware_that_broke_in_a_trial_that_counts_is_named_and_so_is_that_of_another_host() {
    let broke = |gpu: &str, what| {
        let sealed = watched();
        let path = sealed.measure.join(TRIAL).join(lab::bundle::TRIAL);
        let mut record: Trial = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        record.telemetry.as_mut().unwrap().faults = vec![GpuFault { gpu: gpu.into(), offset_ns: Nanos(1), what }];
        fs::write(&path, serde_json::to_vec_pretty(&record).unwrap()).unwrap();
        remake(&sealed.measure);
        findings(&sealed)
    };
    assert!(broke("GPU-1", Fault::Lost).contains("hardware broke in it, and it counts"));
    assert!(broke("GPU-2", Fault::Memory { errors: 1 }).contains("a GPU broke that its host has not"));
    assert_eq!(broke("GPU-1", Fault::Xid { code: 31 }), "", "a program's own error excuses nobody");
}
