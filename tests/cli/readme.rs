//! What the README shows is what the binary prints.

use crate::common::short_answer;

/// The transcripts of runs: the arguments, and the lines that are shown; `...` stands for lines that are left out.
fn transcripts() -> Vec<(Vec<String>, Vec<String>)> {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let mut transcripts = Vec::new();
    for block in blocks {
        let mut lines = block.lines();
        let command = lines.next().unwrap_or_default();
        let args = command.strip_prefix("$ cargo run --release -- ").or(command.strip_prefix("$ abench "));
        let shown: Vec<String> = lines.map(str::to_owned).collect();
        // Blocks of several commands show no output.
        if let Some(args) = args.filter(|_| !shown.is_empty() && !shown.iter().any(|line| line.starts_with("$ "))) {
            transcripts.push((args.split_whitespace().map(str::to_owned).collect(), shown));
        }
    }
    transcripts
}

#[test]
fn every_transcript_of_the_readme_is_what_the_binary_prints() {
    let transcripts = transcripts();
    assert_eq!(transcripts.len(), 4, "{transcripts:?}");
    for (args, shown) in transcripts {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = short_answer(&args).output;
        let mut printed = output.lines();
        let mut may_skip = false;
        for line in shown {
            if line == "..." {
                may_skip = true;
                continue;
            }
            let found =
                if may_skip { printed.any(|other| other == line) } else { printed.next() == Some(line.as_str()) };
            assert!(found, "abench {}: the README shows {line:?}, and the output is\n{output}", args.join(" "));
            may_skip = false;
        }
    }
}
