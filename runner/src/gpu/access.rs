//! From leased GPUs to what a container is given. Nothing here talks to an engine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bollard::models::{DeviceMapping, DeviceRequest};
use lab::{Problem, Result, workload::GpuAccess};

use super::lease::Leased;

/// What a container is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grant {
    /// Requests to the engine's device drivers.
    pub device_requests: Vec<DeviceRequest>,
    /// Device files.
    pub devices: Vec<DeviceMapping>,
    /// Files of the host and where they are in the container, to be mounted read-only.
    pub binds: Vec<(PathBuf, PathBuf)>,
    /// Variables. What an image has in `LD_LIBRARY_PATH` belongs behind the folder given here.
    pub env: Vec<(String, String)>,
}

/// Where the driver's libraries are in a container that is given them one by one; images
/// made for GPUs look there.
const LIBRARIES: &str = "/usr/local/nvidia/lib64";

/// Folders in which distributions keep the driver's libraries, relative to the root: Debian
/// and Ubuntu, Fedora and others, Debian's alternatives, NixOS, machines of cloud providers.
const FOLDERS: [&str; 8] = [
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/lib64",
    "usr/lib/x86_64-linux-gnu/nvidia/current",
    "usr/lib/aarch64-linux-gnu/nvidia/current",
    "usr/lib",
    "run/opengl-driver/lib",
    "usr/local/nvidia/lib64",
];

/// The driver's libraries for computing and looking, as the toolkit's `compute` and `utility`
/// have them.
const COMPUTE: [&str; 10] = [
    "libcuda.so",
    "libcudadebugger.so",
    "libnvidia-ml.so",
    "libnvidia-cfg.so",
    "libnvidia-ptxjitcompiler.so",
    "libnvidia-nvvm.so",
    "libnvidia-nvvm70.so",
    "libnvidia-gpucomp.so",
    "libnvidia-allocator.so",
    "libnvidia-opencl.so",
];

/// What a container with these GPUs is given. `driver` is the driver's version and `root` the
/// folder in which `dev` and `usr` are; only [`GpuAccess::Devices`] looks at them.
pub fn grant(access: GpuAccess, gpus: &[Leased], driver: &str, root: &Path) -> Result<Grant> {
    match access {
        _ if gpus.is_empty() => Ok(Grant::default()),
        GpuAccess::Toolkit => Ok(toolkit(gpus)),
        GpuAccess::Cdi => Ok(cdi(gpus)),
        GpuAccess::Devices => devices(gpus, driver, root),
    }
}

/// Named capabilities are also what the container gets, whatever its image declares in
/// `NVIDIA_DRIVER_CAPABILITIES`.
fn toolkit(gpus: &[Leased]) -> Grant {
    let request = DeviceRequest {
        driver: Some("nvidia".into()),
        device_ids: Some(gpus.iter().map(|gpu| gpu.uuid.clone()).collect()),
        capabilities: Some(vec![vec!["compute".into(), "utility".into()]]),
        ..DeviceRequest::default()
    };
    Grant { device_requests: vec![request], ..Grant::default() }
}

fn cdi(gpus: &[Leased]) -> Grant {
    let request = DeviceRequest {
        driver: Some("cdi".into()),
        device_ids: Some(gpus.iter().map(|gpu| format!("nvidia.com/gpu={}", gpu.uuid)).collect()),
        ..DeviceRequest::default()
    };
    Grant { device_requests: vec![request], ..Grant::default() }
}

