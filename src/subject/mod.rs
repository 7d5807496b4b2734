//! Everything that can be put on trial, by the names that `--backend` takes.
//!
//! A new backend is one file here and one line in [`REGISTRY`].

pub mod attestation;
pub mod device;
pub mod links;
#[cfg(feature = "rtl")]
pub mod rtl;
pub mod scalar;
pub mod serial;
pub mod simd;
pub mod threads;
pub mod told;
pub mod verilog;
pub mod walk;
pub mod word;

use std::num::NonZeroUsize;

use crate::device::model::PUBLISHED_BANKS;
use crate::domain::fault::{Fault, MOST_BANKS};
use crate::domain::nearest::meant_form;
use crate::domain::subject::{Device, SubjectError};

use device::BusDevice;
use links::LinkConditions;
use scalar::Scalar;
use serial::SerialDevice;
use simd::Simd;
use threads::Threads;
use walk::Walkable;

/// A backend's entry: what it is called, what it is, and how it is opened.
pub struct Registration {
    /// Its name.
    pub name: &'static str,
    /// What may or must follow the name, as `abench list` shows it; empty if nothing may.
    pub argument: &'static str,
    /// One line for `abench list`.
    pub about: &'static str,
    /// Whether faults can be planted in it.
    pub takes_faults: bool,
    open: fn(&Backend, &Conditions) -> Result<Opened, OpenError>,
}

/// All backends of this build, in the order in which they are used.
pub const REGISTRY: &[Registration] = &[
    Registration {
        name: "scalar",
        argument: "",
        about: "software: the reference, one delta after the other",
        takes_faults: false,
        open: |_, _| Ok(Opened::Accumulator(Box::new(Scalar::default()))),
    },
    Registration {
        name: "simd",
        argument: "",
        about: "software: the widest vector units that the processor has",
        takes_faults: false,
        open: |_, _| Ok(Opened::Accumulator(Box::new(Simd::best()))),
    },
    Registration {
        name: "threads",
        argument: "[:WORKERS[:PART]]",
        about: "software: vector units on all cores, on --threads or WORKERS of them, in parts of PART deltas",
        takes_faults: false,
        open: open_threads,
    },
    Registration {
        name: "model",
        argument: "[:BANKS]",
        about: "model of the device at its registers, with 8 banks or so many; takes --plant",
        takes_faults: true,
        open: |backend, conditions| open_device(backend, conditions, BusDevice::model),
    },
    #[cfg(feature = "rtl")]
    Registration {
        name: "rtl",
        argument: "[:BANKS]",
        about: "RTL of the device, simulated by Verilator, with 8 banks or so many; takes --plant",
        takes_faults: true,
        open: rtl::open,
    },
    Registration {
        name: verilog::NAME,
        argument: ":DIR",
        about: "your Verilog in DIR, simulated by Verilator, as --rtl DIR; takes --plant if it has the ports",
        takes_faults: true,
        open: verilog::open,
    },
    Registration {
        name: "devmem",
        argument: "[:ADDR]",
        about: "the board, on the board itself: /dev/mem at 0xf0020000 or at ADDR; needs root",
        takes_faults: false,
        open: links::open_devmem,
    },
    Registration {
        name: "uio",
        argument: ":N",
        about: "the board, on the board itself: map 0 of /dev/uioN",
        takes_faults: false,
        open: links::open_uio,
    },
    Registration {
        name: "uartbone",
        argument: ":PATH or :HOST:PORT",
        about: "a LiteX SoC over UARTBone, on a tty (--baud) or over TCP",
        takes_faults: false,
        open: links::open_uartbone,
    },
    Registration {
        name: "etherbone",
        argument: ":tcp:HOST:PORT or :udp:HOST:PORT",
        about: "a LiteX SoC over Etherbone: through litex_server, or straight to LiteEth",
        takes_faults: false,
        open: links::open_etherbone,
    },
    Registration {
        name: "serial",
        argument: ":PATH",
        about: "the serial command protocol on a tty (--baud); one state, no bench engine",
        takes_faults: false,
        open: links::open_serial,
    },
];

/// The most workers that a backend names.
const MOST_WORKERS: usize = 1024;

/// What the three software backends are called together.
pub const SOFTWARE: &str = "software";

/// A backend as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    name: &'static str,
    argument: Option<String>,
}

/// What backends are opened under.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// Threads of the backend `threads`.
    pub threads: NonZeroUsize,
    /// Faults to plant in a model or a simulation.
    pub faults: Vec<Fault>,
    /// How the other ends of links are reached, and what is said of them.
    pub link: LinkConditions,
}

