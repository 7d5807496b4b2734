//! `abench engine check`: what it asks of engines in processes, which faults it names, and that it comes to its end.

use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::{Answer, has, short_answer, unwrapped};

fn has_python() -> bool {
    has("python3")
}

/// The check of the template in Python with one passage replaced.
fn check_with(passage: &str, other: &str) -> Answer {
    check_of(&fs::read_to_string("adapters/template/adapter.py").expect("the template"), passage, other)
}

/// The check of an adapter in Python with one passage replaced.
fn check_of(template: &str, passage: &str, other: &str) -> Answer {
    assert_eq!(template.matches(passage).count(), 1, "{passage}");
    let folder = TempDir::new().expect("a folder");
    let adapter = folder.path().join("adapter.py");
    fs::write(&adapter, template.replace(passage, other)).expect("it is written");
    short_answer(&["engine", "check", &format!("python3 {}", adapter.display())])
}

#[test]
fn each_fault_that_is_planted_in_the_template_fails_the_step_that_asks_for_it_and_no_other() {
    if !has_python() {
        return;
    }
    let accepts = r#"return [self.keep(self.me, edit), {"sync": True}, {"accept": True}]"#;
    let faults = [
        (
            accepts,
            r#"return [{"accept": True}, self.keep(self.me, edit), {"sync": True}]"#,
            "an edit survives a power failure as soon as it is accepted",
            "its power failed after effect 1 of its answer, 'accept': it shows 5 rather than 12",
        ),
        (
            r#"        edit["at"] ="#,
            "        if sum(self.have().values()) == 16:\n            return [{\"accept\": True}]\n        edit[\"at\"] =",
            "many edits in a row are all kept and sent",
            "of 40 edits that add 1, 40 were accepted, and their own replica shows 21 rather than 45",
        ),
        (
            r#"            if body["from"][author] <= here:
                stored += [self.keep(author, edit) for edit in edits[here - body["from"][author]:]]"#,
            r#"            at = max(0, here - body["from"][author])
            stored += [self.keep(author, edit) for edit in edits[at:]]"#,
            "a message of an earlier connection does no harm",
            "to a client that had lost its store: after",
        ),
        (
            r#""store": "journal""#,
            r#""store": "memory""#,
            "what it keeps is where it says",
            "it declares the store 'memory', and after an accepted edit has an image of 0 B, 1 entries",
        ),
        (
            r#"str(start["fresh"])"#,
            r#"str(start["node"])"#,
            "a replica that lost its store is not taken for its former self",
            "the client added 7, lost its store, and added 6: after",
        ),
        (
            r#""revision": sum(replica.have().values())"#,
            r#""revision": 3"#,
            "'revision' changes whenever what it shows changes",
            "an edit of one of the counters changed what it shows, and 'revision' is 3 before and after it",
        ),
        (
            r#""edits": bool(lacking)"#,
            r#""edits": False"#,
            "a message without edits brings none, and one that comes back is no loss",
            "messages that are said to carry no edits, and shows 12 rather than 5",
        ),
        (
            "whole = known is not None",
            "whole = True",
            "who took a round has all that its sender had when the round began",
            "the hub took all messages up to one that ends a round, and shows 5; the client showed 12",
        ),
        (
            r#""begins": whole, "ends": whole"#,
            r#""begins": False, "ends": False"#,
            "who took a round has all that its sender had when the round began",
            "none ended a round that the client began after its edit",
        ),
        (
            r#""backlog": replica.backlog()"#,
            r#""backlog": 0"#,
            "an edit is accepted and shown",
            "To do: give in 'backlog' the number of edits of this replica's user",
        ),
    ];
    for (passage, other, step, why) in faults {
        let answer = check_with(passage, other);
        assert_eq!(answer.exit, 1, "{other}: {answer:?}");
        let failed: Vec<&str> = answer.output.lines().filter_map(|line| line.strip_prefix("  FAILED  ")).collect();
        assert_eq!(failed, [step], "{other}: {}", answer.output);
        assert!(unwrapped(&answer.output).contains(why), "{other}: {}", answer.output);
    }
}

