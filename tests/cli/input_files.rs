//! Files that are read: what is no regular file is not waited for, and a path need not be text.
#![cfg(unix)]

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Answer, abench, short_answer};

const TICK: &str = include_str!("../../scenarios/tick.toml");

fn pipe(folder: &Path) -> String {
    let pipe = folder.join("pipe.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    pipe.to_str().expect("a path").to_owned()
}

#[test]
fn a_named_pipe_is_refused_by_every_verb_that_reads_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = pipe(folder.path());
    for verb in ["run", "qualify", "replay", "convert", "report"] {
        let Answer { exit, output, talk } = short_answer(&[verb, &pipe]);
        assert_eq!((exit, output.as_str()), (2, ""), "{verb}: {talk}");
        assert!(talk.contains("it is a named pipe, and only regular files are read"), "{verb}: {talk}");
    }
}

#[test]
fn a_scenario_is_read_from_standard_input() {
    for name in ["-", "/dev/stdin"] {
        let mut child = abench()
            .args(["run", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        child.stdin.take().expect("a pipe").write_all(TICK.as_bytes()).expect("it reads");
        let Answer { exit, output, talk } = Answer::of(child.wait_with_output().expect("it ends"));
        assert_eq!(exit, 0, "{name}: {output}{talk}");
    }
}

#[test]
fn a_scenario_whose_path_is_no_text_is_run_and_its_record_is_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(OsStr::from_bytes(b"\xFFtick.toml"));
    std::fs::write(&path, TICK).expect("a file");
    let record = folder.path().join(OsStr::from_bytes(b"\xFE.json"));
    let run = abench().arg("run").arg(&path).arg("--record").arg(&record).output().expect("the binary starts");
    let Answer { exit, talk, .. } = Answer::of(run);
    assert_eq!(exit, 0, "{talk}");
    let replay = abench().arg("replay").arg(&record).output().expect("the binary starts");
    let Answer { exit, output, talk } = Answer::of(replay);
    assert_eq!(exit, 0, "{output}{talk}");
}

#[test]
fn where_files_may_not_be_long_enough_for_a_record_the_run_says_so_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("record.json");
    let program =
        format!("ulimit -f 1; exec '{}' run tick --record '{}'", env!("CARGO_BIN_EXE_abench"), record.display());
    let limited = Command::new("sh").args(["-c", &program]).output().expect("sh starts");
    let Answer { exit, talk, .. } = Answer::of(limited);
    assert_eq!(exit, 2, "{talk}");
    assert!(talk.contains("ulimit -f") && talk.contains("record.json"), "{talk}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is left behind");
}
