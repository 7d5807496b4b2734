//! How a script becomes smaller: whole devices go first, then faults, connections, edits, and what happened to messages; then
//! what is left is written with fewer devices and registers, smaller amounts, and shorter times.

use std::collections::{BTreeMap, BTreeSet};

use super::fewest::fewest;
use super::{Reduction, Stop, devices, is_fault};
use crate::domain::data::{DataType, Intent, Value};
use crate::domain::letter::Letter;
use crate::domain::offline::{Cases, FaultKind, OfflineTrial, Records, Tags};
use crate::domain::script::Action;
use crate::lab::script::recorder::Moment;
use crate::scenario::offline::SECOND;

/// Times that a pause between two steps may be cut to, in microseconds.
const PAUSES: [u64; 5] = [0, SECOND, 10 * SECOND, 60 * SECOND, 600 * SECOND];

/// How often everything is tried again after something became smaller.
const ROUNDS: usize = 4;

/// Moments that go together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fault,
    Connection,
    Edit,
    Other,
}

/// Makes a script as small as it can.
pub(super) fn shorten(reduction: &mut Reduction<'_>) -> Result<(), Stop> {
    for _ in 0..ROUNDS {
        let before = (reduction.moments.clone(), reduction.trial.clone());
        without_devices(reduction)?;
        for kind in [Kind::Fault, Kind::Connection, Kind::Edit, Kind::Other] {
            without_parts(reduction, |part| part == kind)?;
        }
        plainer(reduction)?;
        fewer_names(reduction)?;
        smaller_numbers(reduction)?;
        shorter_times(reduction)?;
        // Pairs may be needed by halves alone.
        let singles: Vec<Vec<usize>> = (0..reduction.moments.len()).map(|place| vec![place]).collect();
        without(reduction, singles)?;
        if (&reduction.moments, &reduction.trial) == (&before.0, &before.1) {
            break;
        }
    }
    Ok(())
}

/// Leaves groups of moments out, as many as can be.
fn without(reduction: &mut Reduction<'_>, groups: Vec<Vec<usize>>) -> Result<(), Stop> {
    let (all, trial) = (reduction.moments.clone(), reduction.trial.clone());
    let whole: BTreeSet<usize> = groups.iter().flatten().copied().collect();
    let mut kept = groups;
    fewest(&mut kept, |kept| {
        let kept: BTreeSet<usize> = kept.iter().flatten().copied().collect();
        let is_left = |place: &usize| kept.contains(place) || !whole.contains(place);
        let left = (0..all.len()).filter(is_left).map(|place| all[place].clone()).collect();
        reduction.takes(trial.clone(), left)
    })
}

/// Leaves devices out, with all that is about them.
fn without_devices(reduction: &mut Reduction<'_>) -> Result<(), Stop> {
    let (moments, trial) = (reduction.moments.clone(), reduction.trial.clone());
    let all: BTreeSet<String> = moments.iter().flat_map(|moment| devices(&moment.action)).collect();
    let mut kept: Vec<String> = all.into_iter().collect();
    fewest(&mut kept, |kept| {
        let is_left = |moment: &&Moment| devices(&moment.action).iter().all(|name| kept.contains(name));
        reduction.takes(trial.clone(), moments.iter().filter(is_left).cloned().collect())
    })
}

/// Leaves parts of a kind out: a client's visit, a backup and what is made of it, and every other moment by itself.
fn without_parts(reduction: &mut Reduction<'_>, of_kind: impl Fn(Kind) -> bool) -> Result<(), Stop> {
    let parts = parts(&reduction.moments);
    without(reduction, parts.into_iter().filter(|&(kind, _)| of_kind(kind)).map(|(_, part)| part).collect())
}

