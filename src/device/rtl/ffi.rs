//! The simulations that `build.rs` made, behind a handle that is safe to use.
//!
//! Knows: the functions of `shim.cpp`. Must not: know what any signal means. This is all there is of `unsafe` in the RTL:
//! the simulation is C++, and a call into it is something that the compiler cannot check.

use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What is inside a device at one moment. `simulation.h` has the same layout.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// The banks of the engine; 0 beyond the last.
    pub banks: [u64; 32],
    /// SEED of the engine.
    pub seed: u64,
    /// The index that lane 0 of the engine takes next.
    pub next: u64,
    /// RESULT of the engine.
    pub result: u64,
    /// The accumulator of the adapter.
    pub accumulator: u64,
    /// COUNT of the engine.
    pub count: u32,
    /// ACTIVE of the engine.
    pub active: u32,
    /// CYCLES of the engine.
    pub cycles: u32,
    /// Whether a run is going on.
    pub engine_busy: u32,
    /// Whether the last run is over and its outputs stand.
    pub engine_done: u32,
    /// Where the adapter is in a command; 0 if it is idle.
    pub stage: u32,
    /// The adapter's last command.
    pub code: u32,
    /// RS1 of the adapter.
    pub rs1: u32,
    /// RS2 of the adapter.
    pub rs2: u32,
    /// The low word of the reference that a LOAD latched.
    pub load_low: u32,
    /// The low word of the delta that an ACCUM latched.
    pub delta_low: u32,
    /// The adapter's selected context.
    pub selected: u32,
    /// The adapter's response, before it is shown.
    pub response: u32,
    /// RD of the adapter.
    pub rd: u32,
    /// Whether STATUS of the adapter says that there is a response.
    pub response_ok: u32,
    /// The word that is answered to a read now; 0 if none is.
    pub answer: u32,
}

#[repr(C)]
struct Opaque {
    _private: [u8; 0],
    _not_shared: PhantomData<*mut ()>,
}

// SAFETY of the declarations: they are those of shim.cpp, whose integers have the sizes that they have here.
#[allow(unsafe_code)]
unsafe extern "C" {
    fn abench_rtl_new(banks: u32, takes_plants: bool) -> *mut Opaque;
    fn abench_rtl_delete(simulation: *mut Opaque);
    fn abench_rtl_drive(simulation: *mut Opaque, asks: bool, writes: bool, address: u32, word: u32, bytes: u32);
    fn abench_rtl_word(simulation: *const Opaque) -> u32;
    fn abench_rtl_advance(simulation: *mut Opaque, clocks: u64);
    fn abench_rtl_plant(simulation: *mut Opaque, slot: u32, kind: u32, argument: u32);
    fn abench_rtl_reached(simulation: *mut Opaque, slot: u32) -> u32;
    fn abench_rtl_inside(simulation: *const Opaque, inside: *mut Inside);
    fn abench_rtl_reference(simulation: *const Opaque, context: u32) -> u64;
    fn abench_rtl_open_waveform(simulation: *mut Opaque);
    fn abench_rtl_close_waveform(simulation: *mut Opaque, length: *mut usize) -> *const c_char;
    fn abench_rtl_simulator() -> *const c_char;
}

/// A simulated device. It is used by one thread, as the simulation demands: it is neither `Send` nor `Sync`.
pub struct Simulation(NonNull<Opaque>);

// One reason holds for every block below: the pointer comes from `abench_rtl_new`, is not null, is freed by `drop` alone,
// and is not used by two threads or twice at a time, since the handle is no `Sync` and the functions keep no pointer.
#[allow(unsafe_code)]
impl Simulation {
    /// A device after reset with so many banks; `None` if there is no simulation of so many.
    pub fn new(banks: u32, takes_plants: bool) -> Option<Self> {
        // SAFETY: the function takes any numbers and gives null or a new simulation that nobody else has.
        NonNull::new(unsafe { abench_rtl_new(banks, takes_plants) }).map(Simulation)
    }

    /// Asks for an access to these bytes of a word, or for none; it stands until it is changed.
    pub fn drive(&mut self, asks: bool, writes: bool, address: u32, word: u32, bytes: u8) {
        // SAFETY: as above.
        unsafe { abench_rtl_drive(self.0.as_ptr(), asks, writes, address, word, bytes.into()) }
    }

    /// The word that is answered now.
    pub fn word(&self) -> u32 {
        // SAFETY: as above.
        unsafe { abench_rtl_word(self.0.as_ptr()) }
    }

    /// So many clocks.
    pub fn advance(&mut self, clocks: u64) {
        // SAFETY: as above.
        unsafe { abench_rtl_advance(self.0.as_ptr(), clocks) }
    }

    /// Plants a fault in a slot, the slots from 0 upwards, and resets the device.
    pub fn plant(&mut self, slot: u32, kind: u32, argument: u32) {
        // SAFETY: as above.
        unsafe { abench_rtl_plant(self.0.as_ptr(), slot, kind, argument) }
    }

    /// How often the fault in this slot was in use, modulo 2^32.
    pub fn reached(&mut self, slot: u32) -> u32 {
        // SAFETY: as above.
        unsafe { abench_rtl_reached(self.0.as_ptr(), slot) }
    }

    /// What is inside now.
    pub fn inside(&self) -> Inside {
        let mut inside = Inside::default();
        // SAFETY: as above; the function writes one `Inside`, whose layout it shares, to where a whole one is.
        unsafe { abench_rtl_inside(self.0.as_ptr(), &raw mut inside) };
        inside
    }

    /// The reference of a context of the adapter.
    pub fn reference(&self, context: u8) -> u64 {
        // SAFETY: as above.
        unsafe { abench_rtl_reference(self.0.as_ptr(), context.into()) }
    }

    /// Begins a waveform.
    pub fn open_waveform(&mut self) {
        // SAFETY: as above.
        unsafe { abench_rtl_open_waveform(self.0.as_ptr()) }
    }

    /// Ends the waveform and gives it, as the text of a VCD file.
    pub fn close_waveform(&mut self) -> Vec<u8> {
        let mut length = 0;
        // SAFETY: as above; the text of so many bytes stays until the next call, and is copied before it.
        unsafe {
            let text = abench_rtl_close_waveform(self.0.as_ptr(), &raw mut length);
            std::slice::from_raw_parts(text.cast::<u8>(), length).to_vec()
        }
    }
}

#[allow(unsafe_code)]
impl Drop for Simulation {
    fn drop(&mut self) {
        // SAFETY: the pointer is that of a simulation that nobody uses after this.
        unsafe { abench_rtl_delete(self.0.as_ptr()) }
    }
}

/// The simulator's name and version.
#[allow(unsafe_code)]
pub fn simulator() -> String {
    // SAFETY: the function gives a text that ends in 0 and lives as long as the program.
    unsafe { CStr::from_ptr(abench_rtl_simulator()) }.to_string_lossy().into_owned()
}
