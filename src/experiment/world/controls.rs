//! What is planted for the judges of worlds: histories that are sound but for one thing.

use super::{judged, whole_worlds};
use crate::domain::data::{Carries, Closing, Fields, Granting, Intent, Part, Runs, Spending as Rule, View};
use crate::domain::fault_count::FaultCount;
use crate::domain::history::{Counts, Fate, Had, History, Ledger, NodeEnd, Sighting, UniqueAmounts, UserEdit};
use crate::domain::judge::Judge;
use crate::domain::letter::Letter;
use crate::domain::oracle::OracleId;
use crate::domain::over_time::{
    ChangedCase, FirstHalf, FirstUnshown, Frozen, Halves, Holders, LateEdit, Lateness, Load, Outbox, Overspent, Peak,
    RefusedUnits, Restarts, SecondHolder, Spending, ToldEarly, Unshown,
};
use crate::domain::verdict::Verdict;
use crate::experiment::control::{Control, Show, Shown, bits};
use crate::oracle::offline::judgements;

/// What is planted for the judges of worlds.
pub const WORLD: &[Control] = &[
    Control {
        judge: Judge::World,
        planted: "in whole worlds, for each judge by itself: an engine that shows another register, or too much; counts twice; \
                  forgets its own edits or another's, or believes that others have them; gives up; grows; shows less than \
                  before; hides an element, a letter, or a part of a record; keeps what was erased; is late; floods the hub; tells its user too early that nothing waits; gives twice what can be had once, or loses a claim; changes a closed case, or hides an item of one; ends by itself",
        show: Show::InWorlds(whole_worlds::show_judges),
    },
    Control {
        judge: Judge::World,
        planted: "for the observer on the line: an engine that does not count its checksums",
        show: Show::Alone(whole_worlds::show_line),
    },
    Control {
        judge: Judge::World,
        planted: "an edit lost, an edit counted twice, replicas that differ",
        show: Show::Alone(show_world),
    },
    Control {
        judge: Judge::World,
        planted: "convergence and truth: each bit of a register, in each register and each replica in turn",
        show: Show::Alone(show_ends),
    },
    Control {
        judge: Judge::World,
        planted: "each other judge by itself: what was shown, acknowledged or held by nobody; edits that do not count once; \
                  messages without end, too late, never sent; ticks that grow; registers that go back; elements that vanish; edits that are late; a \
                  hub's second over each bound; a user who is told too early that nothing waits; units taken that were not there; units refused that were; a refused device that tries again too early",
        show: Show::Alone(show_each),
    },
    Control {
        judge: Judge::World,
        planted: "truth of texts: a letter lost, doubled, strange, back after it was erased, and in another order; a run mixed with another, \
                  typed forward, and typed backward",
        show: Show::Alone(show_texts),
    },
    Control {
        judge: Judge::World,
        planted: "faults: one that was asked for and never took effect, of each of three kinds in turn",
        show: Show::Alone(show_idle_faults),
    },
];

/// A fault that never took effect must not leave a world that holds. The judge accuses no engine, so that refused means
/// inconclusive here.
fn show_idle_faults() -> Shown {
    const KINDS: [&str; 3] = ["crashes", "link.corrupted_per_mille", "faults, kind damage"];
    Shown::of(None, KINDS.map(Some), |idle| {
        let count = |key: &str| {
            let idle = idle.filter(|&idle| idle == key).map(|key| (key.to_owned(), "it did not come".to_owned()));
            FaultCount { injected: 1, effective: u64::from(idle.is_none()), idle: idle.into_iter().collect() }
        };
        let faults = KINDS.into_iter().map(|key| (key.to_owned(), count(key))).collect();
        match judged(&History { faults, ..sound_history() }).1 {
            Verdict::Inconclusive => Verdict::Falsified,
            Verdict::Falsified => Verdict::Inconclusive,
            Verdict::Holds => Verdict::Holds,
        }
    })
}

