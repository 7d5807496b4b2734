//! The access to a mapped register: all of the mapping's `unsafe`.
//!
//! It is needed because a register is no memory: the compiler must make exactly one access of exactly 32 bits for each
//! read and write, neither leaving one out nor joining two, which only a volatile access through a pointer promises; and
//! because on RISC-V the fence that orders accesses of devices has no name in Rust.
#![allow(unsafe_code)]

use memmap2::MmapRaw;

/// Mapped registers.
pub struct Registers(MmapRaw);

impl Registers {
    /// Those in this memory, which the kernel aligns to a page, or at least to the four bytes that the caller checked.
    pub fn of(memory: MmapRaw) -> Self {
        Registers(memory)
    }

    fn place(&self, offset: usize) -> *mut u32 {
        assert!(offset.is_multiple_of(4) && offset + 4 <= self.0.len(), "offset {offset:#x} is within the window");
        self.0.as_mut_ptr().wrapping_add(offset).cast()
    }

    /// The word at this byte offset.
    pub fn read(&self, offset: usize) -> u32 {
        let place = self.place(offset);
        fence();
        // SAFETY: `place` is aligned and within the mapping, which lives as long as `self`; what is mapped has all of
        // its bytes, as the caller checked, and any bits are a valid word.
        let word = unsafe { place.read_volatile() };
        fence();
        u32::from_le(word)
    }

    /// Writes the word at this byte offset.
    pub fn write(&self, offset: usize, word: u32) {
        let place = self.place(offset);
        fence();
        // SAFETY: as for reading; the mapping is writable, and no reference to it is ever made.
        unsafe { place.write_volatile(word.to_le()) };
        fence();
    }
}

/// Orders the accesses of devices before it with those after it.
#[inline]
fn fence() {
    // `fence(SeqCst)` is `fence rw,rw` there, which orders memory and leaves out device input and output.
    #[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))]
    // SAFETY: the instruction touches no register and no memory.
    unsafe {
        std::arch::asm!("fence iorw, iorw", options(nostack, preserves_flags));
    }
    #[cfg(not(any(target_arch = "riscv32", target_arch = "riscv64")))]
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}
