//! Registers that are mapped into this process's memory: `/dev/mem`, or a UIO device.
//!
//! Knows: how a window of bus addresses is mapped, and its bounds. The access itself is in `register`.

mod refusal;
mod register;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use memmap2::MmapOptions;
use rustix::fs::OFlags;
use rustix::param::page_size;

use crate::bus::{Bus, BusError};

use refusal::{Step, Way};
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
    map(Way::DevMem, Path::new("/dev/mem"), physical, window, &format!("/dev/mem at {physical:#x}"))
}

/// The window at the start of what map 0 of `/dev/uioN` is about, which must be long enough for it by what the kernel
/// says. The kernel maps whole pages: where the registers begin within the first one, it says how far.
pub fn uio(number: u32, window: Window) -> Result<Mapped, BusError> {
    uio_at(Path::new("/dev"), Path::new("/sys/class/uio"), number, window)
}

fn uio_at(devices: &Path, classes: &Path, number: u32, window: Window) -> Result<Mapped, BusError> {
    let device = devices.join(format!("uio{number}"));
    let link = format!("{}, map 0", device.display());
    let region =
        Region::told(&classes.join(format!("uio{number}/maps/map0"))).map_err(|why| BusError::on(&link, why))?;
    let link = format!("{link} at {:#x}", region.address.saturating_add(region.offset));
    let (left, length) = (region.size.saturating_sub(region.offset), window.length);
    if region.offset >= page_size() as u64 {
        let reason = format!("the map begins {:#x} bytes into its first page, which has fewer", region.offset);
        return Err(BusError::on(&link, reason));
    }
    if left < length.into() {
        let reason = format!(
            "the map has {left:#x} bytes ({:#x}, and begins at {:#x} of them); expected {length:#x} or more, for both slaves \
             in one map",
            region.size, region.offset
        );
        return Err(BusError::on(&link, reason));
    }
    // Offset N × page size selects map N, and the rest is an offset within it.
    map(Way::Uio, &device, region.offset, window, &link)
}

/// A region of memory, as the kernel tells of a UIO device's map.
struct Region {
    /// The physical address of its first page.
    address: u64,
    /// Where it begins within that page.
    offset: u64,
    /// How many bytes it has, from the start of that page on.
    size: u64,
}

impl Region {
    /// What the files of this folder say.
    fn told(folder: &Path) -> Result<Self, String> {
        let number = |name: &str| {
            let place: PathBuf = folder.join(name);
            let text = std::fs::read_to_string(&place).map_err(|error| {
                format!("cannot read {}: {}", place.display(), Way::Uio.explained(Step::Open, &error))
            })?;
            u64::from_str_radix(text.trim().trim_start_matches("0x"), 16)
                .map_err(|_| format!("{}: '{}' is no hexadecimal number", place.display(), text.trim()))
        };
        Ok(Region { size: number("size")?, offset: number("offset")?, address: number("addr")? })
    }
}

/// The file of a device, opened so that no access of what is mapped is cached.
fn opened(path: &Path) -> io::Result<File> {
    let sync = OFlags::SYNC.bits() as i32;
    OpenOptions::new().read(true).write(true).custom_flags(sync).open(path)
}

