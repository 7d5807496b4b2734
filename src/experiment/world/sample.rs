//! The worlds in which an engine was tried: the scenario's own, and others that are drawn. The population is all worlds that
//! differ from the scenario's in their seed alone; the scenario's own was chosen by its author and belongs to no sample.

use super::Said;
use crate::domain::count::counted;
use crate::domain::seed::Seed;
use crate::domain::verdict::{Verdict, Warrant};
use crate::report::offline_record::WorldRecord;

/// What the judges say of a world, for the record.
pub(super) fn tried(seed: Seed, said: &Said, verdict: Verdict) -> WorldRecord {
    let judges = said.iter().map(|(judge, (verdict, _))| (*judge, *verdict)).collect();
    WorldRecord { seed, verdict, judges }
}

/// What a `holds` rests on: the worlds that were drawn.
pub(super) fn warrant(worlds: &[WorldRecord]) -> Warrant {
    Warrant::Worlds { drawn: worlds.len().saturating_sub(1) as u64 }
}

/// In which worlds no judge has anything against an engine, and in how many of them which judge cannot tell.
pub(super) fn holding(worlds: &[WorldRecord]) -> String {
    let of_all = match worlds.len().saturating_sub(1) as u64 {
        0 => "the scenario's own world".to_owned(),
        drawn => format!("the scenario's own world and {} of other seeds", counted(drawn, "world")),
    };
    let judges = worlds.first().into_iter().flat_map(|world| world.judges.keys());
    let silent = judges.filter_map(|judge| {
        let cannot = |world: &&WorldRecord| world.judges.get(judge) == Some(&Verdict::Inconclusive);
        let times = worlds.iter().filter(cannot).count();
        (times > 0).then(|| format!("{judge} cannot tell in {times} of {}", worlds.len()))
    });
    let silent: Vec<String> = silent.collect();
    let tell = if silent.is_empty() { String::new() } else { format!(" ({})", silent.join(", ")) };
    format!("no judge has anything against it in {of_all}{tell}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::oracle::OracleId;

    fn world(seed: u64, judges: [Verdict; 2]) -> WorldRecord {
        let judges = [OracleId::Durability, OracleId::Truth].into_iter().zip(judges).collect();
        WorldRecord { seed: Seed::new(seed), verdict: Verdict::Holds, judges }
    }

    #[test]
    fn the_scenarios_own_world_is_no_sample_and_those_that_cannot_tell_are_counted_in_all_worlds() {
        let (holds, silent) = (Verdict::Holds, Verdict::Inconclusive);
        let own = [world(1, [silent, holds])];
        assert_eq!(warrant(&own), Warrant::Worlds { drawn: 0 });
        assert_eq!(
            holding(&own),
            "no judge has anything against it in the scenario's own world (durability cannot tell in 1 of 1)"
        );
        let all = [world(1, [holds, holds]), world(2, [silent, holds]), world(3, [silent, holds])];
        assert_eq!(warrant(&all), Warrant::Worlds { drawn: 2 });
        assert_eq!(
            holding(&all),
            "no judge has anything against it in the scenario's own world and 2 worlds of other seeds (durability cannot \
             tell in 2 of 3)"
        );
    }
}