/// The subjects of a run.
#[derive(Default)]
pub struct Subjects {
    /// The software accumulators.
    pub accumulators: Vec<Box<dyn Walkable>>,
    /// The devices that are reached over a bus.
    pub devices: Vec<BusDevice>,
    /// Those that speak the serial protocol, and have no bench engine.
    pub serials: Vec<SerialDevice>,
    /// What a journal tells of those that were used before, and are not used here.
    pub kept: told::Kept,
}

impl Subjects {
    /// All devices.
    pub fn all_devices(&self) -> impl Iterator<Item = &dyn Device> {
        let over_buses = self.devices.iter().map(|device| device as &dyn Device);
        over_buses.chain(self.serials.iter().map(|device| device as &dyn Device))
    }

    /// All devices, to be used.
    pub fn all_devices_mut(&mut self) -> impl Iterator<Item = &mut dyn Device> {
        let over_buses = self.devices.iter_mut().map(|device| device as &mut dyn Device);
        over_buses.chain(self.serials.iter_mut().map(|device| device as &mut dyn Device))
    }
}

enum Opened {
    Accumulator(Box<dyn Walkable>),
    Device(Box<BusDevice>),
    Serial(Box<SerialDevice>),
}

/// Why a backend cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is none of this name.
    #[error(
        "'{name}' is not a backend of this build{}; allowed are {}, or {SOFTWARE} for the first three",
        meant_form(name, all_names().chain([SOFTWARE])),
        names()
    )]
    Unknown {
        /// As it was given.
        name: String,
    },
    /// It takes no argument, or not this one.
    #[error("backend '{backend}' cannot be opened: {reason}")]
    Argument {
        /// As it was given.
        backend: String,
        /// What is allowed.
        reason: String,
    },
    /// It is named twice.
    #[error("backend '{0}' is named twice; name each backend once")]
    Twice(String),
    /// It is not there.
    #[error("backend '{backend}' is unavailable: {error}")]
    Unavailable {
        /// Its name.
        backend: String,
        /// Why.
        error: SubjectError,
    },
}

fn all_names() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().map(|registration| registration.name)
}

fn names() -> String {
    all_names().collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.argument {
            Some(argument) => write!(f, "{}:{argument}", self.name),
            None => f.write_str(self.name),
        }
    }
}

impl std::str::FromStr for Backend {
    type Err = OpenError;

    fn from_str(text: &str) -> Result<Self, OpenError> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument.to_owned())),
            None => (text, None),
        };
        let registration = REGISTRY
            .iter()
            .find(|registration| registration.name == name)
            .ok_or_else(|| OpenError::Unknown { name: text.to_owned() })?;
        if argument.is_some() && registration.argument.is_empty() {
            let reason = "it takes nothing after its name".to_owned();
            return Err(OpenError::Argument { backend: text.to_owned(), reason });
        }
        Ok(Backend { name: registration.name, argument })
    }
}

impl Backend {
    /// Whether it is at the other end of a link, of which the user can say what it is.
    pub fn is_linked(&self) -> bool {
        ["uartbone", "etherbone", "serial", "devmem", "uio"].contains(&self.name)
    }

    /// Whether it is on a tty, which has a rate.
    pub fn is_on_tty(&self) -> bool {
        links::is_on_tty(self)
    }

    /// Whether it is a bench engine behind a link, whose clock is not known here.
    pub fn has_a_clock_of_its_own(&self) -> bool {
        self.is_linked() && self.name != "serial"
    }

    /// Whether faults can be planted in it.
    pub fn takes_faults(&self) -> bool {
        REGISTRY.iter().any(|registration| registration.name == self.name && registration.takes_faults)
    }
}

/// The backends in these names, in the order of the registry, `software` standing for three.
pub fn backends<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Backend>, OpenError> {
    let mut backends: Vec<Backend> = Vec::new();
    for name in names {
        let expanded = if name == SOFTWARE { vec!["scalar", "simd", "threads"] } else { vec![name] };
        for name in expanded {
            let backend: Backend = name.parse()?;
            if backends.contains(&backend) {
                return Err(OpenError::Twice(name.to_owned()));
            }
            backends.push(backend);
        }
    }
    backends.sort_by_key(|backend| REGISTRY.iter().position(|registration| registration.name == backend.name));
    Ok(backends)
}

