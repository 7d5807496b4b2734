//! Registers that are mapped into this process's memory: `/dev/mem`, or a UIO device.
//!
//! Knows: how a window of bus addresses is mapped, and its bounds. The access itself is in `register`.

mod register;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use memmap2::MmapOptions;
use rustix::fs::OFlags;

use crate::bus::stream::explained;
use crate::bus::{Bus, BusError};

use register::Registers;

/// A stretch of bus addresses that a device occupies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first byte address, as [`Bus::read`] takes it.
    pub base: u32,
    /// How many bytes it has; a multiple of four.
    pub length: u32,
}

/// A bus whose addresses are memory of this process.
pub struct Mapped {
    registers: Registers,
    window: Window,
    opened: Instant,
    link: String,
}

/// The window at this physical address, through `/dev/mem`.
pub fn devmem(physical: u64, window: Window) -> Result<Mapped, BusError> {
    map(Path::new("/dev/mem"), physical, window, &format!("/dev/mem at {physical:#x}"))
}

/// The window at the start of map 0 of `/dev/uioN`, which must be long enough for it by what the kernel says.
pub fn uio(number: u32, window: Window) -> Result<Mapped, BusError> {
    uio_at(Path::new("/dev"), Path::new("/sys/class/uio"), number, window)
}

fn uio_at(devices: &Path, classes: &Path, number: u32, window: Window) -> Result<Mapped, BusError> {
    let (device, told) = (devices.join(format!("uio{number}")), classes.join(format!("uio{number}/maps/map0/size")));
    let link = format!("{}, map 0", device.display());
    let failed = |reason: String| BusError::on(&link, reason);
    let text = std::fs::read_to_string(&told)
        .map_err(|error| failed(format!("cannot read {}: {}", told.display(), explained(&error))))?;
    let digits = text.trim().trim_start_matches("0x");
    let size = u64::from_str_radix(digits, 16)
        .map_err(|_| failed(format!("{}: '{}' is no hexadecimal size", told.display(), text.trim())))?;
    if size < window.length.into() {
        let length = window.length;
        return Err(failed(format!("the map has {size:#x} bytes; expected {length:#x} or more, for both slaves")));
    }
    // Offset N × page size selects map N.
    map(&device, 0, window, &link)
}

fn map(path: &Path, offset: u64, window: Window, link: &str) -> Result<Mapped, BusError> {
    let failed = |what: &str, error: &io::Error| {
        BusError::on(link, format!("cannot {what} {}: {}", path.display(), explained(error)))
    };
    let sync = OFlags::SYNC.bits() as i32;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(sync)
        .open(path)
        .map_err(|error| failed("open", &error))?;
    let end = offset.checked_add(window.length.into());
    if !offset.is_multiple_of(4) || end.is_none() || falls_short(&file, end.unwrap_or(u64::MAX)) {
        let reason = format!(
            "cannot map {:#x} bytes at {offset:#x} of {}: expected a multiple of 4 whose bytes are all there",
            window.length,
            path.display()
        );
        return Err(BusError::on(link, reason));
    }
    let memory = MmapOptions::new()
        .offset(offset)
        .len(window.length as usize)
        .map_raw(&file)
        .map_err(|error| failed("map", &error))?;
    Ok(Mapped { registers: Registers::of(memory), window, opened: Instant::now(), link: link.to_owned() })
}

/// Whether this is a plain file that ends before `end`: an access behind its end would end the process. A device has
/// no length.
fn falls_short(file: &File, end: u64) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() < end)
}

impl Mapped {
    fn offset(&self, address: u32) -> Result<usize, BusError> {
        let Window { base, length } = self.window;
        match address.checked_sub(base) {
            Some(offset) if offset < length && offset.is_multiple_of(4) => Ok(offset as usize),
            _ => Err(BusError::on(
                &self.link,
                format!(
                    "address {address:#010x} is not mapped; expected a multiple of 4 from {base:#010x} on, {length:#x} bytes"
                ),
            )),
        }
    }
}

impl Bus for Mapped {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        Ok(self.registers.read(self.offset(address)?))
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        let offset = self.offset(address)?;
        self.registers.write(offset, word);
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn link(&self) -> &str {
        &self.link
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { base: 0xF002_0000, length: 0x2000 };

    fn file_of(length: usize) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), vec![0; length]).expect("its bytes");
        file
    }

    fn refused(mapped: Result<Mapped, BusError>) -> String {
        mapped.map(|_| ()).expect_err("it cannot be mapped").to_string()
    }

    #[test]
    fn a_register_is_four_little_endian_bytes_at_its_offset() {
        let file = file_of(0x4000);
        let mut bus = map(file.path(), 0x1004, WINDOW, "a file").expect("a map");
        bus.write(0xF002_1020, 0x0208_0000).expect("a write");
        bus.write_run(0xF002_0000, &[1, 2]).expect("a write");
        assert_eq!(bus.read(0xF002_1020), Ok(0x0208_0000));
        let mut words = [0; 2];
        bus.read_each(&[0xF002_0004, 0xF002_0000], &mut words).expect("a read");
        assert_eq!(words, [2, 1]);
        drop(bus);
        let bytes = std::fs::read(file.path()).expect("the bytes");
        assert_eq!(bytes[0x1004 + 0x1020..][..4], [0, 0, 8, 2]);
    }

    #[test]
    fn what_is_outside_the_window_is_refused_and_not_touched() {
        let file = file_of(0x2000);
        let mut bus = map(file.path(), 0, WINDOW, "a file").expect("a map");
        for address in [0, 0xF001_FFFC, 0xF002_2000, 0xF002_0002, u32::MAX] {
            assert!(bus.read(address).expect_err("refused").to_string().contains("is not mapped"));
            assert!(bus.write(address, 1).is_err());
        }
    }

    #[test]
    fn what_cannot_be_mapped_is_refused_with_the_reason() {
        let short = file_of(0x1FFF);
        assert!(refused(map(short.path(), 0, WINDOW, "a file")).contains("whose bytes are all there"));
        let long = file_of(0x4000);
        assert!(refused(map(long.path(), 2, WINDOW, "a file")).contains("a multiple of 4"));
        assert!(refused(map(long.path(), u64::MAX - 3, WINDOW, "a file")).contains("all there"));
        assert!(refused(map(Path::new("/no/such/file"), 0, WINDOW, "a file")).contains("No such file"));
        assert!(refused(map(Path::new("/"), 0, WINDOW, "a file")).contains("cannot open /"));
    }

    #[test]
    fn a_uio_device_is_mapped_if_the_kernel_says_that_it_is_long_enough() {
        let folder = tempfile::tempdir().expect("a folder");
        let maps = folder.path().join("uio3/maps/map0");
        std::fs::create_dir_all(&maps).expect("folders");
        let devices = tempfile::tempdir().expect("a folder");
        let open = |size: &str| {
            std::fs::write(maps.join("size"), size).expect("a file");
            uio_at(devices.path(), folder.path(), 3, WINDOW)
        };
        assert!(refused(open("0x00001000\n")).contains("expected 0x2000 or more"));
        assert!(refused(open("much")).contains("'much' is no hexadecimal size"));
        assert!(refused(open("0x2000")).contains("cannot open"));
        std::fs::write(devices.path().join("uio3"), vec![0; 0x2000]).expect("a file");
        assert_eq!(open("0x00002000\n").expect("a map").read(0xF002_0000), Ok(0));
        assert!(refused(uio_at(devices.path(), folder.path(), 4, WINDOW)).contains("map0/size"));
    }
}
