//! The RTL in `rtl/`, made into C++ by Verilator and compiled: simulations of a few numbers of banks, each of which stands
//! for the numbers below it, too; some as it is synthesised and some with the faults that can be planted.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The RTL, the top first.
const SOURCES: [&str; 3] = ["abench_top.v", "bench_engine.v", "delta_adapter.v"];

/// What the RTL includes where faults can be planted.
const INCLUDED: [&str; 3] = ["plants.vh", "bench_engine_plants.vh", "delta_adapter_plants.vh"];

/// A kind of simulation.
struct Kind {
    /// What the generated classes are called.
    name: &'static str,
    /// What is defined for it besides `ABENCH_SIMULATION`.
    defined: Option<&'static str>,
    /// The numbers of banks that it is compiled for, ascending to the most that an engine can have: a device with fewer
    /// banks is simulated by the smallest that has enough. The sound ones are run for speed, and so have more sizes.
    sizes: &'static [u32],
}

const KINDS: [Kind; 2] = [
    Kind { name: "Sound", defined: None, sizes: &[1, 4, 8, 16, 32] },
    Kind { name: "Planted", defined: Some("-DABENCH_PLANTS"), sizes: &[8, 32] },
];

/// The oldest Verilator whose output this fits.
const OLDEST: (u32, u32) = (5, 6);

/// Builds the library of simulations, or says in a sentence what is missing.
pub fn build() -> Result<(), String> {
    for path in ["build/verilated.rs", "src/device/rtl/simulation.h", "src/device/rtl/shim.cpp"] {
        println!("cargo::rerun-if-changed={path}");
    }
    SOURCES.iter().chain(&INCLUDED).for_each(|name| println!("cargo::rerun-if-changed=rtl/{name}"));
    println!("cargo::rerun-if-env-changed=VERILATOR");
    let verilator = env::var_os("VERILATOR").unwrap_or_else(|| "verilator".into());
    let include = include(&verilator)?;
    // A Verilator that is replaced by another one is noticed.
    println!("cargo::rerun-if-changed={}", include.join("verilated_config.h").display());
    let crate_root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo names no folder of the crate")?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no folder for what is built")?).join("verilated");
    if out.exists() {
        fs::remove_dir_all(&out).map_err(at(&out))?;
    }
    fs::create_dir_all(&out).map_err(at(&out))?;
    generate(&verilator, &crate_root.join("rtl"), &out)?;
    let units = units(&out)?;
    compile(&crate_root.join("src/device/rtl"), &include, &out, &units)
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

/// Where Verilator's runtime is, once its version is found to be one that fits.
fn include(verilator: &OsString) -> Result<PathBuf, String> {
    let install = "the feature rtl simulates Verilog and needs Verilator 5.006 or newer and a C++ compiler: install them, \
                   on Debian 12 or newer with `apt-get install verilator g++`";
    let shown = |argument: &[&str]| {
        let output = Command::new(verilator).args(argument).output().ok().filter(|output| output.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let name = verilator.to_string_lossy();
    let version = shown(&["--version"]).ok_or_else(|| format!("{install} (`{name} --version` does not run)"))?;
    let number = |text: &str| text.parse::<u32>().ok();
    let numbers = version.split_whitespace().nth(1).and_then(|word| word.split_once('.'));
    let found = numbers.and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    if found.is_none_or(|found| found < OLDEST) {
        return Err(format!("{install} (`{name} --version` says {version})"));
    }
    let root = shown(&["--getenv", "VERILATOR_ROOT"]).filter(|root| !root.is_empty());
    let root = root.ok_or_else(|| format!("{install} (`{name} --getenv VERILATOR_ROOT` names no folder)"))?;
    Ok(Path::new(&root).join("include"))
}

/// Runs Verilator once for each simulation, on all cores.
fn generate(verilator: &OsString, rtl: &Path, out: &Path) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let all = KINDS.iter().flat_map(|kind| kind.sizes.iter().map(move |&banks| (kind, banks)));
            // The largest first: they take longest.
            let Some((kind, banks)) = all.rev().nth(number) else { return Ok(()) };
            verilate(verilator, rtl, out, banks, kind)?;
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a thread that ran Verilator panicked")?)
    })
}