/// Opens backends.
pub fn open(backends: &[Backend], conditions: &Conditions) -> Result<Subjects, OpenError> {
    let mut subjects = Subjects::default();
    for backend in backends {
        let registration = REGISTRY.iter().find(|registration| registration.name == backend.name);
        let registration = registration.expect("a backend is made from its registration");
        match (registration.open)(backend, conditions)? {
            Opened::Accumulator(accumulator) => subjects.accumulators.push(accumulator),
            Opened::Device(device) => subjects.devices.push(*device),
            Opened::Serial(device) => subjects.serials.push(*device),
        }
    }
    Ok(subjects)
}

/// The accumulator on several threads, by `--threads` if the backend names no number of its own.
fn open_threads(backend: &Backend, conditions: &Conditions) -> Result<Opened, OpenError> {
    let refused = || {
        let reason = format!("WORKERS is a whole number from 1 to {MOST_WORKERS}, and PART one from 1");
        OpenError::Argument { backend: backend.to_string(), reason }
    };
    let threads = match backend.argument.as_deref().map(|argument| argument.split_once(':').unwrap_or((argument, ""))) {
        None => Threads::new(conditions.threads),
        Some((workers, part)) => {
            let workers: NonZeroUsize = workers.parse().map_err(|_| refused())?;
            if workers.get() > MOST_WORKERS {
                return Err(refused());
            }
            let has_part = backend.argument.as_deref().is_some_and(|argument| argument.contains(':'));
            match has_part {
                false => Threads::of_workers(workers),
                true => Threads::with_parts(workers, part.parse().map_err(|_| refused())?),
            }
        }
    };
    Ok(Opened::Accumulator(Box::new(threads)))
}

/// A device that is made with a number of banks, 8 if the backend names none, and with faults in it.
fn open_device(
    backend: &Backend,
    conditions: &Conditions,
    make: impl Fn(&str, u32, &[Fault]) -> Result<BusDevice, SubjectError>,
) -> Result<Opened, OpenError> {
    let banks = match &backend.argument {
        None => PUBLISHED_BANKS,
        Some(argument) => argument.parse().ok().filter(|banks| (1..=MOST_BANKS).contains(banks)).ok_or_else(|| {
            let reason = format!("BANKS is a whole number from 1 to {MOST_BANKS}");
            OpenError::Argument { backend: backend.to_string(), reason }
        })?,
    };
    make(&backend.to_string(), banks, &conditions.faults)
        .map(|device| Opened::Device(Box::new(device)))
        .map_err(|error| OpenError::Unavailable { backend: backend.to_string(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Result<Vec<String>, String> {
        let backends = backends(names.iter().copied()).map_err(|error| error.to_string())?;
        Ok(backends.iter().map(Backend::to_string).collect())
    }

    #[test]
    fn software_stands_for_three_and_the_order_is_the_registrys() {
        assert_eq!(
            texts(&["model:4", "software"]),
            Ok(["scalar", "simd", "threads", "model:4"].map(String::from).to_vec())
        );
    }

    #[test]
    fn what_is_no_backend_is_refused_with_what_is() {
        // A build with the RTL has one backend more, and else says the same.
        let refused = |names: &[&str]| texts(names).map_err(|told| told.replace("model, rtl, ", "model, "));
        insta::assert_debug_snapshot!([
            refused(&["gpu"]),
            refused(&[""]),
            refused(&["scalar:2"]),
            refused(&["software", "simd"]),
        ]);
        assert_eq!(texts(&["rtl"]).is_ok(), cfg!(feature = "rtl"));
    }

    #[test]
    fn threads_are_opened_by_their_workers_and_parts_under_that_name() {
        let conditions = Conditions { threads: NonZeroUsize::MIN, faults: Vec::new(), link: LinkConditions::default() };
        for name in ["threads", "threads:3", "threads:8:33"] {
            let opened = open(&backends([name]).expect("a backend"), &conditions).expect("it opens");
            assert_eq!(opened.accumulators[0].name(), name);
        }
        for name in ["threads:0", "threads:", "threads:3:0", "threads:3:", "threads:9999", "threads:3:4:5"] {
            let opened = open(&backends([name]).expect("a backend"), &conditions);
            assert!(matches!(opened, Err(OpenError::Argument { .. })), "{name}");
        }
    }

    #[test]
    fn a_model_has_one_to_thirty_two_banks() {
        let conditions = Conditions { threads: NonZeroUsize::MIN, faults: Vec::new(), link: LinkConditions::default() };
        let open = |name| open(&backends([name]).expect("a backend"), &conditions).map(|s| s.devices.len());
        assert_eq!(open("model:32"), Ok(1));
        for name in ["model:0", "model:33", "model:x", "model:"] {
            assert!(matches!(open(name), Err(OpenError::Argument { .. })), "{name}");
        }
    }
}
