//! `--rtl DIR`: somebody's Verilog on trial, compiled while the program runs.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Answer, abench, in_full, unwrapped};

/// Whether the tools are there that such a trial needs.
fn has_tools() -> bool {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|told| told.status.success());
    let missing: Vec<&str> = ["verilator", "c++"].into_iter().filter(|program| !runs(program)).collect();
    if missing.is_empty() {
        return true;
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI {missing:?} must be there");
    // Said past the test's own output, which is hidden where a test passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not installed (trials of Verilog)", missing.join(", "));
    false
}

/// Our RTL's sources, as a user would have them in a folder, after a change.
fn changed(from: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut changes = 0;
    let rtl = Path::new(env!("CARGO_MANIFEST_DIR")).join("rtl");
    for entry in fs::read_dir(rtl).expect("the RTL") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        if ["v", "vh"].map(OsStr::new).contains(&path.extension().unwrap_or_default()) {
            let text = fs::read_to_string(&path).expect("a source");
            changes += text.matches(from).count();
            fs::write(folder.path().join(name), text.replace(from, to)).expect("written");
        }
    }
    assert!(from.is_empty() || changes > 0, "{from} is in the RTL");
    folder
}

/// What a trial of the Verilog in this folder, named `.`, answers. Compiled designs are kept where the tests are built.
fn on_trial(folder: &Path, args: &[&str]) -> Answer {
    let mut command = abench();
    command.current_dir(folder).env("ABENCH_CACHE", cache()).args(in_full(&[&["--rtl", "."], args].concat()));
    Answer::of(command.output().expect("the binary starts"))
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-verilog")
}

#[test]
fn a_copy_of_our_rtl_holds_and_the_report_names_its_folder() {
    if !has_tools() {
        return;
    }
    let folder = changed("", "");
    let Answer { output, talk, exit } = on_trial(folder.path(), &["1001"]);
    assert_eq!(exit, 0, "{output}{talk}");
    let device = "verilog:. evidence: rtl-simulation what it is: version 2, banks 8, reached Verilator 5.";
    let unwrapped = unwrapped(&output);
    assert!(unwrapped.contains(device) && unwrapped.contains(" simulation of ., sources "), "{unwrapped}");
    assert!(output.contains("VERIFY: ALL MATCH"), "{output}");
}

#[test]
fn banks_are_what_the_status_register_says() {
    if !has_tools() {
        return;
    }
    let folder = changed("parameter N_BANKS = 8", "parameter N_BANKS = 5");
    let Answer { output, talk, exit } = on_trial(folder.path(), &["100"]);
    assert_eq!(exit, 0, "{output}{talk}");
    assert!(unwrapped(&output).contains("version 2, banks 5, reached"), "{output}");
}

#[test]
fn a_start_that_does_not_clear_the_banks_is_falsified_and_its_record_and_its_case_replay() {
    if !has_tools() {
        return;
    }
    let folder = changed("if (rst | clears)", "if (rst)");
    let Answer { output, talk, exit } = on_trial(folder.path(), &["1000", "--record", "run.json"]);
    assert_eq!(exit, 1, "{output}{talk}");
    let text = fs::read_to_string(folder.path().join("run.json")).expect("a record");
    let record: Value = serde_json::from_str(&text).expect("JSON");
    let asked = record["asked"]["backends"].as_array().expect("backends");
    assert!(asked.contains(&Value::from("verilog:.")), "{asked:?}");
    let replayed = |what: &str| {
        let mut command = abench();
        command.current_dir(folder.path()).env("ABENCH_CACHE", cache()).args(["replay", what]);
        Answer::of(command.output().expect("the binary starts"))
    };
    let Answer { output: again, exit, .. } = replayed("run.json");
    assert_eq!(exit, 1, "{again}");
    assert!(again.contains("replay: the same as recorded"), "{again}");
    let case = output.split_whitespace().find(|word| word.starts_with("case1,verilog:.,")).expect("a case");
    let Answer { output: again, .. } = replayed(case);
    assert!(again.contains("replay of case1,verilog:.,engine,") && again.contains("simulation of ."), "{again}");
}

#[test]
fn faults_are_planted_in_verilog_that_has_the_ports_for_it_and_refused_in_other() {
    if !has_tools() {
        return;
    }
    let folder = changed("", "");
    let planted = ["100", "--plant", "dead-bank:3"];
    let Answer { output, talk, exit } = on_trial(folder.path(), &planted);
    assert_eq!(exit, 1, "{output}{talk}");
    assert!(output.contains("dead-bank:3"), "{output}");
    let without = changed("ABENCH_PLANTS", "NOT_OURS");
    let Answer { talk, exit, .. } = on_trial(without.path(), &planted);
    assert_eq!(exit, 2, "{talk}");
    assert!(
        unwrapped(&talk).contains("has no ports plant_we, plant_slot") && talk.contains("leave out --plant"),
        "{talk}"
    );
}

