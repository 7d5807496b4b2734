//! The ports of a top module, as the header of Verilator's class lists them, and which ones a device has to have.

use serde::{Deserialize, Serialize};

/// A port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Whether it is an input; else an output, or one that is both.
    pub is_input: bool,
    /// Its width.
    pub bits: u32,
}

/// The ports that a device has to have: name, whether it is an input, bits.
const NEEDED: [(&str, bool, u32); 10] = [
    ("clk", true, 1),
    ("rst", true, 1),
    ("wb_cyc_i", true, 1),
    ("wb_stb_i", true, 1),
    ("wb_we_i", true, 1),
    ("wb_sel_i", true, 4),
    ("wb_adr_i", true, 32),
    ("wb_dat_i", true, 32),
    ("wb_dat_o", false, 32),
    ("wb_ack_o", false, 1),
];

/// The ports through which faults are planted.
const PLANTS: [(&str, bool, u32); 5] = [
    ("plant_we", true, 1),
    ("plant_slot", true, 6),
    ("plant_kind", true, 8),
    ("plant_argument", true, 32),
    ("plant_reached", false, 32),
];

/// The ports in the header of a generated class: lines such as `VL_IN8(&clk,0,0);`.
pub fn read(header: &str) -> Vec<Port> {
    header.lines().filter_map(|line| port(line.trim())).collect()
}

fn port(line: &str) -> Option<Port> {
    let (kind, rest) = line.strip_prefix("VL_")?.split_once("(&")?;
    let is_input = kind.starts_with("IN") && !kind.starts_with("INOUT");
    if !is_input && !kind.starts_with("OUT") && !kind.starts_with("INOUT") {
        return None;
    }
    let mut parts = rest.split_once(')')?.0.split(',');
    let (name, high, low): (_, u32, u32) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(Port { name: name.to_owned(), is_input, bits: high.abs_diff(low) + 1 })
}

/// The inputs that are not part of the bus and fit in 64 bits.
pub fn extra_inputs(ports: &[Port]) -> Vec<&Port> {
    let known = |port: &Port| NEEDED.iter().chain(&PLANTS).any(|(name, ..)| *name == port.name);
    ports.iter().filter(|port| port.is_input && port.bits <= 64 && !known(port)).collect()
}

/// Whether faults can be planted through these ports.
pub fn take_plants(ports: &[Port]) -> bool {
    PLANTS.iter().all(|needed| has(ports, *needed))
}

fn has(ports: &[Port], (name, is_input, bits): (&str, bool, u32)) -> bool {
    ports.iter().any(|port| (port.name.as_str(), port.is_input, port.bits) == (name, is_input, bits))
}

/// What is wrong with a device's ports, in a sentence, and what they have to be.
pub fn refused(ports: &[Port]) -> Option<String> {
    let shown = |(name, is_input, bits): (&str, bool, u32)| {
        let direction = if is_input { "input" } else { "output" };
        if bits == 1 { format!("{direction} {name}") } else { format!("{direction} [{}:0] {name}", bits - 1) }
    };
    let lacking: Vec<String> = NEEDED.into_iter().filter(|port| !has(ports, *port)).map(shown).collect();
    if lacking.is_empty() {
        return None;
    }
    let there: Vec<String> = ports.iter().map(|port| shown((port.name.as_str(), port.is_input, port.bits))).collect();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    Some(format!(
        "its ports lack {}; it has {there}. Wrap the design in a module with the ports of rtl/abench_top.v: Wishbone, byte \
         addresses, the adapter at 0xf0020000 and the bench engine at 0xf0021000",
        lacking.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "    // PORTS\n    VL_IN8(&clk,0,0);\n    VL_IN8(&rst,0,0);\n    VL_IN8(&wb_cyc_i,0,0);\n    \
        VL_IN8(&wb_stb_i,0,0);\n    VL_IN8(&wb_we_i,0,0);\n    VL_IN8(&wb_sel_i,3,0);\n    VL_IN(&wb_adr_i,31,0);\n    \
        VL_IN(&wb_dat_i,31,0);\n    VL_OUT(&wb_dat_o,31,0);\n    VL_OUT8(&wb_ack_o,0,0);\n    VL_IN16(&mutsel,8,0);\n    \
        VL_INW(&wide,95,0,3);\n    VL_INOUT8(&both,1,0);\n";

    #[test]
    fn ports_are_read_from_a_header_with_their_widths() {
        let ports = read(HEADER);
        assert_eq!(ports.len(), 13);
        assert_eq!(ports[10], Port { name: "mutsel".to_owned(), is_input: true, bits: 9 });
        assert_eq!((ports[11].bits, ports[12].is_input), (96, false));
        assert_eq!(refused(&ports), None);
        let extra: Vec<&str> = extra_inputs(&ports).iter().map(|port| port.name.as_str()).collect();
        assert_eq!(extra, ["mutsel"]);
        assert!(!take_plants(&ports));
    }

    #[test]
    fn a_port_that_is_missing_or_of_another_width_is_named() {
        let narrow =
            HEADER.replace("VL_IN(&wb_adr_i,31,0);", "VL_IN(&wb_adr_i,29,0);").replace("VL_IN8(&rst,0,0);", "");
        let told = refused(&read(&narrow)).expect("it is refused");
        assert!(told.starts_with("its ports lack input rst, input [31:0] wb_adr_i; it has input clk, "), "{told}");
        assert!(told.contains("input [29:0] wb_adr_i"), "{told}");
    }
}
