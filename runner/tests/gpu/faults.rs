use std::fs;

use lab::{
    Nanos,
    records::{Fault, GpuFault},
};
use runner::{clock::Clock, gpu::Telemetry};

use crate::nvml::{Stub, uuid};

/// What a trial is told of whose GPUs are looked at twice: when it begins and when it ends.
fn seen(script: &str, gpus: u32) -> Vec<GpuFault> {
    let (stub, place) = (Stub::new(script), tempfile::tempdir().unwrap());
    let (uuids, never) = ((0..gpus).map(uuid).collect(), Nanos::from_secs(3_600));
    let file = place.path().join("telemetry.csv");
    let facts = Telemetry::start(&Ok(stub.library()), uuids, Clock::start(), never, &file, &[]).finish();
    assert!(fs::exists(file).unwrap());
    facts.faults
}

fn what(faults: &[GpuFault]) -> Vec<(&str, Fault)> {
    faults.iter().map(|fault| (fault.gpu.as_str(), fault.what)).collect()
}

#[test]
fn a_gpu_in_order_has_no_faults() {
    assert_eq!(seen("gpus 2\n", 2), []);
}

#[test]
fn errors_that_the_driver_numbers_are_told_and_excuse_nobody() {
    // NVML gives all of them the number of the last one of any GPU.
    let faults = seen("gpus 2\ngpu 0 xid 31\ngpu 1 xid 79\ngpu 1 xid 48\n", 2);
    let (first, second) = (uuid(0), uuid(1));
    let last = Fault::Xid { code: 48 };
    assert_eq!(what(&faults), [(&*first, last), (&*second, last), (&*second, last)]);
    assert!(!faults.iter().any(GpuFault::is_of_hardware));
    assert_eq!(faults[0].to_string(), format!("{first}: the driver reports error 48 (Xid)"));
}

#[test]
fn many_errors_of_a_program_hide_none_of_the_hardware() {
    let mut script = "gpus 1\nuncorrected 0 1\n".to_owned();
    // All that the library holds at once, at each of two looks.
    (0..16).for_each(|_| script += "xid 31\n");
    let faults = seen(&script, 1);
    assert_eq!(faults.iter().filter(|fault| fault.is_of_hardware()).count(), 2);
    assert_eq!(faults.len(), 18);
}

#[test]
fn another_gpu_than_the_trials_is_none_of_its_business() {
    assert_eq!(seen("gpus 2\ngpu 1 xid 79\ngpu 1 uncorrected 0 1\n", 1), []);
}

#[test]
fn memory_errors_count_from_the_trials_beginning() {
    assert_eq!(seen("gpus 1\nuncorrected 7 0\n", 1), [], "they were there before");
    let faults = seen("gpus 1\nuncorrected 7 2\n", 1);
    let (gpu, memory) = (uuid(0), Fault::Memory { errors: 2 });
    assert_eq!(what(&faults), [(&*gpu, memory), (&*gpu, memory)], "two at each of two looks");
    assert!(faults[0].is_of_hardware());
    assert_eq!(faults[0].to_string(), format!("{gpu}: 2 errors of its memory that could not be corrected"));
}

#[test]
fn a_lost_gpu_is_a_fault_once_and_another_one_is_still_watched() {
    // 15: the GPU is lost.
    let faults = seen("gpus 2\ngpu 0 fail nvmlDeviceGetHandleByUUID 15\ngpu 1 uncorrected 0 1\n", 2);
    let (lost, erring) = (uuid(0), uuid(1));
    let memory = Fault::Memory { errors: 1 };
    assert_eq!(what(&faults), [(&*lost, Fault::Lost), (&*erring, memory), (&*erring, memory)]);
    assert!(faults[0].is_of_hardware());
}

#[test]
fn a_driver_that_counts_and_tells_nothing_is_no_fault() {
    // 3: not supported.
    let mute = "gpus 1\nxid 79\nfail nvmlDeviceGetTotalEccErrors 3\nfail nvmlDeviceRegisterEvents 3\n";
    assert_eq!(seen(mute, 1), []);
}
