//! A user's own Verilog as a subject: `verilog:DIR`, with `@top=NAME` for another top module than `abench_top`, and with
//! `@INPUT=NUMBER` for inputs of it that are not part of the bus.

use std::path::PathBuf;

use crate::device::model::Plants;
use crate::device::verilog::{Design, DesignError, Loaded, MOST_PLANTED, TOP, Verilog};
use crate::domain::evidence::Evidence;
use crate::domain::subject::SubjectError;
use crate::subject::device::BusDevice;
use crate::subject::{Backend, Conditions, OpenError, Opened};

/// What the backend is called.
pub const NAME: &str = "verilog";

/// The design that an argument names.
fn design(argument: &str) -> Result<Design, String> {
    // A case holds the argument, and is pasted into shells.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._+-@=:".contains(c);
    if let Some(other) = argument.chars().find(|c| !is_plain(*c)) {
        return Err(format!(
            "the character {other:?} cannot stand in it, because a case has to hold it; allowed are letters, digits and \
             / . _ + - : (make a symbolic link, or change into the folder and name it .)"
        ));
    }
    let mut parts = argument.split('@');
    let folder = parts.next().unwrap_or_default();
    if folder.is_empty() {
        return Err("the folder of the Verilog sources has to follow, as in verilog:DIR".to_owned());
    }
    let mut design = Design { folder: PathBuf::from(folder), top: TOP.to_owned(), inputs: Vec::new() };
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let is_name = |text: &str| {
            let mut letters = text.chars();
            letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
                && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if name == "top" && is_name(value) {
            value.clone_into(&mut design.top);
        } else if let Some(number) = value.parse().ok().filter(|_| is_name(name) && name != "top") {
            if design.inputs.iter().any(|(input, _)| input == name) {
                return Err(format!("@{name}= is there twice; set each input once"));
            }
            design.inputs.push((name.to_owned(), number));
        } else {
            return Err(format!("'@{part}' is not a setting; allowed are @top=NAME and @INPUT=NUMBER"));
        }
    }
    Ok(design)
}

pub(super) fn open(backend: &Backend, conditions: &Conditions) -> Result<Opened, OpenError> {
    let refused = |reason| OpenError::Argument { backend: backend.to_string(), reason };
    let design = design(backend.argument.as_deref().unwrap_or_default()).map_err(refused)?;
    let planted = conditions.faults.len();
    if planted > MOST_PLANTED {
        return Err(refused(format!("it has room for {MOST_PLANTED} planted faults, not {planted}; plant fewer")));
    }
    let unavailable = |error| OpenError::Unavailable { backend: backend.to_string(), error };
    let loaded = Loaded::new(&design, planted > 0).map_err(|error| match error {
        DesignError::Sources(reason) => refused(reason),
        DesignError::Tool(reason) => unavailable(SubjectError::Unavailable(reason)),
    })?;
    let plants = Plants::new(&conditions.faults);
    let in_device = plants.clone();
    let connect = move || Ok(Box::new(Verilog::new(&loaded, &in_device)?) as _);
    let device = BusDevice::open(&backend.to_string(), Evidence::RtlSimulation, plants, connect);
    device.map(|device| Opened::Device(Box::new(device))).map_err(unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_names_a_folder_a_top_and_inputs() {
        let named = design("../my-rtl@top=soc_v2@mutsel=7").expect("a design");
        assert_eq!(named.folder, PathBuf::from("../my-rtl"));
        assert_eq!((named.top.as_str(), named.inputs), ("soc_v2", vec![("mutsel".to_owned(), 7)]));
        assert_eq!(design("rtl").map(|design| design.top), Ok("abench_top".to_owned()));
    }

    #[test]
    fn what_names_no_design_is_refused_with_what_is_allowed() {
        for (argument, told) in [
            ("", "the folder of the Verilog sources has to follow"),
            ("a b", "the character ' ' cannot stand in it"),
            ("a,b", "the character ',' cannot stand in it"),
            ("rtl@", "'@' is not a setting"),
            ("rtl@top=2x", "'@top=2x' is not a setting"),
            ("rtl@mutsel=-1", "'@mutsel=-1' is not a setting"),
            ("rtl@mutsel=18446744073709551616", "is not a setting"),
            ("rtl@a=1@a=2", "@a= is there twice"),
        ] {
            let refused = design(argument).expect_err(argument);
            assert!(refused.contains(told), "{argument}: {refused}");
        }
    }
}
