use std::{fs, path::Path, process::Command};

use lab::environment::{ComputeMode, Gpu};
use runner::gpu::nvml::{Library, Process, VARIABLE};

use crate::nvml::{Stub, uuid};

#[test]
fn a_gpu_says_all_that_is_asked_of_it() {
    let stub = Stub::new("gpus 2\ndriver 575.57.08\ngpu 1 mig 1\ngpu 1 mode 3\n");
    let system = tempfile::tempdir().unwrap();
    let node = |pci: &str, text: &str| {
        let folder = system.path().join("sys/bus/pci/devices").join(pci);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("numa_node"), text).unwrap();
    };
    node("0000:3b:00.0", "-1\n");
    node("0000:3c:00.0", "1\n");
    let facts = stub.library().below(system.path()).facts();
    let expected = Gpu {
        uuid: uuid(1),
        name: "NVIDIA Stub 80 GB".into(),
        driver: "575.57.08".into(),
        vbios: Some("96.00.01".into()),
        pci: Some("0000:3c:00.0".into()),
        minor: Some(1),
        numa_node: Some(1),
        memory_bytes: Some(80 << 30),
        power_limit_mw: Some(700_000),
        ecc: Some(true),
        mig: Some(true),
        persistence: Some(true),
        compute_mode: Some(ComputeMode::ExclusiveProcess),
        pcie_generation: Some(1),
        pcie_width: Some(16),
        pcie_generation_max: Some(5),
        pcie_width_max: Some(16),
        sm_clock_max_mhz: Some(1980),
        memory_clock_max_mhz: Some(2619),
        sm_clock_application_mhz: Some(1755),
        memory_clock_application_mhz: Some(2618),
    };
    assert_eq!(facts[1], expected);
    let other = Gpu {
        uuid: uuid(0),
        vbios: Some("96.00.00".into()),
        pci: Some("0000:3b:00.0".into()),
        minor: Some(0),
        numa_node: None,
        mig: Some(false),
        compute_mode: Some(ComputeMode::Default),
        ..expected
    };
    assert_eq!(facts, [other, facts[1].clone()], "-1 is no node");
}

#[test]
fn what_a_gpu_does_not_support_or_what_fails_is_null() {
    // 3 is not supported, 999 unknown; 9 is no mode of today.
    let stub = Stub::new(
        "gpus 1\nmode 9\nfail nvmlDeviceGetEccMode 3\nfail nvmlDeviceGetMigMode 3\nfail nvmlDeviceGetPciInfo_v3 999\n\
         fail nvmlDeviceGetApplicationsClock 3\nfail nvmlDeviceGetMinorNumber 3\nfail nvmlDeviceGetMemoryInfo_v2 999\n",
    );
    let gpu = stub.library().facts().remove(0);
    assert_eq!((gpu.ecc, gpu.mig, gpu.pci, gpu.numa_node), (None, None, None, None));
    assert_eq!((gpu.sm_clock_application_mhz, gpu.minor, gpu.memory_bytes), (None, None, None));
    assert_eq!((gpu.compute_mode, gpu.sm_clock_max_mhz), (None, Some(1980)));
}

#[test]
fn a_gpu_that_fell_off_the_bus_hides_no_other() {
    let stub = Stub::new("gpus 3\ngpu 1 fail nvmlDeviceGetHandleByIndex_v2 15\n");
    let facts = stub.library().facts();
    let uuids: Vec<String> = facts.into_iter().map(|gpu| gpu.uuid).collect();
    assert_eq!(uuids, [uuid(0), uuid(2)]);
}

#[test]
fn processes_are_named_once_with_their_memory_where_it_is_known() {
    let stub = Stub::new("gpus 2\ngpu 1 process 4242 1073741824\ngpu 1 process 77 18446744073709551615\n");
    let library = stub.library();
    assert_eq!(library.processes(&uuid(0)), Ok(Vec::new()));
    let expected = [Process { pid: 77, memory_bytes: None }, Process { pid: 4242, memory_bytes: Some(1_073_741_824) }];
    assert_eq!(library.processes(&uuid(1)).unwrap(), expected);
    assert!(library.processes("GPU-of-another-machine").unwrap_err().contains("unsuccessful"));
}

#[test]
fn a_library_that_is_not_there_or_does_not_start_is_a_fact_in_words() {
    let nowhere = Library::open(Some(Path::new("/nowhere/libnvidia-ml.so.1"))).unwrap_err();
    assert_eq!(nowhere, "/nowhere/libnvidia-ml.so.1 was not found");
    let temp = tempfile::tempdir().unwrap();
    let text = temp.path().join("libnvidia-ml.so.1");
    fs::write(&text, "no library").unwrap();
    assert!(Library::open(Some(&text)).unwrap_err().contains("cannot be loaded"));
    let stub = Stub::new("init 9\n");
    let why = Library::open(Some(&stub.path())).unwrap_err();
    assert_eq!(why, format!("{} does not start: NVIDIA driver is not loaded", stub.path().display()));
}

#[test]
fn the_environment_names_another_library() {
    const SAYS: &str = "GPUs: ";
    if std::env::var_os(VARIABLE).is_some() {
        let count = Library::open(None).map(|library| library.facts().len());
        println!("\n{SAYS}{count:?}");
        return;
    }
    let stub = Stub::new("gpus 3\n");
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "--nocapture", "facts::the_environment_names_another_library"]);
    let output = again.env(VARIABLE, stub.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().any(|line| line == format!("{SAYS}Ok(3)")), "{text}");
}
