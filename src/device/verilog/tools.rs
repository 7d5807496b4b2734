//! Verilator and the C++ compiler: where they are, and how they are run with a deadline.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::device::verilog::DesignError;

/// The oldest Verilator whose output this fits.
const OLDEST: (u32, u32) = (5, 6);

/// How long one tool may take.
const LONGEST: Duration = Duration::from_secs(600);

/// As much of what a tool says as helps.
const LINES_SHOWN: usize = 12;

/// What to install.
const ADVICE: &str = "--rtl simulates Verilog and needs Verilator 5.006 or newer and a C++ compiler while it runs: install \
                      them, on Debian 12 or newer with `apt-get install verilator g++`; VERILATOR and CXX may name others";

/// The two tools.
pub struct Tools {
    /// Verilator's program.
    pub verilator: OsString,
    /// Its first line about itself.
    pub version: String,
    /// The folder of its runtime.
    pub include: PathBuf,
    /// The C++ compiler's program.
    pub compiler: OsString,
    /// Its first line about itself.
    pub compiler_version: String,
}

/// How a tool ended.
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// All that it said.
    pub told: String,
}

impl Tools {
    /// Finds them by name.
    pub fn find() -> Result<Self, DesignError> {
        let missing = |what: String| DesignError::Tool(format!("{ADVICE} ({what})"));
        let named = |variable, name: &str| env::var_os(variable).filter(|it| !it.is_empty()).unwrap_or(name.into());
        let (verilator, compiler) = (named("VERILATOR", "verilator"), named("CXX", "c++"));
        let shown = |program: &OsStr, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok();
            let output = output.filter(|output| output.status.success());
            output.map(|output| String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
        };
        let does_not_run = |program: &OsStr| missing(format!("`{} --version` does not run", program.to_string_lossy()));
        let version = shown(&verilator, &["--version"]).ok_or_else(|| does_not_run(&verilator))?;
        let numbers = version.split_whitespace().nth(1).and_then(|word| word.split_once('.'));
        let found = numbers.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        if found.is_none_or(|found: (u32, u32)| found < OLDEST) {
            return Err(missing(format!("`{} --version` says {version}", verilator.to_string_lossy())));
        }
        let root = shown(&verilator, &["--getenv", "VERILATOR_ROOT"]).filter(|root| !root.is_empty());
        let root = root.ok_or_else(|| missing("`verilator --getenv VERILATOR_ROOT` names no folder".to_owned()))?;
        let compiler_version = shown(&compiler, &["--version"]).ok_or_else(|| does_not_run(&compiler))?;
        Ok(Tools { verilator, version, include: Path::new(&root).join("include"), compiler, compiler_version })
    }
}

/// Runs a tool to its end; what it says is collected in `scratch`.
pub fn run(command: &mut Command, scratch: &Path) -> Result<Ended, DesignError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| DesignError::Tool(format!("{name}: {error}"));
    let told = scratch.join("told.txt");
    let file = File::create(&told).map_err(failed)?;
    let output = file.try_clone().map_err(failed)?;
    let mut child = command.stdin(Stdio::null()).stdout(output).stderr(file).spawn().map_err(failed)?;
    let end = Instant::now() + LONGEST;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(DesignError::Tool(format!(
                "{name} did not end within {} s and was stopped",
                LONGEST.as_secs()
            )));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let told = std::fs::read(&told).map_err(failed)?;
    Ok(Ended { status, told: String::from_utf8_lossy(&told).into_owned() })
}

/// The first lines of what a tool said, those that tell of errors first.
pub fn shown(told: &str) -> String {
    let (errors, others): (Vec<&str>, Vec<&str>) =
        told.lines().filter(|line| !line.trim().is_empty()).partition(|line| line.contains("rror"));
    let lines: Vec<&str> = errors.into_iter().chain(others).collect();
    let mut shown = lines.iter().take(LINES_SHOWN).map(|line| format!("\n  {line}")).collect::<String>();
    if lines.len() > LINES_SHOWN {
        shown += &format!("\n  and {} more lines", lines.len() - LINES_SHOWN);
    }
    shown
}