fn parts(moments: &[Moment]) -> Vec<(Kind, Vec<usize>)> {
    let mut parts: Vec<(Kind, Vec<usize>)> = Vec::new();
    // By device, the part that its visit, or its backup, begins.
    let (mut visits, mut backups) = (BTreeMap::new(), BTreeMap::new());
    for (place, moment) in moments.iter().enumerate() {
        let (kind, begun) = match &moment.action {
            Action::Connect { node, .. } => {
                visits.insert(node.clone(), parts.len());
                (Kind::Connection, None)
            }
            Action::Disconnect(node) => (Kind::Connection, visits.remove(node)),
            Action::BackUp(node) => {
                backups.insert(node.clone(), parts.len());
                (Kind::Fault, None)
            }
            Action::Fault(fault) if fault.kind == FaultKind::Restore => (Kind::Fault, backups.remove(&fault.node)),
            Action::Edit { .. } => (Kind::Edit, None),
            Action::Message { .. } => (Kind::Other, None),
            action if is_fault(action) => (Kind::Fault, None),
            _ => (Kind::Other, None),
        };
        match begun {
            Some(part) => parts[part].1.push(place),
            None => parts.push((kind, vec![place])),
        }
    }
    parts
}

/// Leaves out what the world around the script says, where it does not matter.
fn plainer(reduction: &mut Reduction<'_>) -> Result<(), Stop> {
    let of = |change: fn(&mut OfflineTrial)| change;
    for change in [
        of(|trial| trial.link = Default::default()),
        of(|trial| trial.journal = Default::default()),
        of(|trial| trial.start = 0),
        of(|trial| trial.edges.clear()),
        of(|trial| trial.settle_s = 3600),
    ] {
        let mut trial = reduction.trial.clone();
        change(&mut trial);
        if trial != reduction.trial {
            reduction.takes(trial, reduction.moments.clone())?;
        }
    }
    Ok(())
}

/// The number of a client of this name.
pub(super) fn client(name: &str) -> Option<u32> {
    name.strip_prefix("client ")?.parse().ok()
}

/// The letters that an edit is about.
fn letters(intent: Intent) -> Vec<Letter> {
    match intent {
        Intent::Type { after, letter } => after.into_iter().chain([letter]).collect(),
        Intent::Erase(letter) => vec![letter],
        _ => Vec::new(),
    }
}

/// What an intent writes; nothing of another data type.
fn value(intent: Intent) -> Option<Value> {
    match intent {
        Intent::Write(value) | Intent::Create(value) | Intent::Set { value, .. } => Some(value),
        Intent::Claim(value) => Some(value),
        _ => None,
    }
}

