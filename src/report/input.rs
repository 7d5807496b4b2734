//! Files that are read: regular ones, whole, and no longer than they may be.
//!
//! A named pipe that nobody writes to would be waited for in silence, so that it is refused. A pipe that the shell has opened
//! already, such as `/dev/stdin`, is read to its end.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Places of what is open already. To open it again waits for nobody.
const OPEN_ALREADY: [&str; 3] = ["/dev/stdin", "/dev/fd", "/proc/self/fd"];

/// The text that comes over standard input, of at most `most` bytes.
///
/// # Errors
/// If it cannot be read, is longer than that, or is no text.
pub fn standard_input(most: u64) -> io::Result<String> {
    String::from_utf8(read(io::stdin().lock(), most)?).map_err(io::Error::other)
}

/// The text in a file of at most `most` bytes.
///
/// # Errors
/// If it cannot be read, is no regular file, is longer than that, or is no text.
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(bytes(path, most)?).map_err(io::Error::other)
}

/// The bytes of a file of at most `most`.
///
/// # Errors
/// If it cannot be read, is no regular file, or is longer than that.
pub fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let is_open_already = OPEN_ALREADY.iter().any(|place| path.starts_with(place));
    if let Some(what) = irregular(&fs::metadata(path)?.file_type()).filter(|_| !is_open_already) {
        return Err(io::Error::other(format!(
            "it is {what}, and only regular files are read; copy it to a file, or hand it over as /dev/stdin"
        )));
    }
    read(File::open(path)?, most)
}

fn read(source: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it is longer than {most} B, the most that is read")));
    }
    Ok(bytes)
}

/// What a file is that is no regular one.
fn irregular(kind: &fs::FileType) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Some("a device");
        }
    }
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => None,
        (_, true) => Some("a folder"),
        _ => Some("no file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_up_to_the_most_bytes_and_a_longer_one_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "12345").expect("written");
        assert_eq!(text(file.path(), 5).expect("it fits"), "12345");
        assert!(text(file.path(), 4).expect_err("it is longer").to_string().contains("longer than 4 B"));
        fs::write(file.path(), [0xFF]).expect("written");
        assert!(text(file.path(), 5).is_err(), "it is no text");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_by_its_kind_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .expect("a pipe");
        let refused = |path: &Path| text(path, 9).expect_err("it is refused").to_string();
        assert!(refused(&pipe).starts_with("it is a named pipe, "), "{}", refused(&pipe));
        assert!(refused(folder.path()).starts_with("it is a folder, "));
        assert!(refused(Path::new("/dev/zero")).starts_with("it is a device, "));
    }
}