fn verilate(verilator: &OsString, rtl: &Path, out: &Path, banks: u32, kind: &Kind) -> Result<(), String> {
    let mut command = Command::new(verilator);
    command.args(["--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--trace", "--language", "1364-2005"]);
    command.args(["--top-module", "abench_top", "--prefix", &class(kind.name, banks), &format!("-GN_BANKS={banks}")]);
    command
        .arg("-DABENCH_SIMULATION")
        .args(kind.defined)
        .arg("--Mdir")
        .arg(out)
        .arg("-I.")
        .args(SOURCES)
        .current_dir(rtl);
    let output = command.output().map_err(|error| format!("Verilator cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("Verilator refuses rtl/ with {banks} banks: {}", told.lines().collect::<Vec<_>>().join(" / ")))
}

fn class(kind: &str, banks: u32) -> String {
    format!("{kind}{banks}")
}

/// Writes a source for each simulation, of all that Verilator made for it, and the table of all of them.
fn units(out: &Path) -> Result<Vec<PathBuf>, String> {
    let mut generated = Vec::new();
    for entry in fs::read_dir(out).map_err(at(out))? {
        let name = entry.map_err(at(out))?.file_name().to_string_lossy().into_owned();
        generated.extend(Some(name).filter(|name| name.ends_with(".cpp")));
    }
    generated.sort();
    let mut units = Vec::new();
    let mut declared = "#include \"simulation.h\"\n".to_owned();
    for kind in KINDS {
        let mut makers = Vec::new();
        for &banks in kind.sizes {
            let class = class(kind.name, banks);
            let parts = generated.iter().filter(|name| {
                let rest = name.strip_prefix(&class);
                rest.is_some_and(|rest| rest.starts_with('.') || rest.starts_with('_'))
            });
            let mut source: String = parts.map(|part| format!("#include \"{part}\"\n")).collect();
            source += &format!("#include \"{class}__Syms.h\"\n#include \"simulation.h\"\n");
            source += &format!(
                "Simulation* new_{class}(uint32_t banks) {{ return new Of<{class}, {}>(banks); }}\n",
                kind.defined.is_some()
            );
            let unit = out.join(format!("unit_{class}.cc"));
            fs::write(&unit, source).map_err(at(&unit))?;
            units.push(unit);
            declared += &format!("Simulation* new_{class}(uint32_t banks);\n");
            makers.push(format!("{{{banks}, new_{class}}}"));
        }
        declared += &format!("static const Maker {}[] = {{{}}};\n", kind.name.to_uppercase(), makers.join(", "));
    }
    let table = out.join("models.h");
    fs::write(&table, declared).map_err(at(&table))?;
    Ok(units)
}

/// The parts of Verilator's runtime that a simulation needs, as its makefile lists them.
fn runtime(out: &Path) -> Result<Vec<String>, String> {
    let list = out.join(format!("{}_classes.mk", class(KINDS[0].name, KINDS[0].sizes[0])));
    let text = fs::read_to_string(&list).map_err(at(&list))?;
    let mut names = Vec::new();
    let mut listed = false;
    for line in text.lines() {
        let begins = line.starts_with("VM_GLOBAL_FAST +=") || line.starts_with("VM_GLOBAL_SLOW +=");
        listed |= begins;
        if listed && !begins {
            names.extend(line.split_whitespace().filter(|word| *word != "\\").map(str::to_owned));
        }
        listed &= line.trim_end().ends_with('\\');
    }
    if names.is_empty() { Err(format!("{}: lists no part of Verilator's runtime", list.display())) } else { Ok(names) }
}

fn compile(shim: &Path, include: &Path, out: &Path, units: &[PathBuf]) -> Result<(), String> {
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").opt_level(2).debug(false).warnings(false);
    for (name, value) in
        [("VM_TRACE", "1"), ("VM_TRACE_VCD", "1"), ("VM_TRACE_FST", "0"), ("VM_COVERAGE", "0"), ("VM_SC", "0")]
    {
        build.define(name, value);
    }
    build.include(out).include(shim).include(include).include(include.join("vltstd"));
    build.files(units).file(shim.join("shim.cpp"));
    build.files(runtime(out)?.iter().map(|name| include.join(format!("{name}.cpp"))));
    build.try_compile("abench_rtl").map_err(|error| format!("the simulation of rtl/ does not compile: {error}"))?;
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-link-lib=pthread");
    }
    Ok(())
}