fn devices(gpus: &[Leased], driver: &str, root: &Path) -> Result<Grant> {
    let mut needed = Vec::new();
    for gpu in gpus {
        let minor = gpu.minor.ok_or_else(|| {
            Problem::machine("the driver does not say which device file this GPU has")
                .at(&gpu.uuid)
                .next("install NVIDIA's container toolkit and give GPUs by it")
        })?;
        needed.push(format!("nvidia{minor}"));
    }
    needed.extend(["nvidiactl", "nvidia-uvm"].map(str::to_owned));
    let optional = root.join("dev/nvidia-uvm-tools").exists().then(|| "nvidia-uvm-tools".to_owned());
    if let Some(missing) = needed.iter().map(|name| root.join("dev").join(name)).find(|path| !path.exists()) {
        // Without it a server fails for what is not its fault.
        return Err(Problem::machine("this device file is not there, and no container computes without it")
            .at(missing.display().to_string())
            .next("nvidia-modprobe -c 0 -u makes the device files"));
    }
    let devices = needed.iter().chain(&optional).map(|name| device(name, root)).collect();
    let binds = libraries(driver, root)?;
    let env = ["LD_LIBRARY_PATH", "TRITON_LIBCUDA_PATH"].map(|name| (name.to_owned(), LIBRARIES.to_owned()));
    Ok(Grant { device_requests: Vec::new(), devices, binds, env: env.to_vec() })
}

fn device(name: &str, root: &Path) -> DeviceMapping {
    DeviceMapping {
        path_on_host: Some(root.join("dev").join(name).display().to_string()),
        path_in_container: Some(format!("/dev/{name}")),
        cgroup_permissions: Some("rw".into()),
    }
}

/// Every name under which the host has a library of this very driver, and the file behind it:
/// programs ask for `libcuda.so.1`, the driver's libraries for each other's full names.
fn libraries(driver: &str, root: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut binds: Vec<(PathBuf, PathBuf)> = Vec::new();
    for folder in FOLDERS.map(|folder| root.join(folder)) {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        for name in names {
            let Some(library) = COMPUTE.iter().find(|library| is_name_of(&name, library)) else { continue };
            let Ok(file) = fs::canonicalize(folder.join(&name)) else { continue };
            let inside = Path::new(LIBRARIES).join(&name);
            let of_driver = file.file_name().is_some_and(|file| *file == *format!("{library}.{driver}"));
            if of_driver && binds.iter().all(|(_, known)| *known != inside) {
                binds.push((file, inside));
            }
        }
    }
    let has = |library: &str| binds.iter().any(|(_, inside)| inside.ends_with(library));
    match ["libcuda.so.1", "libnvidia-ml.so.1"].into_iter().find(|library| !has(library)) {
        None => Ok(binds),
        Some(missing) => Err(Problem::machine(format!("{missing} of driver {driver} is in none of the usual folders"))
            .at(root.display().to_string())
            .next("install the driver's libraries, or NVIDIA's container toolkit and give GPUs by it")),
    }
}

