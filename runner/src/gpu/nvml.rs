//! The driver's management library (NVML), loaded while the program runs: a host without it
//! runs the same program. What it does not say is none, never guessed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use lab::{
    Nanos,
    environment::{ComputeMode, Gpu},
    records::TelemetryRow,
};
use nvml_wrapper::{
    Device, Nvml,
    enum_wrappers::device::{self, Clock, PcieUtilCounter, TemperatureSensor},
    enums::device::UsedGpuMemory,
    error::{Bits, NvmlError},
    struct_wrappers::device::ProcessInfo,
};

/// The environment variable that names another library than [`NAME`].
pub const VARIABLE: &str = "BENCH_NVML_LIBRARY";

/// The library's name, as drivers install it.
pub const NAME: &str = "libnvidia-ml.so.1";

/// The library, loaded; copies share it.
#[derive(Debug, Clone)]
pub struct Library {
    nvml: Arc<Nvml>,
    system: PathBuf,
}

/// A process that has a GPU open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id, as the driver sees it.
    pub pid: u32,
    /// GPU memory that it holds, in bytes.
    pub memory_bytes: Option<u64>,
}

impl Library {
    /// Loads the library at `path`, or the one that [`VARIABLE`] names, or the driver's. The
    /// error is a fact about this host, in words.
    pub fn open(path: Option<&Path>) -> Result<Self, String> {
        let path = path.map(Path::to_owned).or_else(|| env::var_os(VARIABLE).map(PathBuf::from));
        let path = path.unwrap_or_else(|| NAME.into());
        let nvml = Nvml::builder().lib_path(path.as_os_str()).init().map_err(|e| not_loaded(&path, &e))?;
        Ok(Library { nvml: Arc::new(nvml), system: "/".into() })
    }

    /// The same library with another root folder, below which the kernel's view of the PCI
    /// bus is read.
    #[must_use]
    pub fn below(self, system: &Path) -> Self {
        Library { system: system.to_owned(), ..self }
    }

    pub(super) fn nvml(&self) -> &Nvml {
        &self.nvml
    }

    /// Every GPU that can be named, in the library's order, which is that of the PCI bus.
    pub fn facts(&self) -> Vec<Gpu> {
        self.numbered().into_iter().map(|(_, gpu)| gpu).collect()
    }

    /// Every GPU with its number in the library.
    pub(super) fn numbered(&self) -> Vec<(u32, Gpu)> {
        let driver = self.nvml.sys_driver_version().unwrap_or_default();
        let all = 0..self.nvml.device_count().unwrap_or(0);
        all.filter_map(|index| Some((index, self.gpu(&self.nvml.device_by_index(index).ok()?, &driver)?))).collect()
    }

