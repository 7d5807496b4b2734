//! Devices at the other end of a link: what may follow their names, and how they are opened.

use std::path::Path;

use crate::bus::etherbone::{tcp, udp};
use crate::bus::mapped::{self, Window};
use crate::bus::stream::{self, ByteStream, DEFAULT_BAUD};
use crate::bus::uartbone::UartBone;
use crate::bus::{Bus, BusError};
use crate::device::registers::{CLOCK_HZ, adapter};
use crate::domain::subject::SubjectError;
use crate::subject::attestation::Attestation;
use crate::subject::device::BusDevice;
use crate::subject::serial::SerialDevice;
use crate::subject::{Backend, Conditions, OpenError, Opened};

/// What links are opened under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkConditions {
    /// Bits per second of a serial line.
    pub baud: u32,
    /// The clock of the devices' engines, in cycles per second.
    pub clock_hz: u64,
    /// What the user says of the other end.
    pub attestation: Attestation,
}

impl Default for LinkConditions {
    fn default() -> Self {
        LinkConditions { baud: DEFAULT_BAUD, clock_hz: CLOCK_HZ, attestation: Attestation::None }
    }
}

/// The adapter and the bench engine behind it, 4 KiB each.
const BOTH_SLAVES: Window = Window { base: adapter::BASE, length: 0x2000 };

/// Where a stream leads.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    Tty(&'a Path),
    Tcp(&'a str, u16),
}

fn refused(backend: &Backend, allowed: &str) -> OpenError {
    OpenError::Argument { backend: backend.to_string(), reason: format!("expected {allowed}") }
}

fn unavailable(backend: &Backend) -> impl Fn(SubjectError) -> OpenError {
    let backend = backend.to_string();
    move |error| OpenError::Unavailable { backend: backend.clone(), error }
}

/// A host and a port; an IPv6 address stands in brackets.
fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bare.unwrap_or(host);
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let is_host = !host.is_empty() && !host.contains('/') && (bare.is_some() || !host.contains(':'));
    is_host.then_some((host, port))
}

fn place(text: &str) -> Option<Place<'_>> {
    if text.contains('/') {
        return Some(Place::Tty(Path::new(text)));
    }
    host_and_port(text).map(|(host, port)| Place::Tcp(host, port))
}

fn argument(backend: &Backend) -> &str {
    backend.argument.as_deref().unwrap_or_default()
}

/// Whether this backend is on a tty; one whose place is mistaken is taken for one, and is refused with its forms.
pub(super) fn is_on_tty(backend: &Backend) -> bool {
    match backend.name {
        "serial" => true,
        "uartbone" => !matches!(place(argument(backend)), Some(Place::Tcp(..))),
        _ => false,
    }
}

/// A device over a bus that `connect` opens.
fn remote<B: Bus + 'static>(
    backend: &Backend,
    conditions: &Conditions,
    connected: Result<B, BusError>,
) -> Result<Opened, OpenError> {
    let device = connected
        .map_err(SubjectError::from)
        .and_then(|bus| BusDevice::remote(&backend.to_string(), conditions.link, Box::new(bus)));
    device.map(|device| Opened::Device(Box::new(device))).map_err(unavailable(backend))
}

pub(super) fn open_uartbone(backend: &Backend, conditions: &Conditions) -> Result<Opened, OpenError> {
    const PROTOCOL: &str = "uartbone";
    let stream: Result<Box<dyn ByteStream>, BusError> = match place(argument(backend)) {
        Some(Place::Tty(path)) => stream::open_tty(PROTOCOL, path, conditions.link.baud),
        Some(Place::Tcp(host, port)) => stream::connect(PROTOCOL, host, port),
        None => return Err(refused(backend, "uartbone:PATH, with a / in the path of the tty, or uartbone:HOST:PORT")),
    };
    remote(backend, conditions, stream.map(UartBone::over))
}

pub(super) fn open_etherbone(backend: &Backend, conditions: &Conditions) -> Result<Opened, OpenError> {
    let parsed = argument(backend).split_once(':').map(|(kind, place)| (kind, host_and_port(place)));
    match parsed {
        Some(("tcp", Some((host, port)))) => remote(backend, conditions, tcp::open(host, port)),
        Some(("udp", Some((host, port)))) => remote(backend, conditions, udp::open(host, port)),
        _ => Err(refused(backend, "etherbone:tcp:HOST:PORT or etherbone:udp:HOST:PORT")),
    }
}

pub(super) fn open_serial(backend: &Backend, conditions: &Conditions) -> Result<Opened, OpenError> {
    let Some(Place::Tty(path)) = place(argument(backend)) else {
        return Err(refused(backend, "serial:PATH, with a / in the path of the tty"));
    };
    stream::open_tty("serial protocol", path, conditions.link.baud)
        .map_err(SubjectError::from)
        .and_then(|stream| SerialDevice::open(&backend.to_string(), stream, conditions.link.attestation))
        .map(|device| Opened::Serial(Box::new(device)))
        .map_err(unavailable(backend))
}

pub(super) fn open_devmem(backend: &Backend, conditions: &Conditions) -> Result<Opened, OpenError> {
    let physical = match &backend.argument {
        None => Some(u64::from(BOTH_SLAVES.base)),
        Some(text) => u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok(),
    };
    let physical = physical.filter(|address| address.is_multiple_of(4));
    let allowed = "devmem:ADDR, the adapter's physical address in hexadecimal, a multiple of 4 [default: 0xf0020000]";
    remote(backend, conditions, mapped::devmem(physical.ok_or_else(|| refused(backend, allowed))?, BOTH_SLAVES))
}

pub(super) fn open_uio(backend: &Backend, conditions: &Conditions) -> Result<Opened, OpenError> {
    let number = argument(backend).parse().map_err(|_| refused(backend, "uio:N, the number of /dev/uioN"))?;
    remote(backend, conditions, mapped::uio(number, BOTH_SLAVES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_slash_and_all_else_is_a_host_and_a_port() {
        assert_eq!(place("/dev/ttyUSB1"), Some(Place::Tty(Path::new("/dev/ttyUSB1"))));
        assert_eq!(place("board.local:1234"), Some(Place::Tcp("board.local", 1234)));
        assert_eq!(place("[::1]:9"), Some(Place::Tcp("::1", 9)));
        for text in ["", "ttyUSB1", "board", "board:", ":1234", "board:0", "board:65536", "::1:9", "board:x"] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