/// `libcuda.so` itself, `libcuda.so.1`, `libcuda.so.580.95.05`.
fn is_name_of(name: &str, library: &str) -> bool {
    name.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const DRIVER: &str = "580.95.05";

    fn gpus() -> Vec<Leased> {
        let gpu = |index, uuid: &str| Leased {
            uuid: uuid.into(),
            index,
            minor: Some(index + 4),
            pci: Some(format!("0000:{index:02x}:00.0")),
            node: None,
        };
        vec![gpu(0, "GPU-a"), gpu(1, "GPU-b")]
    }

    /// A host: device files, and the driver's libraries as Debian's alternatives have them.
    fn host(devices: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("dev")).unwrap();
        devices.iter().for_each(|name| fs::write(root.path().join("dev").join(name), "").unwrap());
        let (here, current) = (root.path().join(FOLDERS[0]), root.path().join(FOLDERS[3]));
        fs::create_dir_all(&current).unwrap();
        for (library, soname) in [("libcuda.so", "1"), ("libnvidia-ml.so", "1"), ("libnvidia-nvvm.so", "4")] {
            let file = format!("{library}.{DRIVER}");
            fs::write(current.join(&file), "").unwrap();
            symlink(&file, current.join(format!("{library}.{soname}"))).unwrap();
            symlink(format!("nvidia/current/{file}"), here.join(format!("{library}.{soname}"))).unwrap();
        }
        fs::write(current.join(format!("libnvidia-gpucomp.so.{DRIVER}")), "").unwrap();
        // Another driver's, another vendor's, a link to nothing.
        fs::write(here.join("libcuda.so.470.1"), "").unwrap();
        fs::write(here.join("libcudart.so.12"), "").unwrap();
        symlink("nowhere", here.join("libcudadebugger.so.1")).unwrap();
        root
    }

    #[test]
    fn the_toolkit_is_asked_for_uuids_and_for_computing_only() {
        let grant = grant(GpuAccess::Toolkit, &gpus(), DRIVER, Path::new("/nowhere")).unwrap();
        let request = serde_json::to_value(&grant.device_requests).unwrap();
        let expected = serde_json::json!([{
            "Driver": "nvidia", "DeviceIDs": ["GPU-a", "GPU-b"], "Capabilities": [["compute", "utility"]]
        }]);
        assert_eq!(request, expected);
        assert_eq!((grant.devices, grant.binds, grant.env), (Vec::new(), Vec::new(), Vec::new()));
    }

    #[test]
    fn cdi_is_asked_by_name() {
        let grant = grant(GpuAccess::Cdi, &gpus(), DRIVER, Path::new("/nowhere")).unwrap();
        let request = serde_json::to_value(&grant.device_requests).unwrap();
        let expected = serde_json::json!([{
            "Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=GPU-a", "nvidia.com/gpu=GPU-b"]
        }]);
        assert_eq!(request, expected);
    }

    #[test]
    fn a_bare_host_gives_its_device_files_and_its_drivers_libraries_under_every_name() {
        let root = host(&["nvidia4", "nvidia5", "nvidia6", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"]);
        let grant = grant(GpuAccess::Devices, &gpus(), DRIVER, root.path()).unwrap();
        let inside: Vec<_> = grant.devices.iter().filter_map(|d| d.path_in_container.as_deref()).collect();
        let expected = ["/dev/nvidia4", "/dev/nvidia5", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"];
        assert_eq!(inside, expected);
        let on_host = format!("{}/dev/nvidia4", root.path().display());
        assert_eq!(grant.devices[0].path_on_host.as_deref(), Some(on_host.as_str()));
        let names: Vec<_> = grant.binds.iter().map(|(_, inside)| inside.display().to_string()).collect();
        let expected = [
            "libcuda.so.1",
            "libnvidia-ml.so.1",
            "libnvidia-nvvm.so.4",
            "libcuda.so.580.95.05",
            "libnvidia-gpucomp.so.580.95.05",
            "libnvidia-ml.so.580.95.05",
            "libnvidia-nvvm.so.580.95.05",
        ];
        assert_eq!(names, expected.map(|name| format!("/usr/local/nvidia/lib64/{name}")));
        let current = fs::canonicalize(root.path().join(FOLDERS[3])).unwrap();
        assert_eq!(grant.binds[0].0, current.join("libcuda.so.580.95.05"), "the file behind the links");
        assert_eq!(grant.env[0], ("LD_LIBRARY_PATH".into(), LIBRARIES.into()));
        assert_eq!(grant.env[1], ("TRITON_LIBCUDA_PATH".into(), LIBRARIES.into()));
    }

    #[test]
    fn a_host_that_cannot_give_what_computing_needs_is_refused_before_a_server_fails_of_it() {
        let problem = |devices: &[&str], driver: &str| {
            let root = host(devices);
            grant(GpuAccess::Devices, &gpus(), driver, root.path()).unwrap_err().to_string()
        };
        let all = ["nvidia4", "nvidia5", "nvidiactl", "nvidia-uvm"];
        assert!(problem(&all[..3], DRIVER).contains("dev/nvidia-uvm: this device file is not there"));
        assert!(problem(&all[1..], DRIVER).contains("dev/nvidia4"));
        assert!(problem(&all, "581.0").contains("libcuda.so.1 of driver 581.0 is in none"));
    }

    #[test]
    fn a_container_without_gpus_is_given_nothing() {
        for access in [GpuAccess::Toolkit, GpuAccess::Cdi, GpuAccess::Devices] {
            assert_eq!(grant(access, &[], DRIVER, Path::new("/nowhere")).unwrap(), Grant::default());
        }
        assert_eq!(serde_json::to_string(&GpuAccess::Toolkit).unwrap(), "\"toolkit\"");
    }
}