    fn gpu(&self, device: &Device<'_>, driver: &str) -> Option<Gpu> {
        let pci = device.pci_info().ok().map(|pci| format!("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device));
        Some(Gpu {
            uuid: device.uuid().ok()?,
            name: device.name().unwrap_or_default(),
            driver: driver.to_owned(),
            vbios: device.vbios_version().ok(),
            numa_node: pci.as_deref().and_then(|pci| self.numa_node(pci)),
            pci,
            minor: device.minor_number().ok(),
            memory_bytes: device.memory_info().ok().map(|memory| memory.total),
            power_limit_mw: device.enforced_power_limit().ok(),
            ecc: device.is_ecc_enabled().ok().map(|mode| mode.currently_enabled),
            mig: device.mig_mode().ok().map(|mode| mode.current != 0),
            persistence: device.is_in_persistent_mode().ok(),
            compute_mode: device.compute_mode().ok().map(compute_mode),
            pcie_generation: device.current_pcie_link_gen().ok(),
            pcie_width: device.current_pcie_link_width().ok(),
            pcie_generation_max: device.max_pcie_link_gen().ok(),
            pcie_width_max: device.max_pcie_link_width().ok(),
            sm_clock_max_mhz: device.max_clock_info(Clock::SM).ok(),
            memory_clock_max_mhz: device.max_clock_info(Clock::Memory).ok(),
            sm_clock_application_mhz: device.applications_clock(Clock::SM).ok(),
            memory_clock_application_mhz: device.applications_clock(Clock::Memory).ok(),
        })
    }

    /// The kernel writes -1 where a device belongs to no node.
    fn numa_node(&self, pci: &str) -> Option<u32> {
        let file = self.system.join("sys/bus/pci/devices").join(pci).join("numa_node");
        fs::read_to_string(file).ok()?.trim().parse().ok()
    }

    /// Who has a GPU open, each process once, by id. The error is in words.
    pub fn processes(&self, uuid: &str) -> Result<Vec<Process>, String> {
        let device = self.nvml.device_by_uuid(uuid).map_err(|e| e.to_string())?;
        processes(&device).map_err(|e| e.to_string())
    }

    /// A GPU at this moment. What fails, but for what the GPU or the library does not
    /// support, is told to `failed` in words. The PCIe counters come last: reading them takes
    /// 20 ms each, over which the driver averages.
    pub(super) fn sample(&self, uuid: &str, offset_ns: Nanos, failed: &mut dyn FnMut(String)) -> Option<TelemetryRow> {
        let device = match self.nvml.device_by_uuid(uuid) {
            Ok(device) => device,
            Err(e) => {
                failed(format!("{uuid}: {e}"));
                return None;
            }
        };
        let mut read = Reader { uuid, failed };
        Some(TelemetryRow {
            offset_ns,
            gpu: uuid.to_owned(),
            energy_mj: read.value("energy", device.total_energy_consumption()),
            power_mw: read.value("power", device.power_usage()),
            sm_clock_mhz: read.value("clock", device.clock_info(Clock::SM)),
            mem_clock_mhz: read.value("memory clock", device.clock_info(Clock::Memory)),
            throttle: read.value("clock event reasons", reasons(&device)),
            temperature_c: read.value("temperature", device.temperature(TemperatureSensor::Gpu)),
            memory_used_bytes: read.value("memory", device.memory_info().map(|memory| memory.used)),
            utilisation_percent: read.value("utilisation", device.utilization_rates().map(|rates| rates.gpu)),
            processes: read.value("processes", processes(&device).map(|all| all.len() as u32)),
            pcie_tx_kb_s: read.value("PCIe", device.pcie_throughput(PcieUtilCounter::Send)),
            pcie_rx_kb_s: read.value("PCIe", device.pcie_throughput(PcieUtilCounter::Receive)),
        })
    }
}

struct Reader<'a> {
    uuid: &'a str,
    failed: &'a mut dyn FnMut(String),
}

impl Reader<'_> {
    fn value<T>(&mut self, what: &str, read: Result<T, NvmlError>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(NvmlError::NotSupported | NvmlError::FunctionNotFound | NvmlError::FailedToLoadSymbol(_)) => None,
            Err(e) => {
                (self.failed)(format!("{}: {what}: {e}", self.uuid));
                None
            }
        }
    }
}

fn not_loaded(path: &Path, error: &NvmlError) -> String {
    let name = path.display();
    match error {
        NvmlError::LibloadingError(e) if e.to_string().contains("No such file") => format!("{name} was not found"),
        NvmlError::LibloadingError(e) => format!("{name} cannot be loaded: {e}"),
        e => format!("{name} does not start: {e}"),
    }
}

/// The mask with every bit, also those that are newer than the wrapper.
fn reasons(device: &Device<'_>) -> Result<u64, NvmlError> {
    match device.current_throttle_reasons_strict() {
        Ok(reasons) => Ok(reasons.bits()),
        Err(NvmlError::IncorrectBits(Bits::U64(bits))) => Ok(bits),
        Err(e) => Err(e),
    }
}

/// Processes that compute, and where the GPU says so those that draw or share it by MPS.
fn processes(device: &Device<'_>) -> Result<Vec<Process>, NvmlError> {
    let mut all = device.running_compute_processes()?;
    all.extend(device.running_graphics_processes().unwrap_or_default());
    all.extend(device.mps_running_compute_processes().unwrap_or_default());
    all.sort_by_key(|process| process.pid);
    all.dedup_by_key(|process| process.pid);
    Ok(all.into_iter().map(process).collect())
}

fn process(info: ProcessInfo) -> Process {
    let memory_bytes = match info.used_gpu_memory {
        UsedGpuMemory::Used(bytes) => Some(bytes),
        UsedGpuMemory::Unavailable => None,
    };
    Process { pid: info.pid, memory_bytes }
}

fn compute_mode(mode: device::ComputeMode) -> ComputeMode {
    match mode {
        device::ComputeMode::Default => ComputeMode::Default,
        device::ComputeMode::ExclusiveThread => ComputeMode::ExclusiveThread,
        device::ComputeMode::Prohibited => ComputeMode::Prohibited,
        device::ComputeMode::ExclusiveProcess => ComputeMode::ExclusiveProcess,
    }
}
