//! What breaks of GPUs while a trial runs: one that is lost, memory that errs beyond repair,
//! and errors that the driver reports by number (Xid).

use lab::{
    Nanos,
    records::{Fault, GpuFault},
};
use nvml_wrapper::{
    bitmasks::event::EventTypes,
    enum_wrappers::device::{EccCounter, MemoryError},
    enums::event::XidError,
    error::NvmlError,
    event::EventSet,
};

use super::nvml::Library;

/// Events that are taken in one turn at most.
const MOST_EVENTS: usize = 16;

/// GPUs of a trial, and what was known of them when it began.
pub(super) struct Faults<'a> {
    library: &'a Library,
    /// None where the driver tells nobody of its errors.
    events: Option<EventSet<'a>>,
    gpus: Vec<Watched<'a>>,
}

struct Watched<'a> {
    uuid: &'a str,
    /// Errors of its memory since the driver was loaded, as last seen; none where it does not say.
    errors: Option<u64>,
    lost: bool,
}

impl<'a> Faults<'a> {
    /// From now on: what is broken already is seen at once, what was repaired is not.
    pub(super) fn watch(library: &'a Library, uuids: &'a [String]) -> Self {
        let gpus = uuids.iter().map(|uuid| Watched { uuid, errors: memory_errors(library, uuid).ok(), lost: false });
        let mut events = library.nvml().create_event_set().ok();
        for uuid in uuids {
            let Ok(device) = library.nvml().device_by_uuid(uuid.as_str()) else { continue };
            // A set that could not take one GPU is none.
            events = events.and_then(|set| device.register_events(EventTypes::CRITICAL_XID_ERROR, set).ok());
        }
        Faults { library, events, gpus: gpus.collect() }
    }

    /// What broke since the last look.
    pub(super) fn seen(&mut self, now: Nanos) -> Vec<GpuFault> {
        let fault = |gpu: &str, what| GpuFault { gpu: gpu.to_owned(), offset_ns: now, what };
        let mut seen = Vec::new();
        for gpu in &mut self.gpus {
            match memory_errors(self.library, gpu.uuid) {
                Ok(errors) => {
                    let before = gpu.errors.replace(errors).unwrap_or(errors);
                    if errors > before {
                        seen.push(fault(gpu.uuid, Fault::Memory { errors: errors - before }));
                    }
                }
                Err(NvmlError::GpuLost | NvmlError::NotFound) if !gpu.lost => {
                    gpu.lost = true;
                    seen.push(fault(gpu.uuid, Fault::Lost));
                }
                Err(_) => {}
            }
        }
        let events = self.events.as_ref().into_iter().flat_map(|set| std::iter::from_fn(|| set.wait(0).ok()));
        for event in events.take(MOST_EVENTS) {
            let gpu = event.device.uuid().unwrap_or_else(|_| "a GPU".to_owned());
            match event.event_data {
                Some(XidError::Value(code)) => seen.push(fault(&gpu, Fault::Xid { code })),
                Some(XidError::Unknown) | None => {}
            }
        }
        seen
    }
}

/// Errors of a GPU's memory that could not be corrected, since the driver was loaded.
fn memory_errors(library: &Library, uuid: &str) -> Result<u64, NvmlError> {
    library.nvml().device_by_uuid(uuid)?.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile)
}