/// Two replicas of one register that starts at 5 and is edited by 1 and by 10.
pub fn show_world() -> Shown {
    Shown::of([16, 16], [[6, 6], [17, 17], [26, 26], [16, 15]], |ends| {
        let edit = |amount| UserEdit { at: 0, register: 0, intent: Intent::Increase(amount), fate: Fate::Binding };
        let ledger = Ledger::of_counters(1, 5, vec![vec![edit(1)], vec![edit(10)]]);
        let end = |name: &str, register| NodeEnd::of_counters(name.to_owned(), vec![register]);
        let ends = vec![end("device-1", ends[0]), end("hub", ends[1])];
        judged(&History { ledger, ends, quiescent: true, ..History::default() }).1
    })
}

/// A history that every judge holds of: three replicas of three registers that start at 5, each edited by 1 and by 10.
fn sound_history() -> History {
    let edit = |register, amount| UserEdit { at: 0, register, intent: Intent::Increase(amount), fate: Fate::Binding };
    let of_device = |amount| (0..3).map(|register| edit(register, amount)).collect();
    let ledger = Ledger::of_counters(3, 5, vec![of_device(1), of_device(10)]);
    let end = |number| NodeEnd::of_counters(format!("replica {number}"), vec![16; 3]);
    History {
        ledger,
        ends: (0..3).map(end).collect(),
        quiescent: true,
        restarts: Some(1),
        ticks: vec![70; 16],
        visits: vec![90; 16],
        ..History::default()
    }
}

/// A text into which two users type at the same time, forward and then backward, and which shows this in the end.
fn text_history(shown: &str) -> History {
    let (_, typed) = TYPED_AT_ONE_PLACE.iter().fold(([0, 0], Vec::new()), |(mut numbers, mut typed), keystroke| {
        let &(device, shown, after, letter) = keystroke;
        typed.push(((device, numbers[device]), keystroke_of(shown, after, letter)));
        numbers[device] += 1;
        (numbers, typed)
    });
    let mut ledger = Ledger { fields: Fields { texts: 1, ..Fields::default() }, ..Ledger::default() };
    ledger.by_device = vec![Vec::new(); 2];
    for ((device, number), (intent, shown)) in typed {
        ledger.by_device[device].push(UserEdit { at: 0, register: 0, intent, fate: Fate::Binding });
        // Neither user had seen anything of the other.
        let mut had = [0; 2];
        had[device] = number;
        let sighting =
            Sighting { shown: View::Text(shown), had: Had::upto(&had, [].into()), may_have: had.into(), wall: 0 };
        ledger.sightings.insert((device, number), sighting);
    }
    let shown = NodeEnd { name: "hub".to_owned(), registers: vec![View::Text(Letter::all_of(shown))] };
    let carries = Carries::COUNTERS.and_texts(Runs::BothWays);
    History { ledger, ends: vec![shown], carries, quiescent: true, ..History::default() }
}

