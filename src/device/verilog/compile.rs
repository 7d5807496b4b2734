//! From the sources of a design to a library that can be loaded: Verilator, then the C++ compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::device::verilog::cache::{Cache, Entry};
use crate::device::verilog::ports::{self, Port};
use crate::device::verilog::sources::{self, Digest};
use crate::device::verilog::tools::{self, Tools, shown};
use crate::device::verilog::{Design, DesignError};

const SHIM: &str = include_str!("shim.cpp");
const PRINT: &str = include_str!("print.h");

/// Verilog in .v, SystemVerilog in .sv. A warning about style does not stop a trial, an error does. What nothing sets
/// is not 0 but random, which `shim.cpp` seeds: a reset that is forgotten must not look right.
const VERILATOR: [&str; 15] = [
    "--cc",
    "-O3",
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
    "--no-timing",
    "--x-assign",
    "fast",
    "--x-initial",
    "unique",
    "+1364-2005ext+v",
    "+1800-2017ext+sv",
    "--prefix",
    "V",
    "-DVERILATOR_BY_ABENCH",
];

const COMPILER: [&str; 7] = ["-std=c++17", "-O2", "-w", "-fPIC", "-fvisibility=hidden", "-pthread", "-Wl,-Bsymbolic"];

/// What the runtime and the shim are compiled with: errors while it runs are the shim's, and no traces.
const DEFINED: [&str; 8] = [
    "-DVL_USER_FINISH",
    "-DVL_USER_STOP",
    "-DVL_USER_FATAL",
    "-DVM_TRACE=0",
    "-DVM_TRACE_VCD=0",
    "-DVM_TRACE_FST=0",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
];

/// A compiled design.
pub struct Compiled {
    /// The library.
    pub library: PathBuf,
    /// The ports of its top module.
    pub ports: Vec<Port>,
    /// The first digits of the digest of its sources.
    pub sources: String,
    /// Where the library is until it is loaded, if there is no cache.
    _scratch: Option<TempDir>,
}

/// Compiles a design, or finds it where an earlier run left it.
pub fn compiled(design: &Design, takes_plants: bool) -> Result<Compiled, DesignError> {
    let names = sources::files(&design.folder)?;
    let digest = sources::digest(&design.folder, &names)?;
    let tools = Tools::find()?;
    let folder = fs::canonicalize(&design.folder)
        .map_err(|error| DesignError::Sources(format!("{}: {error}", design.folder.display())))?;
    // Where the sources are is part of the key: the messages of a design that stops name its files.
    let key = [&digest, &design.top, &tools.version, &tools.compiler_version, SHIM, PRINT, &folder.to_string_lossy()]
        .into_iter()
        .chain(VERILATOR.into_iter().chain(COMPILER).chain(DEFINED))
        .fold(Digest::new().with(&[takes_plants.into()]), |key, part| key.with(part.as_bytes()))
        .text();
    let sources = digest[..16].to_owned();
    let cache = Cache::of_user();
    if let Some((library, entry)) = cache.find(&key) {
        return Ok(Compiled { library, ports: entry.ports, sources, _scratch: None });
    }
    let failed = |error: std::io::Error| DesignError::Tool(format!("the simulation cannot be written: {error}"));
    let scratch = cache.scratch().map_err(failed)?;
    let out = scratch.path();
    let ports = verilate(&tools, design, &names, &folder, takes_plants, out)?;
    let runtime = runtime(&tools, &cache, out)?;
    let library = compile(&tools, &ports, takes_plants, &runtime, out)?;
    let entry = Entry { ports, read: read_by_verilator(out, &folder) };
    let library = cache.keep(&key, &scratch, &library, &entry).map_err(failed)?;
    Ok(Compiled { library, ports: entry.ports, sources, _scratch: Some(scratch) })
}

/// Makes C++ of the sources, and sees that the ports are a device's.
fn verilate(
    tools: &Tools,
    design: &Design,
    names: &[String],
    folder: &Path,
    takes_plants: bool,
    out: &Path,
) -> Result<Vec<Port>, DesignError> {
    let mut command = Command::new(&tools.verilator);
    command.args(VERILATOR).args(["--top-module", &design.top]).arg("--Mdir").arg(out);
    if takes_plants {
        command.arg("-DABENCH_PLANTS");
    }
    // A name could look like an option.
    command.arg("-I.").args(names.iter().map(|name| format!("./{name}"))).current_dir(folder);
    let ended = tools::run(&mut command, out)?;
    let of = design.folder.display();
    if !ended.status.success() {
        let advice = if ended.told.contains("was not found in design") {
            format!("; name the top module: --rtl {of}@top=NAME")
        } else {
            "; files that end in .v are read as Verilog-2005, those in .sv as SystemVerilog".to_owned()
        };
        let told = shown(&ended.told);
        return Err(DesignError::Sources(format!("Verilator rejects the sources in {of}{advice}. It says:{told}")));
    }
    let header = out.join("V.h");
    let text = fs::read_to_string(&header)
        .map_err(|error| DesignError::Tool(format!("Verilator left no {}: {error}", header.display())))?;
    let ports = ports::read(&text);
    if let Some(reason) = ports::refused(&ports) {
        return Err(DesignError::Sources(format!("the module {} in {of} is not a device: {reason}", design.top)));
    }
    if takes_plants && !ports::take_plants(&ports) {
        return Err(DesignError::Sources(format!(
            "faults cannot be planted in {of}: with ABENCH_PLANTS defined, its module {} has no ports plant_we, plant_slot, \
             plant_kind, plant_argument and plant_reached as rtl/abench_top.v has them; leave out --plant",
            design.top
        )));
    }
    Ok(ports)
}