#[test]
fn another_top_is_named_and_its_other_inputs_are_set() {
    if !has_tools() {
        return;
    }
    let folder = changed("", "");
    let top = "module soc(input clk, input rst, input wb_cyc_i, input wb_stb_i, input wb_we_i, input [3:0] wb_sel_i,
        input [31:0] wb_adr_i, input [31:0] wb_dat_i, output [31:0] wb_dat_o, output wb_ack_o, input [1:0] wrong);
        wire [31:0] word;
        assign wb_dat_o = word ^ {30'd0, wrong == 2'd2, 1'b0};
        abench_top device(.clk(clk), .rst(rst), .wb_cyc_i(wb_cyc_i), .wb_stb_i(wb_stb_i), .wb_we_i(wb_we_i),
            .wb_sel_i(wb_sel_i), .wb_adr_i(wb_adr_i), .wb_dat_i(wb_dat_i), .wb_dat_o(word), .wb_ack_o(wb_ack_o));
        endmodule\n";
    fs::write(folder.path().join("soc.sv"), top).expect("written");
    let exit_of = |rtl: &str| {
        let mut command = abench();
        command.current_dir(folder.path()).env("ABENCH_CACHE", cache()).args(["100", "--rtl", rtl]);
        let Answer { output, talk, exit } = Answer::of(command.output().expect("the binary starts"));
        (exit, output + &talk)
    };
    let (exit, told) = exit_of(".@top=soc");
    assert_eq!(exit, 0, "{told}");
    let (exit, told) = exit_of(".@top=soc@wrong=2");
    assert!([1, 4].contains(&exit), "{told}");
    for (rtl, expected) in [
        (".@top=soc@wrong=4", "wrong=4 does not fit: the port has 2 bits"),
        (".@top=soc@missing=1", "'missing' is not an input beside those of the bus; there is wrong"),
        (".@top=bench_engine", "its ports lack input [31:0] wb_adr_i; it has"),
        (".@top=nowhere", "name the top module: --rtl .@top=NAME. It says:"),
    ] {
        let (exit, told) = exit_of(rtl);
        assert_eq!(exit, 2, "{rtl}: {told}");
        assert!(unwrapped(&told).contains(expected), "{rtl}: {told}");
    }
}

#[test]
fn a_syntax_error_is_told_in_verilators_words() {
    if !has_tools() {
        return;
    }
    let folder = changed("assign wb_ack_o =", "assign wb_ack_o = =");
    let Answer { talk, exit, .. } = on_trial(folder.path(), &[]);
    assert_eq!(exit, 2, "{talk}");
    assert!(talk.contains("abench_top.v:") && talk.contains("syntax error"), "{talk}");
}

#[test]
fn a_device_that_never_acknowledges_and_one_that_stops_itself_are_unavailable() {
    if !has_tools() {
        return;
    }
    for (from, to, told) in [
        (
            "assign wb_ack_o = adapter_ack | engine_ack | nobody_ack",
            "assign wb_ack_o = 1'b0",
            "wb_ack_o was not raised in 4096 clocks of a read of 0xf0021020",
        ),
        ("nobody_ack <=", "if (wb_we_i) begin $display(\"bye\"); $finish; end else nobody_ack <=", "it called $finish"),
    ] {
        let folder = changed(from, to);
        let Answer { output, talk, exit } = on_trial(folder.path(), &["100", "--record", "-"]);
        assert_eq!(exit, 4, "{output}{talk}");
        assert!(unwrapped(&talk).contains(told), "{told}: {talk}");
        assert!(serde_json::from_str::<Value>(&output).is_ok(), "what it prints is talk: {output}");
    }
}

#[test]
fn what_cannot_be_compiled_for_want_of_sources_or_tools_is_told_with_advice() {
    let empty = tempfile::tempdir().expect("a folder");
    let Answer { talk, exit, .. } = on_trial(empty.path(), &[]);
    assert_eq!(exit, 2, "{talk}");
    assert!(unwrapped(&talk).contains("the folder . holds no file that ends in .v or .sv"), "{talk}");
    let folder = changed("", "");
    for variable in ["VERILATOR", "CXX"] {
        let mut command = abench();
        command.current_dir(folder.path()).args(["--rtl", "."]).env(variable, "no-such-program");
        let Answer { talk, exit, .. } = Answer::of(command.output().expect("the binary starts"));
        assert_eq!(exit, 4, "{talk}");
        let talk = unwrapped(&talk);
        let names_both = talk.contains("apt-get install verilator g++");
        assert!(names_both, "{talk}");
        if has_tools() {
            assert!(talk.contains("`no-such-program --version` does not run"), "{talk}");
        }
    }
    for (rtl, told) in [
        ("missing", "the folder missing cannot be read"),
        ("a,b", "the character ',' cannot stand in it"),
        ("", "the folder of the Verilog sources has to follow"),
    ] {
        let mut command = abench();
        command.current_dir(empty.path()).args(["--rtl", rtl]);
        let Answer { talk, exit, .. } = Answer::of(command.output().expect("the binary starts"));
        assert_eq!(exit, 2, "{talk}");
        assert!(unwrapped(&talk).contains(told), "{talk}");
    }
}