/// Numbers clients, registers, elements and values anew, so that there are none that no step is about.
fn fewer_names(reduction: &mut Reduction<'_>) -> Result<(), Stop> {
    let (mut trial, mut moments) = (reduction.trial.clone(), reduction.moments.clone());
    let used: BTreeSet<u32> =
        moments.iter().flat_map(|moment| devices(&moment.action)).filter_map(|name| client(&name)).collect();
    let numbers: BTreeMap<u32, u32> = used.into_iter().zip(0..).collect();
    trial.clients = (numbers.len() as u32).max(1);
    for edge in &mut trial.edges {
        edge.clients = edge.clients.iter().filter_map(|client| numbers.get(client).copied()).collect();
    }
    let rename = |name: &mut String| {
        if let Some(number) = client(name).and_then(|client| numbers.get(&client)) {
            *name = format!("client {number}");
        }
    };
    moments.iter_mut().for_each(|moment| match &mut moment.action {
        Action::Connect { node, .. } | Action::Disconnect(node) | Action::BackUp(node) => rename(node),
        Action::Edit { node, .. }
        | Action::Words { node, .. }
        | Action::CrashDuring { node, .. }
        | Action::Clock { node, .. } => rename(node),
        Action::Message { from: one, to: other, .. } | Action::Cut { node: one, with: other, .. } => {
            rename(one);
            rename(other);
        }
        Action::Fault(fault) => {
            rename(&mut fault.node);
            fault.from.iter_mut().chain(&mut fault.to).for_each(rename);
        }
        Action::Pass | Action::Until { .. } | Action::Link { .. } | Action::Work { .. } => {}
    });
    let receives = |moment: &mut Moment| match &mut moment.action {
        Action::Edit { intent: Intent::Transfer { to, .. }, .. } => Some(std::mem::replace(to, numbers[to])),
        _ => None,
    };
    moments.iter_mut().for_each(|moment| _ = receives(moment));
    // Clients that no step is about may be needed: they are there in the end.
    while trial.clients < reduction.trial.clients && trial != reduction.trial {
        if reduction.takes(trial.clone(), moments.clone())? {
            break;
        }
        trial.clients += 1;
    }
    let (mut trial, mut moments) = (reduction.trial.clone(), reduction.moments.clone());
    let fields = trial.fields();
    let edited = |moment: &Moment| match moment.action {
        Action::Edit { register, intent, .. } => Some((register, intent)),
        _ => None,
    };
    let registers: BTreeSet<u32> = moments.iter().filter_map(edited).map(|(register, _)| register).collect();
    let of = |data| registers.iter().filter(|&&register| fields.of(register) == data).count() as u32;
    let (stocks, tags, labels) = (of(DataType::Stock), of(DataType::Tags), of(DataType::Label));
    let (records, claims, cases) = (of(DataType::Record), of(DataType::Claim), of(DataType::Case));
    let others = stocks + tags + labels + records + of(DataType::Text) + claims + cases;
    trial.registers = of(DataType::Counter).max(u32::from(others == 0));
    trial.stocks.registers = stocks;
    let edits = || moments.iter().filter_map(edited).map(|(_, intent)| intent);
    let elements_of = |data| {
        let elements: BTreeSet<u32> =
            edits().filter(|intent| intent.of() == data).filter_map(Intent::element).collect();
        elements.into_iter().zip(0..).collect::<BTreeMap<u32, u32>>()
    };
    let (elements, of_records) = (elements_of(DataType::Tags), elements_of(DataType::Record));
    trial.tags = match tags {
        0 => Tags::default(),
        tags => Tags { registers: tags, elements: elements.len() as u32, ..trial.tags },
    };
    trial.labels.registers = labels;
    trial.claims.registers = claims;
    let items = elements_of(DataType::Case);
    trial.cases = match cases {
        0 => Cases::default(),
        cases => Cases { registers: cases, items: (items.len() as u32).max(1), ..trial.cases },
    };
    trial.records = match records {
        0 => Records::default(),
        records => Records { registers: records, elements: (of_records.len() as u32).max(1), ..trial.records },
    };
    trial.texts.registers = of(DataType::Text);
    let letters: BTreeSet<Letter> = edits().flat_map(letters).collect();
    let letters: BTreeMap<Letter, Letter> = letters.into_iter().zip((0..).map(Letter::numbered)).collect();
    let values: BTreeSet<Value> = edits().filter_map(value).collect();
    // A create gives its labels this many values.
    let stride = if records > 0 { trial.records.labels as usize } else { 1 };
    let values: BTreeMap<Value, Value> = values.into_iter().zip((1..).step_by(stride)).collect();
    let names = registers.iter().filter_map(|&register| trial.named(register).map(str::to_owned));
    let names: Vec<String> = names.collect();
    // Where nobody edits, a counter is left that had no name.
    trial.names = if names.len() as u32 == trial.fields().len() { names } else { Vec::new() };
    let numbers: BTreeMap<u32, u32> = registers.into_iter().zip(0..).collect();
    for moment in &mut moments {
        if let Action::Edit { register, intent, .. } = &mut moment.action {
            *register = numbers[register];
            match intent {
                Intent::Insert(element) | Intent::Remove(element) => *element = elements[element],
                Intent::Tag(element) | Intent::Untag(element) => *element = of_records[element],
                Intent::Write(value) | Intent::Create(value) | Intent::Set { value, .. } => *value = values[value],
                Intent::Claim(value) => *value = values[value],
                Intent::Do(item) => *item = items[item],
                Intent::Increase(_)
                | Intent::Supply(_)
                | Intent::Take(_)
                | Intent::Transfer { .. }
                | Intent::Delete
                | Intent::Close => {}
                Intent::Type { after, letter } => {
                    (*after, *letter) = (after.map(|after| letters[&after]), letters[letter]);
                }
                Intent::Erase(letter) => *letter = letters[letter],
            }
        }
    }
    if trial != reduction.trial {
        reduction.takes(trial, moments)?;
    }
    Ok(())
}