#[test]
fn an_engine_of_records_passes_and_one_whose_records_have_lives_or_whose_users_change_what_is_not_there_does_not() {
    if !has_python() {
        return;
    }
    let [template, records] = ["adapters/template/adapter.py", "tests/cli/record_log.py"]
        .map(|file| fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}")));
    let begin = "def answer_to(replica";
    let adapter = template.replacen(begin, &format!("{records}\n\n{begin}"), 1);
    let deletes = r#"        deletes = [edit for edit in edits if "delete" in edit]"#;
    let of_last_life = format!(
        r#"        creates = [edit for edit in edits if "create" in edit]
        edits = [edit for edit in edits if "create" in edit or "delete" in edit or not left(creates, [edit])]
{deletes}"#
    );
    let faults = [
        (
            r#"or shown["record"] is not None"#,
            "or True",
            "no record was there, and a user changed it, which means nothing",
        ),
        (
            r#"        return shown["record"] is None"#,
            "        return True",
            "a record was there, and a user created it, which means nothing",
        ),
        (
            deletes,
            &of_last_life,
            "it was deleted and created again, and at the same time somebody added tag 3: it shows [60, 61] {}",
        ),
    ];
    let answer = check_of(&adapter, deletes, deletes);
    assert_eq!(answer.exit, 0, "{}", answer.output);
    for (passage, other, why) in faults {
        let answer = check_of(&adapter, passage, other);
        assert_eq!(answer.exit, 1, "{other}: {answer:?}");
        let failed: Vec<&str> = answer.output.lines().filter_map(|line| line.strip_prefix("  FAILED  ")).collect();
        assert_eq!(failed, ["a record is there as a whole, or not at all"], "{other}: {}", answer.output);
        assert!(unwrapped(&answer.output).contains(why), "{other}: {}", answer.output);
    }
}

#[test]
fn an_engine_whose_counters_only_grow_passes_once_it_declares_that() {
    if !has_python() {
        return;
    }
    let range = r#"{"min": str(-(2**63)), "max": str(2**63 - 1)}"#;
    let answer = check_with(range, r#"{"min": "0", "max": str(2**63 - 1)}"#);
    assert_eq!(answer.exit, 0, "{answer:?}");
    let told = unwrapped(&answer.output);
    assert!(told.contains("are kept exactly (from 0 to 9223372036854775807)"), "{told}");
}

#[test]
fn a_check_of_an_engine_that_does_not_answer_comes_to_its_end_and_says_what_was_not_tried() {
    if !has_python() {
        return;
    }
    let all = [
        // It sleeps while it owes its first answer: nothing says that it would ever start.
        ("never-starts", "it did not answer 'hello' within 10 s, in which none of its processes did anything"),
        ("silent", "not asked: requests stay without an answer, and each takes its whole deadline"),
        ("half-line", "it wrote a line without a newline at its end: '{\"n\": '"),
    ];
    std::thread::scope(|scope| {
        for (how, why) in all {
            scope.spawn(move || {
                let began = Instant::now();
                let answer = short_answer(&["engine", "check", &format!("python3 tests/engines/misbehaves.py {how}")]);
                assert_eq!(answer.exit, 1, "{how}: {answer:?}");
                assert!(unwrapped(&answer.output).contains(why), "{how}: {}", answer.output);
                // Two deadlines of 10 s, and a busy machine.
                assert!(began.elapsed() < Duration::from_secs(45), "{how}: {:?}", began.elapsed());
            });
        }
    });
}

#[test]
fn the_check_names_each_step_that_an_adapter_lacks_and_passes_both_templates() {
    if !has_python() || !has("node") {
        return;
    }
    for command in ["python3 adapters/template/adapter.py", "node adapters/template/adapter.mjs"] {
        let answer = short_answer(&["engine", "check", command]);
        assert_eq!(answer.exit, 0, "{command}: {answer:?}");
        assert!(answer.output.contains("23 steps passed: it can stand trial (exit 0)"), "{answer:?}");
    }
    let answer = short_answer(&["engine", "check", "python3 tests/engines/misbehaves.py accepts"]);
    assert_eq!(answer.exit, 1, "{answer:?}");
    for step in ["FAILED  an edit is accepted and shown", "FAILED  an edit comes to the other replica", "To do:"] {
        assert!(answer.output.contains(step), "{step}: {}", answer.output);
    }
}

#[test]
fn a_check_of_what_cannot_be_started_says_why_and_exits_4_and_of_what_starts_1() {
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str| {
        fs::write(folder.path().join(name), "#!/no/such/interpreter\n").expect("it is written");
        folder.path().join(name).display().to_string()
    };
    let [plain, script] = ["plain", "script"].map(file);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, mode).expect("permissions");
    for (command, why) in [
        ("./nonexistent", "'./nonexistent' cannot be started: there is no file ./nonexistent"),
        ("no-such-program-anywhere --flag", "cannot be started: no executable program of this name in PATH"),
        ("./tests", "./tests is a folder"),
        (plain.as_str(), "is not executable (Permission denied"),
        (script.as_str(), "its first line must name an interpreter that is there"),
        ("  ", "cannot be started: it has no words"),
        ("'a", "cannot be started: it has a quote without an end"),
    ] {
        let answer = short_answer(&["engine", "check", command]);
        assert_eq!((answer.exit, answer.output.as_str()), (4, ""), "{command}: {answer:?}");
        assert!(unwrapped(&answer.talk).contains(why), "{command}: {answer:?}");
    }
    // It starts, and then says nothing of itself.
    let answer = short_answer(&["engine", "check", "false"]);
    assert_eq!(answer.exit, 1, "{answer:?}");
    assert!(answer.output.contains("FAILED  it starts, and says what it is"), "{answer:?}");
}