fn map(way: Way, path: &Path, offset: u64, window: Window, link: &str) -> Result<Mapped, BusError> {
    let failed = |step: Step, error: &io::Error| {
        BusError::on(link, format!("cannot {step} {}: {}", path.display(), way.explained(step, error)))
    };
    let file = opened(path).map_err(|error| failed(Step::Open, &error))?;
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
        .map_err(|error| failed(Step::Map, &error))?;
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
        let mut bus = map(Way::DevMem, file.path(), 0x1004, WINDOW, "a file").expect("a map");
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
        let mut bus = map(Way::DevMem, file.path(), 0, WINDOW, "a file").expect("a map");
        for address in [0, 0xF001_FFFC, 0xF002_2000, 0xF002_0002, u32::MAX] {
            assert!(bus.read(address).expect_err("refused").to_string().contains("is not mapped"));
            assert!(bus.write(address, 1).is_err());
        }
    }

    #[test]
    fn what_cannot_be_mapped_is_refused_with_the_reason() {
        let short = file_of(0x1FFF);
        assert!(refused(map(Way::DevMem, short.path(), 0, WINDOW, "a file")).contains("whose bytes are all there"));
        let long = file_of(0x4000);
        assert!(refused(map(Way::DevMem, long.path(), 2, WINDOW, "a file")).contains("a multiple of 4"));
        assert!(refused(map(Way::DevMem, long.path(), u64::MAX - 3, WINDOW, "a file")).contains("all there"));
        assert!(refused(map(Way::DevMem, Path::new("/no/such/file"), 0, WINDOW, "a file")).contains("No such file"));
        assert!(refused(map(Way::DevMem, Path::new("/"), 0, WINDOW, "a file")).contains("cannot open /"));
    }

    #[test]
    fn what_is_mapped_is_opened_so_that_nothing_is_cached() {
        let flags = rustix::fs::fcntl_getfl(opened(file_of(4).path()).expect("a file")).expect("its flags");
        assert!(flags.contains(OFlags::SYNC | OFlags::RDWR), "{flags:?}");
    }

    /// What a kernel tells of `/dev/uio3`, and the device with so many bytes, each page's first word being its number.
    struct Told(tempfile::TempDir);

    impl Told {
        fn of(size: &str, offset: &str, address: &str) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let maps = folder.path().join("uio3/maps/map0");
            std::fs::create_dir_all(&maps).expect("folders");
            for (name, text) in [("size", size), ("offset", offset), ("addr", address)] {
                std::fs::write(maps.join(name), text).expect("a file");
            }
            Told(folder)
        }

        fn opened(&self, bytes: Option<Vec<u8>>) -> Result<Mapped, BusError> {
            let devices = tempfile::tempdir().expect("a folder");
            if let Some(bytes) = bytes {
                std::fs::write(devices.path().join("uio3"), bytes).expect("a file");
            }
            uio_at(devices.path(), self.0.path(), 3, WINDOW)
        }
    }

    #[test]
    fn a_uio_device_is_mapped_if_the_kernel_says_that_it_is_long_enough() {
        let open = |size: &str| Told::of(size, "0x0\n", "0xf0020000\n").opened(Some(vec![0; 0x2000]));
        assert!(refused(open("0x00001000\n")).contains("expected 0x2000 or more"));
        assert!(refused(open("much")).contains("size: 'much' is no hexadecimal number"));
        let mut mapped = open("0x00002000\n").expect("a map");
        assert_eq!(mapped.read(0xF002_0000), Ok(0));
        assert!(mapped.link().ends_with("uio3, map 0 at 0xf0020000"), "{}", mapped.link());
        assert!(refused(Told::of("0x2000", "0x0", "0x0").opened(None)).contains("cannot open"));
        let folder = tempfile::tempdir().expect("a folder");
        assert!(refused(uio_at(folder.path(), folder.path(), 4, WINDOW)).contains("map0/size"));
    }

    #[test]
    fn registers_that_begin_within_a_page_are_taken_from_where_the_kernel_says() {
        let bytes: Vec<u8> = (0..0x3000u32 / 4).flat_map(|word| (4 * word).to_le_bytes()).collect();
        let open = |size, offset| Told::of(size, offset, "0x0000000043c00000\n").opened(Some(bytes.clone()));
        let mut mapped = open("0x0000000000003000\n", "0x400\n").expect("a map");
        assert_eq!(mapped.read(0xF002_0000), Ok(0x400));
        assert_eq!(mapped.read(0xF002_1020), Ok(0x1420));
        assert_eq!(mapped.read(0xF002_1FFC), Ok(0x23FC));
        assert!(mapped.link().ends_with("map 0 at 0x43c00400"), "{}", mapped.link());
        let told = refused(open("0x2000", "0x400"));
        assert!(told.contains("the map has 0x1c00 bytes (0x2000, and begins at 0x400 of them)"), "{told}");
        assert!(refused(open("0x200", "0x400")).contains("the map has 0x0 bytes"));
        assert!(refused(open("0x3000", "0x402")).contains("expected a multiple of 4"));
        // What would be another map.
        assert!(refused(open("0xffffffff", "0x100000")).contains("into its first page, which has fewer"));
        assert!(refused(open("0x3000", "far")).contains("offset: 'far' is no hexadecimal number"));
    }
}