/// Amounts of 1, faults that last a second, the first message or effect, and clocks that do not drift.
fn smaller_numbers(reduction: &mut Reduction<'_>) -> Result<(), Stop> {
    let smaller = |action: &Action| {
        let mut smaller = action.clone();
        match &mut smaller {
            Action::Edit { intent: Intent::Increase(amount), .. } => *amount = 1,
            Action::Edit {
                intent: Intent::Supply(units) | Intent::Take(units) | Intent::Transfer { units, .. },
                ..
            } => *units = 1,
            Action::Fault(fault) => fault.for_s = fault.for_s.min(1),
            Action::Cut { lasts, .. } => *lasts = (*lasts).min(SECOND),
            Action::Message { number, .. } => *number = 1,
            Action::CrashDuring { effects, .. } => *effects = 1,
            Action::Clock { drift_ppm, .. } => *drift_ppm = 0,
            _ => {}
        }
        smaller
    };
    let all: Vec<Moment> = reduction.moments.iter().map(|moment| with(moment, smaller(&moment.action))).collect();
    if all == reduction.moments || reduction.takes(reduction.trial.clone(), all)? {
        return Ok(());
    }
    for place in 0..reduction.moments.len() {
        let mut moments = reduction.moments.clone();
        moments[place] = with(&moments[place], smaller(&moments[place].action));
        if moments != reduction.moments {
            reduction.takes(reduction.trial.clone(), moments)?;
        }
    }
    Ok(())
}

fn with(moment: &Moment, action: Action) -> Moment {
    Moment { at: moment.at, action }
}

/// Shorter pauses between steps: all of them, or else each as far as it can be.
fn shorter_times(reduction: &mut Reduction<'_>) -> Result<(), Stop> {
    let pauses: Vec<u64> = {
        let mut before = 0;
        let pause = |moment: &Moment| moment.at - std::mem::replace(&mut before, moment.at);
        reduction.moments.iter().map(pause).collect()
    };
    for most in [0, SECOND, 60 * SECOND] {
        let cut: Vec<u64> = pauses.iter().map(|&pause| pause.min(most)).collect();
        if cut == pauses || reduction.takes(reduction.trial.clone(), at(&reduction.moments, &cut))? {
            return Ok(());
        }
    }
    let mut pauses = pauses;
    for place in 0..pauses.len() {
        let whole = pauses[place] / SECOND * SECOND;
        for shorter in PAUSES.into_iter().chain([whole]).filter(|&shorter| shorter < pauses[place]).collect::<Vec<_>>()
        {
            let mut cut = pauses.clone();
            cut[place] = shorter;
            if reduction.takes(reduction.trial.clone(), at(&reduction.moments, &cut))? {
                pauses = cut;
                break;
            }
        }
    }
    Ok(())
}

/// The same moments with these pauses before them.
fn at(moments: &[Moment], pauses: &[u64]) -> Vec<Moment> {
    let mut now = 0;
    let moment = |(moment, pause): (&Moment, &u64)| {
        now += pause;
        Moment { at: now, action: moment.action.clone() }
    };
    moments.iter().zip(pauses).map(moment).collect()
}
