//! A compiled simulation that is loaded while the program runs, behind a handle that is safe to use.
//!
//! Knows: the functions of `shim.cpp`. Must not: know what any port means. All `unsafe` of a user's Verilog is here: the
//! simulation is C++ in a library of its own, and the compiler can check neither that it is what it should be nor a call
//! into it.

use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::NonNull;

#[repr(C)]
struct Opaque {
    _private: [u8; 0],
    _not_shared: PhantomData<*mut ()>,
}

type Handle = *mut Opaque;

/// The functions of a library, with the types that `shim.cpp` gives them.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    new: unsafe extern "C" fn() -> Handle,
    delete: unsafe extern "C" fn(Handle),
    set: unsafe extern "C" fn(Handle, *const c_char, u64) -> bool,
    reset: unsafe extern "C" fn(Handle) -> bool,
    plant: unsafe extern "C" fn(Handle, u32, u32, u32) -> bool,
    reached: unsafe extern "C" fn(Handle, u32) -> u32,
    access: unsafe extern "C" fn(Handle, bool, u32, u32, *mut u32, u32) -> i64,
    advance: unsafe extern "C" fn(Handle, u64) -> bool,
    stopped: unsafe extern "C" fn(Handle) -> *const c_char,
    simulator: unsafe extern "C" fn() -> *const c_char,
}

impl Library {
    /// Loads the library in this file, for as long as the program runs.
    #[allow(unsafe_code)]
    pub fn load(path: &Path) -> Result<Self, String> {
        let told = |error: libloading::Error| error.to_string();
        // SAFETY: the file is one that `compile` made from `shim.cpp`, in a folder of the user's own. What it runs when it
        // is loaded are the constructors of Verilator's runtime. Each symbol has the type that `shim.cpp` gives it. The
        // library is never unloaded, so the functions stay.
        unsafe {
            let library = Box::leak(Box::new(libloading::Library::new(path).map_err(told)?));
            Ok(Library {
                new: *library.get(c"abench_verilog_new").map_err(told)?,
                delete: *library.get(c"abench_verilog_delete").map_err(told)?,
                set: *library.get(c"abench_verilog_set").map_err(told)?,
                reset: *library.get(c"abench_verilog_reset").map_err(told)?,
                plant: *library.get(c"abench_verilog_plant").map_err(told)?,
                reached: *library.get(c"abench_verilog_reached").map_err(told)?,
                access: *library.get(c"abench_verilog_access").map_err(told)?,
                advance: *library.get(c"abench_verilog_advance").map_err(told)?,
                stopped: *library.get(c"abench_verilog_stopped").map_err(told)?,
                simulator: *library.get(c"abench_verilog_simulator").map_err(told)?,
            })
        }
    }

    /// The simulator's name and version.
    #[allow(unsafe_code)]
    pub fn simulator(&self) -> String {
        // SAFETY: the function gives a text that ends in 0 and lives as long as the program.
        unsafe { CStr::from_ptr((self.simulator)()) }.to_string_lossy().into_owned()
    }
}

/// A simulated device, used by one thread: it is neither `Send` nor `Sync`.
pub struct Simulation {
    library: Library,
    handle: NonNull<Opaque>,
}

/// What became of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It was acknowledged with this word, after so many clocks.
    Acknowledged(u32, u64),
    /// It was not acknowledged in the clocks that it was given.
    Silent,
    /// The simulation stopped: see [`Simulation::stopped`].
    Stopped,
}

// One reason holds for every block below: the pointer comes from the library's `new`, is not null, is freed by `drop` alone,
// and is not used by two threads or twice at a time, since the handle is no `Sync` and the functions keep no pointer.
#[allow(unsafe_code)]
impl Simulation {
    /// A device that was not reset yet; `None` if it cannot be made.
    pub fn new(library: Library) -> Option<Self> {
        // SAFETY: the function gives null or a new simulation that nobody else has.
        NonNull::new(unsafe { (library.new)() }).map(|handle| Simulation { library, handle })
    }

    /// Sets an input that stays as it is; false if there is none of this name.
    pub fn set(&mut self, name: &str, value: u64) -> bool {
        // SAFETY: as above; the text lives until the call is over.
        CString::new(name).is_ok_and(|name| unsafe { (self.library.set)(self.handle.as_ptr(), name.as_ptr(), value) })
    }

    /// Resets the device; false if the simulation stopped.
    pub fn reset(&mut self) -> bool {
        // SAFETY: as above.
        unsafe { (self.library.reset)(self.handle.as_ptr()) }
    }

    /// Plants a fault in a slot and resets the device; false if it has no ports for that, or the simulation stopped.
    pub fn plant(&mut self, slot: u32, kind: u32, argument: u32) -> bool {
        // SAFETY: as above.
        unsafe { (self.library.plant)(self.handle.as_ptr(), slot, kind, argument) }
    }

    /// How often the fault in this slot was in use, modulo 2^32.
    pub fn reached(&mut self, slot: u32) -> u32 {
        // SAFETY: as above.
        unsafe { (self.library.reached)(self.handle.as_ptr(), slot) }
    }

    /// One access, which may take so many clocks.
    pub fn access(&mut self, writes: bool, select: u32, address: u32, word: u32, limit: u32) -> Access {
        let mut word = word;
        // SAFETY: as above; the function writes one word where one is.
        let clocks =
            unsafe { (self.library.access)(self.handle.as_ptr(), writes, select, address, &raw mut word, limit) };
        match u64::try_from(clocks) {
            Err(_) => Access::Stopped,
            Ok(0) => Access::Silent,
            Ok(clocks) => Access::Acknowledged(word, clocks),
        }
    }

    /// So many clocks; false if the simulation stopped.
    pub fn advance(&mut self, clocks: u64) -> bool {
        // SAFETY: as above.
        unsafe { (self.library.advance)(self.handle.as_ptr(), clocks) }
    }

    /// Why the simulation stopped; empty if it did not.
    pub fn stopped(&self) -> String {
        // SAFETY: as above; the text ends in 0, and is copied before anything else is called.
        unsafe { CStr::from_ptr((self.library.stopped)(self.handle.as_ptr())) }.to_string_lossy().into_owned()
    }
}

#[allow(unsafe_code)]
impl Drop for Simulation {
    fn drop(&mut self) {
        // SAFETY: the pointer is that of a simulation that nobody uses after this.
        unsafe { (self.library.delete)(self.handle.as_ptr()) }
    }
}
