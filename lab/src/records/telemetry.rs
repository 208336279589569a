//! What the GPUs of a trial did while it ran, whoever made them do it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Nanos;

/// A row of `telemetry.csv`: one GPU at one moment, as the driver's management library
/// (NVML) says. A cell is empty where the GPU does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryRow {
    /// When reading began, from the trial's clock start.
    pub offset_ns: Nanos,
    /// The GPU's unique id.
    pub gpu: String,
    /// Clock of its multiprocessors, in MHz.
    pub sm_clock_mhz: Option<u32>,
    /// Clock of its memory, in MHz.
    pub mem_clock_mhz: Option<u32>,
    /// Power in milliwatts: an average of a window that the driver chooses.
    pub power_mw: Option<u32>,
    /// Temperature of the chip, in degrees Celsius.
    pub temperature_c: Option<u32>,
    /// Why its clocks are not higher: the sum of NVML's clock event reasons, 1 idle, 2
    /// applications clocks, 4 power cap, 8 slowdown by hardware, 16 sync boost, 32 thermal,
    /// 64 thermal by hardware, 128 power brake, 256 display clocks.
    pub throttle: Option<u64>,
    /// Memory in use, in bytes.
    pub memory_used_bytes: Option<u64>,
    /// Energy since the driver was loaded, in millijoules.
    pub energy_mj: Option<u64>,
    /// What it sent over PCIe in 20 ms, in NVML's KB/s.
    pub pcie_tx_kb_s: Option<u32>,
    /// What it received over PCIe in 20 ms, in NVML's KB/s.
    pub pcie_rx_kb_s: Option<u32>,
    /// How much of the last window anything ran on it, in percent.
    pub utilisation_percent: Option<u32>,
    /// Processes that have it open.
    pub processes: Option<u32>,
}

impl TelemetryRow {
    /// The columns of `telemetry.csv`.
    pub const HEADER: &[&str] = &[
        "offset_ns",
        "gpu",
        "sm_clock_mhz",
        "mem_clock_mhz",
        "power_mw",
        "temperature_c",
        "throttle",
        "memory_used_bytes",
        "energy_mj",
        "pcie_tx_kb_s",
        "pcie_rx_kb_s",
        "utilisation_percent",
        "processes",
    ];
}

/// How the table came about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryFacts {
    /// Rows in the table.
    pub samples: u64,
    /// Rows that the interval asked for and that are not there.
    pub missed: u64,
    /// Time between two samples of a GPU, as intended.
    pub interval_ns: Nanos,
    /// Why there is no table, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
    /// What went wrong; an empty cell that the GPU does not support is none of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// What broke meanwhile: the first twenty of hardware, and of what else the driver numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<GpuFault>,
}

/// Something that broke of a GPU, or in a program on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuFault {
    /// The GPU's unique id.
    pub gpu: String,
    /// When it was seen, from the trial's clock start.
    pub offset_ns: Nanos,
    /// What it was.
    pub what: Fault,
}

/// What broke, as NVML says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// It fell off the bus, or is no GPU of this host any more.
    Lost,
    /// So many new errors of its memory that could not be corrected.
    Memory {
        /// How many.
        errors: u64,
    },
    /// An error that the driver has a number for (NVIDIA, *Xid Errors*). NVML tells of several
    /// errors the last number that any GPU of the host had, so that nothing rests on it.
    Xid {
        /// The number.
        code: u64,
    },
}

impl GpuFault {
    /// Whether hardware broke, which programs do not ordinarily cause.
    pub fn is_of_hardware(&self) -> bool {
        matches!(self.what, Fault::Lost | Fault::Memory { .. })
    }
}

impl fmt::Display for GpuFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.gpu)?;
        match self.what {
            Fault::Lost => f.write_str("the GPU is lost"),
            Fault::Memory { errors: 1 } => f.write_str("an error of its memory that could not be corrected"),
            Fault::Memory { errors } => write!(f, "{errors} errors of its memory that could not be corrected"),
            Fault::Xid { code } => write!(f, "the driver reports error {code} (Xid)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{TELEMETRY, read_table, write_table};

    #[test]
    fn what_a_gpu_does_not_say_is_an_empty_cell_and_comes_back_as_none() {
        let row = TelemetryRow {
            offset_ns: Nanos(5),
            gpu: "GPU-1".into(),
            throttle: Some(1 << 40),
            energy_mj: Some(u64::MAX),
            ..TelemetryRow::default()
        };
        let bytes = write_table(std::slice::from_ref(&row), TelemetryRow::HEADER, TELEMETRY);
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert_eq!(text.lines().nth(1), Some("5,GPU-1,,,,,1099511627776,,18446744073709551615,,,,"));
        assert_eq!(read_table::<TelemetryRow>(&bytes, TELEMETRY).unwrap(), [row]);
    }
}
