//! Where a simulated device first goes wrong inside, and the waveform around it.

/// What a look into a simulated device found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The first clock that goes wrong; `None` if inside nothing did.
    pub first_wrong: Option<FirstWrong>,
    /// Clocks that were compared with those of a sound device.
    pub compared: u64,
    /// The clocks around the first wrong one, as the text of a VCD file; empty if there is none.
    pub vcd: String,
}

/// The first clock in which a device goes wrong inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstWrong {
    /// Which clock since its reset; the first is 1.
    pub clock: u64,
    /// Its rising edge in the waveform, in nanoseconds.
    pub nanoseconds: u64,
    /// The bank of the engine that is wrong, if it is one.
    pub bank: Option<u32>,
    /// What is wrong after it, in words.
    pub what: String,
}
