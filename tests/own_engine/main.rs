//! An engine that abench does not know: written here, against the port alone, it runs in every shipped world and is judged
//! by every judge; with a mistake in it, it is falsified.

mod gossip;

use abench::domain::count::counted;
use abench::domain::data::{DataType, Fields};
use abench::domain::oracle::OracleId;
use abench::domain::trial::Trial;
use abench::domain::verdict::Verdict;
use abench::domain::watch::Unwatched;
use abench::engine::host::Host;
use abench::engine::port::{Engine, EngineError, Settings};
use abench::engine::store::disk::Disk;
use abench::engine::{Open, Registration};
use abench::lab::{World, settings};
use abench::oracle::offline::{JUDGES, judgements};
use abench::scenario::shipped::{self, SHIPPED};
use gossip::{GOSSIP, open};

/// What each judge says, and why.
type Said = Vec<(OracleId, Verdict, String)>;

/// The verdicts of every judge on an engine in every shipped world of moderate size, by world.
fn verdicts(engine: &Registration) -> Vec<(&'static str, Said)> {
    let mut all = Vec::new();
    for (name, _) in SHIPPED {
        let Trial::Offline(trial) = shipped::find(name).expect("it is shipped").expect("it is sound").trial else {
            continue;
        };
        let world = World::new(&trial, engine, &settings(&trial, None)).expect("a world");
        let history = world.run(&mut Unwatched).expect("it ends").history;
        assert!(!history.ledger.is_empty(), "{name}");
        all.push((*name, judgements(&history).map(|(judge, said)| (judge, said.verdict, said.sentence)).collect()));
    }
    all
}

/// Whether a shipped world has what one node alone may decide.
fn is_decided(world: &str) -> bool {
    let fields = match shipped::find(world).expect("it is shipped").expect("it is sound").trial {
        Trial::Offline(trial) => trial.fields(),
        _ => return false,
    };
    fields.count(DataType::Claim) + fields.count(DataType::Case) > 0
}

fn verdict_of(said: &[(OracleId, Verdict, String)], judge: OracleId) -> Option<Verdict> {
    said.iter().find(|(name, ..)| *name == judge).map(|(_, verdict, _)| *verdict)
}

#[test]
fn an_engine_that_abench_does_not_know_runs_in_every_world_and_every_judge_judges_it() {
    let (decided, all): (Vec<_>, Vec<_>) = verdicts(&GOSSIP).into_iter().partition(|(world, _)| is_decided(world));
    assert!(all.len() >= 20 && decided.len() >= 5, "{} and {}", counted(all.len(), "world"), decided.len());
    // It decides by itself what the hub alone may decide.
    for (world, said) in &decided {
        assert!(said.iter().any(|(_, verdict, _)| *verdict == Verdict::Falsified), "{world}: {said:?}");
    }
    for (world, said) in &all {
        assert!(said.len() >= JUDGES.len());
        for (judge, verdict, sentence) in said {
            let accused = match *world {
                // A relay that is gone for hours makes every engine late that waits for it.
                "cut-off-for-ten-hours" => *judge == OracleId::StalenessBound,
                // It asks again at a steady pace, refused or not.
                "refused-connections" | "nothing-listens" | "expired-sign-ins" | "token-expired-offline" => {
                    *judge == OracleId::Load
                }
                // It refuses nobody anything.
                "field-stock" | "shop-stock" => *judge == OracleId::Overspending,
                _ => false,
            };
            assert_eq!(*verdict == Verdict::Falsified, accused, "{world}: {judge}: {sentence}");
        }
    }
    let holds = all
        .iter()
        .filter(|(_, said)| said.iter().any(|(judge, v, _)| (*judge, *v) == (OracleId::Truth, Verdict::Holds)));
    assert!(holds.count() * 10 >= all.len() * 9, "{all:#?}");
}

#[test]
fn an_engine_that_declares_that_it_does_not_report_what_it_takes_is_never_late() {
    let bounded: Vec<_> = verdicts(&Registration { reports: false, ..GOSSIP })
        .into_iter()
        .filter_map(|(world, said)| Some((world, verdict_of(&said, OracleId::StalenessBound)?)))
        .collect();
    assert!(bounded.len() >= 2, "{bounded:?}");
    assert!(bounded.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{bounded:?}");
}

#[test]
fn a_read_only_hub_refuses_it_though_its_frames_do_not_say_whether_they_carry_edits() {
    let Trial::Offline(trial) =
        shipped::find("refused-connections").expect("it is shipped").expect("it is sound").trial
    else {
        panic!("it is a world")
    };
    let said = |tells_edits| {
        let engine = Registration { tells_edits, ..GOSSIP };
        let world = World::new(&trial, &engine, &settings(&trial, None)).expect("a world");
        let history = world.run(&mut Unwatched).expect("it ends").history;
        let of_faults = judgements(&history).find(|(judge, _)| *judge == OracleId::Faults);
        of_faults.expect("it judges every world").1.verdict
    };
    assert_eq!(said(false), Verdict::Holds);
    // An engine that claims that they do, and whose frames say no, is never refused: the fault took no effect.
    assert_eq!(said(true), Verdict::Inconclusive);
}

/// The same, and one replica starts from another number.
fn open_wrongly(settings: &Settings, host: &mut Host<Disk>) -> Result<Box<dyn Engine>, EngineError> {
    let start = settings.fields.start ^ i64::from(settings.node == 0);
    open(&Settings { fields: Fields { start, ..settings.fields }, ..settings.clone() }, host)
}

#[test]
fn where_one_replica_of_it_is_off_by_one_every_world_says_so() {
    let mut cut_off = 0;
    for (world, said) in verdicts(&Registration { open: Open::Function(open_wrongly), ..GOSSIP }) {
        // A world of tags alone has nothing that is off by one.
        let trial = shipped::find(world).expect("it is shipped").expect("it is sound").trial;
        if matches!(trial, Trial::Offline(trial) if trial.registers == 0) {
            continue;
        }
        // A world that is cut off judges nobody.
        let of = verdict_of(&said, OracleId::Convergence);
        cut_off += usize::from(of == Some(Verdict::Inconclusive));
        assert!(of == Some(Verdict::Falsified) || of == Some(Verdict::Inconclusive), "{world}: {said:?}");
    }
    assert!(cut_off <= 4, "{cut_off}");
}
