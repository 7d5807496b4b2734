//! A script as a scenario file.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::offline::OfflineTrial;
use crate::domain::script::{text, world};
use crate::scenario::file::VERSION;

/// The file of a script in which this engine is falsified: its name, and the text that names it where engines are listed, with
/// its command if it has one. `about` is what the file says of itself.
pub fn scenario(trial: &OfflineTrial, (engine, named): (&str, &str), about: &str) -> String {
    let mut file = format!("version = {VERSION}\nabout = {}\n\n[offline]\nseed = \"{}\"\n", quoted(about), trial.seed);
    let keys: BTreeMap<String, Value> = world::keys(trial).into_iter().collect();
    keys.iter().for_each(|(key, value)| file += &format!("{key} = {}\n", text::toml(value)));
    file += &format!("engines = [{}]\nsteps = [\n", quoted(named));
    trial.steps.iter().for_each(|step| file += &format!("    {},\n", text::line(step)));
    file += &format!(
        "]\n\n[expect]\nverdict = \"falsified\"\n\n[expect.engines]\n{} = {{ verdict = \"falsified\" }}\n",
        key(engine)
    );
    file
}

/// A text in quotes: what JSON writes TOML reads.
fn quoted(plain: &str) -> String {
    Value::from(plain).to_string()
}

/// A key, in quotes where it needs them.
fn key(plain: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !plain.is_empty() && plain.chars().all(is_bare) { plain.to_owned() } else { quoted(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use crate::domain::trial::Trial;
    use crate::scenario::file;

    #[test]
    fn a_script_with_all_that_a_world_can_have_is_the_same_when_its_file_is_read() {
        let keys = "clients:3:registers:7:start:-4:tags.registers:2:tags.elements:5:edges.0.name:north_1:edges.0.parent:hub\
                    :edges.0.clients.0:2:link.latency_ms:150:journal.retain:0:load.messages:30:staleness_s:60";
        let steps = "edit:client_0:register:0:by:-1+lose:1:from:client_2:to:north_1+crash:hub:for_s:5:after_s:0.000001\
                     +edit:client_1:register:8:remove:4";
        let trial = world::world(Seed::new(7), keys, steps).expect("a world");
        let text = scenario(&trial, ("delta-state", "delta-state"), "It says \"no\".\nTwice.");
        let read = file::parse(&text, "one", "one.toml").expect(&text);
        assert_eq!(read.about, "It says \"no\".\nTwice.");
        let Trial::Offline(again) = read.trial else { panic!("it is a world") };
        assert_eq!(OfflineTrial { engines: Vec::new(), ..*again }, trial);
        assert_eq!(read.expect.expect("it expects").engines.len(), 1);
    }

    #[test]
    fn names_of_registers_are_the_same_in_a_file_and_in_a_replay_command() {
        let steps = "edit:client_0:register:1:by:3+edit:client_1:register:0:by:1";
        let names = ["42", "audit number", "true", "Zählt: \"a\""];
        let mut trial = world::world(Seed::new(7), "clients:2:registers:4", steps).expect("a world");
        trial.names = names.map(str::to_owned).to_vec();
        let case = world::world(trial.seed, &world::of_keys(&trial), &text::of_steps(&trial.steps));
        assert_eq!(case.as_ref(), Ok(&trial));
        let file = scenario(&trial, ("delta-state", "delta-state"), "A world.");
        let Trial::Offline(again) = file::parse(&file, "one", "one.toml").expect(&file).trial else {
            panic!("it is a world")
        };
        assert_eq!(OfflineTrial { engines: Vec::new(), ..*again }, trial);
    }

    #[test]
    fn a_script_of_an_engine_in_a_process_names_its_command_and_expects_it_by_its_name() {
        let trial =
            world::world(Seed::new(7), "clients:1:registers:1", "edit:client_0:register:0:by:1").expect("a world");
        for (name, named) in [
            ("mine", "mine=cmd:python3 'my adapter.py' --mapping \"a\""),
            ("python3 mine.py", "cmd:python3 mine.py"),
            ("theirs", "theirs=maelstrom:./node"),
        ] {
            let text = scenario(&trial, (name, named), "A world.");
            let read = file::parse(&text, "one", "one.toml").expect(&text);
            let Trial::Offline(again) = read.trial else { panic!("it is a world") };
            assert_eq!(again.engines, [named]);
            let expected: Vec<String> = read.expect.expect("it expects").engines.into_keys().collect();
            assert_eq!(expected, [name]);
        }
    }
}
