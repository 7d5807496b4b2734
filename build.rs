//! What is built besides the Rust sources: with feature `rtl`, the simulations of the RTL.

#[cfg(feature = "rtl")]
#[path = "build/verilated.rs"]
mod verilated;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "rtl")]
    if let Err(reason) = verilated::build() {
        println!("cargo::error={reason}");
        std::process::exit(1);
    }
}
