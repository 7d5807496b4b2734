//! Why the kernel maps no registers, and what to do about it.
//!
//! Knows: what an error means for `/dev/mem` and for UIO, on opening and on mapping. Must not: open or map anything.

use std::fmt;
use std::io;

use rustix::io::Errno;

/// How registers are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `/dev/mem`.
    DevMem,
    /// `/dev/uioN`.
    Uio,
}

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To open the device, or to read what the kernel tells of it.
    Open,
    /// To map its registers.
    Map,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Open => "open",
            Step::Map => "map",
        })
    }
}

impl Way {
    /// The error, and what it means for whoever has it.
    pub fn explained(self, step: Step, error: &io::Error) -> String {
        match Errno::from_io_error(error).and_then(|errno| self.advice(step, errno)) {
            Some(advice) => format!("{error}; {advice} (see docs/links-and-boards.md)"),
            None => error.to_string(),
        }
    }

    fn advice(self, step: Step, errno: Errno) -> Option<&'static str> {
        Some(match (self, step, errno) {
            (Way::DevMem, Step::Open, Errno::NOENT) => "a kernel has it if it was built with CONFIG_DEVMEM",
            (Way::DevMem, Step::Open, Errno::ACCESS) => "only root may open it",
            // Its driver asks for the capability and for the lockdown after the file's own permissions let one in.
            (Way::DevMem, Step::Open, Errno::PERM) => {
                "whoever opens it needs CAP_SYS_RAWIO, which root has outside of containers, and a kernel in lockdown \
                 (/sys/kernel/security/lockdown) lets nobody"
            }
            (Way::DevMem, Step::Map, Errno::PERM) => {
                "CONFIG_STRICT_DEVMEM refuses what is RAM, and CONFIG_IO_STRICT_DEVMEM what a driver has claimed \
                 (/proc/iomem): unbind that driver, or boot with iomem=relaxed"
            }
            (Way::Uio, Step::Open, Errno::NOENT | Errno::NXIO | Errno::NODEV) => {
                "there is a UIO device once the driver uio_pdrv_genirq is loaded, its parameter of_id names what a node of \
                 the device tree is compatible with, and the node is there"
            }
            (Way::Uio, Step::Open, Errno::ACCESS) => "a user must be given the right to read and write it, or be root",
            (Way::Uio, Step::Open, Errno::PERM) => {
                "a container must be given the device: to be root is not enough there"
            }
            (Way::Uio, Step::Map, Errno::NODEV) => {
                "the kernel maps no region whose addr does not begin a page: let reg begin one"
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(way: Way, step: Step, errno: Errno) -> String {
        way.explained(step, &io::Error::from(errno))
    }

    #[test]
    fn each_way_to_registers_has_advice_of_its_own() {
        for (way, step, errno, advice) in [
            (
                Way::DevMem,
                Step::Open,
                Errno::NOENT,
                "No such file or directory (os error 2); a kernel has it if it was",
            ),
            (Way::DevMem, Step::Open, Errno::ACCESS, "Permission denied (os error 13); only root"),
            (
                Way::DevMem,
                Step::Open,
                Errno::PERM,
                "Operation not permitted (os error 1); whoever opens it needs CAP_SYS",
            ),
            (Way::DevMem, Step::Map, Errno::PERM, "boot with iomem=relaxed"),
            (Way::Uio, Step::Open, Errno::NOENT, "uio_pdrv_genirq"),
            (Way::Uio, Step::Open, Errno::ACCESS, "the right to read and write it"),
            (Way::Uio, Step::Open, Errno::PERM, "a container must be given"),
            (Way::Uio, Step::Map, Errno::NODEV, "let reg begin one"),
        ] {
            let told = told(way, step, errno);
            assert!(told.contains(advice) && told.ends_with("(see docs/links-and-boards.md)"), "{told}");
            assert!(!told.contains("plugged in") && !told.contains("serial"), "{told}");
        }
        assert_eq!(told(Way::DevMem, Step::Map, Errno::NOMEM), io::Error::from(Errno::NOMEM).to_string());
    }
}