/// Keystrokes: whose, what is shown, and what is typed after which letter; or erased, where that is the same.
type Keystroke = (usize, &'static str, Option<char>, char);

/// Device 0 types "abc", letter after letter, and erases "b". Device 1 types "vw" at the same time, the last letter first.
const TYPED_AT_ONE_PLACE: &[Keystroke] = &[
    (0, "", None, 'a'),
    (0, "a", Some('a'), 'b'),
    (0, "ab", Some('b'), 'c'),
    (0, "abc", Some('b'), 'b'),
    (1, "", None, 'w'),
    (1, "w", None, 'v'),
];

fn keystroke_of(shown: &str, after: Option<char>, letter: char) -> (Intent, Vec<Letter>) {
    let after = after.map(Letter::from);
    let letter = Letter::from(letter);
    let intent = if after == Some(letter) { Intent::Erase(letter) } else { Intent::Type { after, letter } };
    (intent, Letter::all_of(shown))
}

fn show_texts() -> Shown {
    // Lost, doubled, strange, back, in another order; mixed where the one run is typed forward, and where the other is typed backward.
    let wrong = ["avw", "aacvw", "acvwz", "abcvw", "cavw", "avwc", "vacw", "vawc"];
    Shown::of("acvw", wrong, |shown| said_by(OracleId::Truth, &text_history(shown)))
}

/// What one judge says, where the verdict of all does not hold against its word.
fn said_by(judge: OracleId, history: &History) -> Verdict {
    let (said, of_all) = judged(history);
    match said[&judge].0 {
        Verdict::Falsified if of_all != Verdict::Falsified => Verdict::Inconclusive,
        verdict => verdict,
    }
}

fn show_ends() -> Shown {
    let places = (0..3).flat_map(|replica| (0..3).map(move |register| (replica, register)));
    let wrong = places.flat_map(|(replica, register)| {
        bits().flat_map(move |mask| {
            [OracleId::Convergence, OracleId::Truth].map(|judge| (judge, replica, register, mask))
        })
    });
    Shown::of((OracleId::Truth, 0, 0, 0), wrong, |(judge, replica, register, mask)| {
        let mut history = sound_history();
        let view = &mut history.ends[replica].registers[register];
        *view = (view.number().unwrap_or(0) ^ mask as i64).into();
        said_by(judge, &history)
    })
}

/// A judge, and what is done to a history that the judge has to refuse then.
type Wrong = (OracleId, fn(&mut History));

/// A judge, or all of them, and what is done to a history that is refused then.
type Planted = (Option<OracleId>, fn(&mut History));

/// One more than a scenario allows.
const OVER: Peak = Peak { most: 11, at: 5, bound: Some(10) };

fn overspent() -> Spending {
    let first = Overspent { node: "replica 0".to_owned(), register: 3, at: 5, units: 2, left: 1 };
    Spending { supplied: 3, takes: 2, taken: 4, overspent: 1, first: Some(first), ..Spending::default() }
}

fn refused() -> RefusedUnits<String> {
    RefusedUnits { node: "replica 0".to_owned(), register: 3, at: 5, units: 2, had: 2 }
}

fn show_each() -> Shown {
    let wrong: [Wrong; 28] = [
        (OracleId::Durability, |history| history.forgotten = 1),
        (OracleId::Durability, |history| history.broken = 1),
        (OracleId::Durability, |history| history.unkept = 1),
        (OracleId::Durability, |history| {
            let first = Some(FirstUnshown { node: "replica 1".to_owned(), register: 2, part: None, at: 5 });
            let restarts = Restarts { compared: 1, less: 1, first };
            history.over_time.unshown = Some(Unshown { compared: 9, restarts, ..Unshown::default() });
        }),
        (OracleId::ExactlyOnce, |history| history.ends.iter_mut().for_each(|end| end.registers[2] = 15.into())),
        (OracleId::ExactlyOnce, |history| history.ends.iter_mut().for_each(|end| end.registers[0] = 26.into())),
        (OracleId::ExactlyOnce, |history| {
            history.unique_amounts = Some(UniqueAmounts::Counts(Counts { wrong: 1, lost: 1, ..Counts::default() }));
        }),
        (OracleId::Progress, |history| history.quiescent = false),
        (OracleId::Progress, |history| history.settled_after = history.settle_bound + 1),
        (OracleId::Progress, |history| history.backlog = 1),
        (OracleId::Metadata, |history| history.ticks = (0..16).map(|tick| 70 + tick).collect()),
        (OracleId::Metadata, |history| history.visits = (0..16).map(|tick| 90 + tick).collect()),
        (OracleId::Monotonic, |history| {
            let first = Some(FirstUnshown { node: "replica 1".to_owned(), register: 2, part: None, at: 5 });
            history.over_time.unshown = Some(Unshown { compared: 9, less: 1, first, ..Unshown::default() });
        }),
        (OracleId::Monotonic, |history| {
            let first =
                Some(FirstUnshown { node: "replica 1".to_owned(), register: 2, part: Some(Part::Element(3)), at: 5 });
            history.over_time.unshown = Some(Unshown { compared: 9, less: 1, first, ..Unshown::default() });
        }),
        (OracleId::StalenessBound, |history| {
            let [author, device] = ["replica 0", "replica 1"].map(str::to_owned);
            let worst = Some(LateEdit { author, device, since: 5, waited: Some(600_000_001) });
            history.over_time.lateness =
                Some(Lateness { bound: 600_000_000, unreported: false, judged: 9, late: 1, worst });
        }),
        (OracleId::Load, |history| history.over_time.load = Some(Load { attempts: OVER, ..Load::default() })),
        (OracleId::Load, |history| history.over_time.load = Some(Load { messages: OVER, ..Load::default() })),
        (OracleId::Load, |history| history.over_time.load = Some(Load { bytes: OVER, ..Load::default() })),
        (OracleId::Outbox, |history| {
            let first = Some(ToldEarly { node: "replica 0".to_owned(), edit: 1, register: 2, at: 5 });
            history.over_time.outbox = Some(Outbox { told: 9, early: 1, first });
        }),
        (OracleId::Overspending, |history| history.over_time.spending = Some(overspent())),
        (OracleId::Overspending, |history| {
            history.carries = history.carries.and_stocks(Rule::Rights);
            history.over_time.spending = Some(Spending { refused_held: (1, Some(refused())), ..Spending::default() });
        }),
        (OracleId::Overspending, |history| {
            history.over_time.spending = Some(Spending { refused_shown: (1, Some(refused())), ..Spending::default() });
        }),
        (OracleId::WholeRecords, |history| {
            let first = Some(FirstHalf { node: "replica 1".to_owned(), register: 2, label: 0, at: 5 });
            let halves = Some(Halves { looked: 9, half: 1, first });
            history.over_time.unshown = Some(Unshown { compared: 9, halves, ..Unshown::default() });
        }),
        (OracleId::Uniqueness, |history| {
            let [one, other] = [(7, "replica 0".to_owned(), 5), (8, "replica 1".to_owned(), 9)];
            let first = Some(SecondHolder { register: 2, one, other });
            history.over_time.holders = Some(Holders { looked: 9, held: 1, second: 1, first, ..Holders::default() });
        }),
        (OracleId::Uniqueness, |history| {
            history.carries = history.carries.and_claims(Granting::ByAuthority);
            let first_early = Some((2, (7, "replica 0".to_owned(), 5)));
            history.over_time.holders =
                Some(Holders { looked: 9, held: 1, early: 1, first_early, ..Holders::default() });
        }),
        (OracleId::Frozen, |history| {
            let [one, other] = [([7].into(), "replica 0".to_owned(), 5), ([7, 8].into(), "replica 1".to_owned(), 9)];
            let first = Some(ChangedCase { register: 2, one, other });
            history.over_time.frozen = Some(Frozen { looked: 9, held: 1, second: 1, first, ..Frozen::default() });
        }),
        (OracleId::Frozen, |history| {
            history.carries = history.carries.and_cases(Closing::ByAuthority);
            let first_early = Some((2, ([7].into(), "replica 0".to_owned(), 5)));
            history.over_time.frozen = Some(Frozen { looked: 9, held: 1, early: 1, first_early, ..Frozen::default() });
        }),
        (OracleId::Load, |history| {
            let first_hasty = Some(("replica 0".to_owned(), 1_999_999, 4_000_000));
            history.over_time.load = Some(Load { gaps: 9, hasty: 1, first_hasty, ..Load::default() });
        }),
    ];
    let all_hold: Planted = (None, |_| {});
    let wrong = wrong.map(|(judge, plant)| (Some(judge), plant));
    Shown::of(all_hold, wrong, |(judge, plant)| {
        let mut history = sound_history();
        plant(&mut history);
        match judge {
            Some(judge) => said_by(judge, &history),
            None => Verdict::of_set(judgements(&history).map(|(_, said)| said.verdict)),
        }
    })
}
