//! A fault of the whole process.

use std::sync::OnceLock;

use crate::behaviour::{Act, Behaviour, Place, World};

/// Memory is taken in blocks of so many bytes, so that a limit is met on the way.
const BLOCK_BYTES: u64 = 16 << 20;

/// Memory that is taken once and never given back.
#[derive(Default)]
pub(super) struct HogMemory(OnceLock<Vec<Vec<u8>>>);

impl Behaviour for HogMemory {
    fn acts(&self, world: &World, _place: Place, bytes: Vec<u8>) -> Vec<Act> {
        self.0.get_or_init(|| {
            let wanted = world.options.hog;
            eprintln!("stub: taking {wanted} bytes of memory");
            // Ones, since pages of zeros are not there before they are written.
            let block = |start| vec![1; BLOCK_BYTES.min(wanted - start) as usize];
            (0..wanted).step_by(BLOCK_BYTES as usize).map(block).collect()
        });
        vec![Act::Send(bytes)]
    }
}
