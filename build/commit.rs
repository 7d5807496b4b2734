//! The version that `abench --version` prints: in a release build from a git clone, with the commit and its date.
//!
//! A development build has the plain version: with the commit, each commit would have everything compiled again. Git is asked,
//! and whatever goes wrong there gives the plain version too.

use std::path::Path;
use std::process::Command;

/// What cargo is told, line by line.
pub fn directives(root: &Path, version: &str, profile: &str) -> Vec<String> {
    let told = |version: &str| format!("cargo::rustc-env=ABENCH_VERSION={version}");
    let plain = || vec![told(version)];
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // A source that was unpacked within another project's clone is of no commit of that project.
    let is_clone =
        || Some(Path::new(&git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()? == root.canonicalize().ok()?);
    if profile != "release" || is_clone() != Some(true) {
        return plain();
    }
    let Some(commit) = git(&["log", "-1", "--abbrev=12", "--format=%h %cs"]) else { return plain() };
    // Cargo looks at a file that is not there as one that always changes.
    let watched = ["HEAD", "logs/HEAD"].iter().filter_map(|name| git(&["rev-parse", "--git-path", name]));
    let watched = watched.map(|path| root.join(path)).filter(|path| path.exists());
    let changes = watched.map(|path| format!("cargo::rerun-if-changed={}", path.display()));
    [told(&format!("{version} ({commit})"))].into_iter().chain(changes).collect()
}