/// Compiles what Verilator made together with the shim, and links its runtime.
fn compile(
    tools: &Tools,
    ports: &[Port],
    takes_plants: bool,
    runtime: &[PathBuf],
    out: &Path,
) -> Result<PathBuf, DesignError> {
    let failed = |error: std::io::Error| DesignError::Tool(format!("{}: {error}", out.display()));
    let all = ports.iter().filter(|port| port.is_input).map(|port| format!("EVERY_INPUT({})\n", port.name));
    let extra = ports::extra_inputs(ports).into_iter().map(|port| format!("EXTRA_INPUT({})\n", port.name));
    let inputs: String = all.chain(extra).collect();
    fs::write(out.join("ports.h"), inputs).map_err(failed)?;
    fs::write(out.join("shim.cpp"), exported(SHIM)).map_err(failed)?;
    let mut generated = Vec::new();
    for entry in fs::read_dir(out).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        generated.extend(Some(name).filter(|name| name.starts_with('V') && name.ends_with(".cpp")));
    }
    generated.sort();
    let library = out.join("made.so");
    let mut command = compiler(tools, out);
    if takes_plants {
        command.arg("-DTAKES_PLANTS");
    }
    command.arg("-shared").args(&generated).arg("shim.cpp").args(runtime).arg("-o").arg(&library);
    compiled_by(&mut command, out)?;
    Ok(library)
}

fn compiler(tools: &Tools, out: &Path) -> Command {
    let mut command = Command::new(&tools.compiler);
    command.args(COMPILER).args(DEFINED).args(["-include", "print.h", "-I.", "-I"]).arg(&tools.include);
    command.arg("-I").arg(tools.include.join("vltstd")).current_dir(out);
    command
}

fn compiled_by(command: &mut Command, out: &Path) -> Result<(), DesignError> {
    let ended = tools::run(command, out)?;
    if ended.status.success() {
        return Ok(());
    }
    let name = command.get_program().to_string_lossy().into_owned();
    Err(DesignError::Tool(format!("{name} cannot compile what Verilator made. It says:{}", shown(&ended.told))))
}

/// The compiled parts of Verilator's runtime that a simulation needs. They take longer than most designs, and are the same
/// for all.
fn runtime(tools: &Tools, cache: &Cache, out: &Path) -> Result<Vec<PathBuf>, DesignError> {
    fs::write(out.join("print.h"), PRINT).map_err(|error| DesignError::Tool(format!("{}: {error}", out.display())))?;
    let include = tools.include.to_string_lossy();
    let key = [&tools.version, &tools.compiler_version, PRINT, &include]
        .into_iter()
        .chain(COMPILER.into_iter().chain(DEFINED))
        .fold(Digest::new(), |key, part| key.with(part.as_bytes()))
        .text();
    let kept = cache.runtime(&key, out);
    let mut objects = Vec::new();
    for name in parts_of_runtime(out)? {
        let object = kept.join(format!("{name}.o"));
        if !object.is_file() {
            let made = out.join(format!("{name}.new.o"));
            let mut command = compiler(tools, out);
            command.arg("-c").arg(tools.include.join(format!("{name}.cpp"))).arg("-o").arg(&made);
            compiled_by(&mut command, out)?;
            fs::rename(&made, &object).map_err(|error| DesignError::Tool(format!("{}: {error}", object.display())))?;
        }
        objects.push(object);
    }
    Ok(objects)
}

/// The shim with its functions visible: everything else in the library stays its own.
fn exported(shim: &str) -> String {
    shim.replace("extern \"C\" {", "#pragma GCC visibility push(default)\nextern \"C\" {")
}

/// Their names, as the makefile lists them that Verilator wrote.
fn parts_of_runtime(out: &Path) -> Result<Vec<String>, DesignError> {
    let list = out.join("V_classes.mk");
    let text = fs::read_to_string(&list)
        .map_err(|error| DesignError::Tool(format!("Verilator left no {}: {error}", list.display())))?;
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
    if names.is_empty() {
        return Err(DesignError::Tool(format!("{}: lists no part of Verilator's runtime", list.display())));
    }
    Ok(names)
}

/// What Verilator read, with digests, from the rule that it wrote for make: `outputs : inputs`.
fn read_by_verilator(out: &Path, folder: &Path) -> Vec<(PathBuf, String)> {
    let rule = fs::read_to_string(out.join("V__ver.d")).unwrap_or_default();
    let inputs = rule.split_once(" : ").map(|(_, inputs)| inputs.to_owned()).unwrap_or_default();
    // Its own program is among them, whose version is in the key.
    let is_source = |path: &PathBuf| path.is_file() && !path.ends_with("verilator_bin");
    let paths = inputs.split_whitespace().map(|path| folder.join(path)).filter(is_source);
    paths.filter_map(|path| sources::digest_of(&path).map(|digest| (path, digest))).collect()
}
