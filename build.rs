//! What is built besides the Rust sources: the version with its commit and, with feature `rtl`, the simulations of the RTL.

use std::env;
use std::path::PathBuf;

#[path = "build/commit.rs"]
mod commit;
#[cfg(feature = "rtl")]
#[path = "build/verilated.rs"]
mod verilated;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/commit.rs");
    let of_cargo = |name: &str| env::var(name).unwrap_or_default();
    let root = PathBuf::from(of_cargo("CARGO_MANIFEST_DIR"));
    for line in commit::directives(&root, &of_cargo("CARGO_PKG_VERSION"), &of_cargo("PROFILE")) {
        println!("{line}");
    }
    #[cfg(feature = "rtl")]
    if let Err(reason) = verilated::build() {
        println!("cargo::error={reason}");
        std::process::exit(1);
    }
}
