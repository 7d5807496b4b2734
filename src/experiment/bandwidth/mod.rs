//! Bandwidth reports: a customer's own numbers, run as worlds in which every engine and every form of the whole state is
//! measured and judged.
//!
//! A job is one who sends, in one world. Knows: everything above it. Must not: print, read files, or know who watches.

pub mod bound;
pub mod judge;
pub mod scaling;
mod section;
pub mod size;
pub mod users;

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::domain::bandwidth::BandwidthTrial;
use crate::domain::evidence::Evidence;
use crate::domain::fault::{Fault, FaultClass};
use crate::domain::history::UserEdit;
use crate::domain::judge::Judge;
use crate::domain::offline::OfflineTrial;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::engine::host::Time;
use crate::engine::{self, Registration, WHOLE_STATES};
use crate::experiment::answers::Answers;
use crate::experiment::jobs::Jobs;
use crate::experiment::valid::Passed;
use crate::experiment::world::{failed, judged_while};
use crate::experiment::{self, Bench, Changes, Experiment, NoEffect, claims};
use crate::lab::events::service::{Messages, Service, Span, Visit};
use crate::lab::{Outcome, World, settings};
use crate::oracle::offline::truth::wrong_registers;
use crate::report::bandwidth_record::{BandwidthRecord, BandwidthRow, Estimate, MessageBytes, Sender, SizeRecord};
use crate::report::record::{ClaimRecord, Record, Unseen};
use crate::scenario::offline::SECOND;
use crate::subject::Subjects;
use scaling::{Measured, OfSyncs};
use size::{Size, Sizes};

impl Experiment for BandwidthTrial {
    /// Refuses engines that are unknown or carry no such values, and numbers of which no world fits the budget.
    fn refuse(&self) -> Result<(), String> {
        let sizes = Sizes::of(self).map_err(|impossible| impossible.to_string())?;
        let world = size::world(self, &sizes.run, sizes.before_s);
        for name in &self.engines {
            engine::check_name(name).map_err(|unknown| format!("engines: {unknown}"))?;
            if let Some(why) = engine::find(name).ok().and_then(|engine| engine.unsuited(&world)) {
                return Err(format!("engines: these values are not supported by '{name}', {why}"));
            }
        }
        Ok(())
    }

    fn judges(&self) -> &'static [Judge] {
        &[Judge::Bandwidth, Judge::Expectation]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        changes.refuse(&["--orders"], "is about arrival orders, and a bandwidth report has worlds of clients")?;
        self.seed = changes.seed.unwrap_or(self.seed);
        self.budget = changes.budget.unwrap_or(self.budget);
        self.memory_mib = changes.memory.unwrap_or(self.memory_mib);
        if !changes.engines.is_empty() {
            self.engines.clone_from(&changes.engines);
        }
        Ok(())
    }

    fn answers(&self) -> Answers {
        Answers { checks: vec![judge::name(about(self).name)], ..Answers::default() }
    }

    fn no_backend(&self) -> Option<&'static str> {
        Some("a bandwidth report is one of engines")
    }

    fn no_fault(&self, _fault: Fault) -> Option<&'static str> {
        Some("a bandwidth report has no device")
    }

    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        let Bench { jobs, record, watch, .. } = bench;
        let sizes = Sizes::of(self).map_err(|impossible| SubjectError::Internal(impossible.to_string()))?;
        let Some(Report { record: section, took, deliveries }) = measure(self, &sizes, &jobs, watch)? else {
            return Ok(());
        };
        record.timing.deliveries.count += deliveries;
        record.timing.deliveries.us += took.iter().map(|(_, took)| took.as_micros() as u64).sum::<u64>();
        took.iter().for_each(|(name, took)| experiment::took(record, name, *took));
        record.checks.push(judge::check(&section));
        record.bandwidth = Some(section);
        Ok(())
    }

    fn claims(&self, record: &Record, _subjects: &Subjects) -> Vec<ClaimRecord> {
        claims::of_subjects(&[FaultClass::LostEdit], &record.checks)
    }

    fn unseen(&self, _record: &Record, _subjects: &Subjects) -> Unseen {
        let by_run = [
            "Headers of TCP, IP, TLS and HTTP are not counted: every sender's messages need them.",
            "Users edit and sync at even rates all day, drawn from one seed: a morning's rush, a client that is lost and one \
             that is new are not in the world. abench run puts such worlds on trial.",
            "Two senders of the same bytes may differ in what they store and compute, which has no line here.",
        ];
        Unseen { by_bank_sweep: Vec::new(), by_run: by_run.map(str::to_owned).to_vec() }
    }
}

/// One who sends, in one world.
struct Job<'a> {
    engine: &'static Registration,
    world: &'a OfflineTrial,
    /// The size of the world, and what a journal calls it.
    size: Size,
    called: &'static str,
    /// Whether the information bound of what the users did is computed.
    with_bound: bool,
}

impl Job<'_> {
    /// What a journal calls it.
    fn id(&self) -> String {
        format!("bandwidth of {}{}", self.engine.name, self.called)
    }
}

/// What it came to.
#[derive(Serialize, Deserialize)]
struct Ran {
    verdict: Verdict,
    against: Vec<String>,
    wrong_records: u32,
    /// The two halves of the time that is measured.
    spans: [Span; 2],
    /// Syncs in each of them in which a client had changes to tell, and none arrived.
    empty: [u64; 2],
    deliveries: u64,
    took: Duration,
    /// The information bound of what the users did in the time that is measured, in bits; in whole worlds alone.
    bound: Option<Bound>,
}

/// The fewest bits of so many syncs.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Bound {
    bits: u64,
    syncs: u64,
}

/// What a report was made of.
pub struct Report {
    /// The section of the record.
    pub record: BandwidthRecord,
    /// How long each who sends took, by name.
    pub took: Vec<(String, Duration)>,
    /// Messages that arrived.
    pub deliveries: u64,
}

/// Measures all who send; nothing where only some of the jobs are run here.
///
/// # Errors
/// If the user stops it, a store cannot be used, or bytes are counted wrongly.
pub fn measure(
    trial: &BandwidthTrial,
    sizes: &Sizes,
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> Result<Option<Report>, SubjectError> {
    let world = size::world(trial, &sizes.run, sizes.before_s);
    let fewer = sizes.fewer.map(|fewer| fewer.map(|size| (size, size::world(trial, &size, sizes.before_s))));
    let is_form = |engine: &Registration| engine.full_state && !trial.engines.iter().any(|name| name == engine.name);
    let engines = engine::on_trial(&world).filter(|engine| !is_form(engine));
    let senders: Vec<&'static Registration> = engines.chain(WHOLE_STATES).collect();
    let of = |world, size, called: &'static str| {
        // All who send are in the same world: what its users do, and so the bound, is the same for each of them.
        let job =
            move |(place, &engine)| Job { engine, world, size, called, with_bound: place == 0 && called.is_empty() };
        senders.iter().enumerate().map(job)
    };
    let called = [" with half the records", " with a quarter of the records"];
    let smaller = fewer.iter().flatten().zip(called).flat_map(|((size, world), called)| of(world, *size, called));
    let all: Vec<Job> = of(&world, sizes.run, "").chain(smaller).collect();
    let ours: Vec<Job> =
        all.into_iter().enumerate().filter(|(place, _)| jobs.takes(*place)).map(|(_, job)| job).collect();
    watch.begin("worlds", ours.len() as u64);
    let on_threads = jobs.on(at_once(trial, sizes, jobs.threads));
    let ran = on_threads.run(&ours, Job::id, watch, |job, watch| ran(job, trial, sizes, watch)).all()?;
    watch.end();
    if jobs.is_part() {
        return Ok(None);
    }
    // By sender: the world that was run, and those with fewer records.
    let worlds = |place: usize| ran.iter().skip(place).step_by(senders.len()).collect::<Vec<&Ran>>();
    let rows: Vec<BandwidthRow> =
        senders.iter().enumerate().map(|(place, engine)| row(trial, sizes, engine, &worlds(place))).collect();
    let took = senders.iter().enumerate().map(|(place, engine)| {
        let took = worlds(place).iter().map(|ran| ran.took).sum();
        (engine.name.to_owned(), took)
    });
    let lacking = size::lacking(trial, sizes);
    let report = Report {
        record: BandwidthRecord {
            evidence: Evidence::Software,
            clients: trial.clients,
            values: trial.values,
            changed: trial.changed,
            syncs_per_day: trial.syncs_per_day,
            online_s: Some(trial.online.as_seconds()),
            link: trial.link,
            price_per_mb: trial.price_per_mb,
            days: trial.days,
            again: trial.command(),
            record_bytes: trial.record_bytes(),
            asked: size_record(&sizes.asked),
            run: size_record(&sizes.run),
            fewer: sizes.fewer.as_ref().map(|fewer| fewer.each_ref().map(size_record)),
            before_s: sizes.before_s,
            scaled: sizes.is_scaled(),
            least_budget: lacking.budget,
            least_memory_mib: lacking.memory_mib,
            tolerance_per_mille: scaling::TOLERANCE_PER_MILLE,
            about: about(trial).name.to_owned(),
            rows: with_shares(rows),
            bound: bound(trial, &ran[0]),
            left_out: engine::asked(&world.engines)
                .filter_map(|engine| {
                    let is_form = is_form(engine).then_some("which the forms of the full state stand for");
                    Some((engine.name.to_owned(), engine.unsuited(&world).or(is_form.map(Into::into))?.into_owned()))
                })
                .collect(),
        },
        took: took.collect(),
        deliveries: ran.iter().map(|ran| ran.deliveries).sum(),
    };
    Ok(Some(report))
}

/// The engine that the report is about: the first that is named, and the reference where all are.
pub fn about(trial: &BandwidthTrial) -> &'static Registration {
    let first = trial.engines.first().and_then(|name| engine::find(name).ok());
    first.unwrap_or_else(engine::reference)
}

/// How many worlds run at once: together they take no more memory than one may.
fn at_once(trial: &BandwidthTrial, sizes: &Sizes, threads: NonZeroUsize) -> NonZeroUsize {
    let worlds = u128::from(trial.memory_mib.bytes()) / size::memory_of(trial, &sizes.run, sizes.before_s).max(1);
    threads.min(NonZeroUsize::new(usize::try_from(worlds).unwrap_or(usize::MAX)).unwrap_or(NonZeroUsize::MIN))
}

fn ran(job: &Job<'_>, trial: &BandwidthTrial, sizes: &Sizes, watch: &mut dyn Watch) -> Result<Ran, SubjectError> {
    let start = Instant::now();
    let (from, until) = (sizes.before_s * SECOND, job.world.presence.lasts_s * SECOND);
    let marks = [from, from + (until - from) / 2, until];
    let world = World::new(job.world, job.engine, &settings(job.world, None)).map_err(failed)?;
    let world = world.with_users(users::edits(job.world, &job.size)).serving(&marks);
    let Outcome { history, measures, .. } = world.run(watch).map_err(failed)?;
    let (said, verdict) = judged_while(&history, || !watch.stop_requested()).ok_or(SubjectError::Interrupted)?;
    let against = said.iter().filter(|(_, (said, _))| verdict != Verdict::Holds && *said == verdict);
    let Service { spans, visits, .. } = measures.service;
    let [Some(first), Some(second)] = [0, 1].map(|place| spans.get(place).copied()) else {
        return Err(SubjectError::Internal("a world kept no spans of its time".to_owned()));
    };
    // Nobody can tell what a message carries of an engine that does not.
    let empty = match job.engine.tells_edits {
        true => [(from, marks[1]), (marks[1], until)].map(|span| empty_syncs(&visits, &history.ledger.by_device, span)),
        false => [0, 0],
    };
    let bound = match job.with_bound {
        true => {
            let syncs = bound::to_tell(&visits, &history.ledger.by_device, sizes.run.changed, (from, until));
            let bits = bound::bits(trial, &sizes.asked, &syncs, watch).ok_or(SubjectError::Interrupted)?;
            Some(Bound { bits: bits.floor() as u64, syncs: syncs.len() as u64 })
        }
        false => None,
    };
    Ok(Ran {
        verdict,
        against: against.map(|(judge, (_, sentence))| format!("{judge}: {sentence}")).collect(),
        wrong_records: if history.cut_off.is_some() { 0 } else { wrong_registers(&history) },
        spans: [first, second],
        empty,
        deliveries: measures.deliveries,
        took: start.elapsed(),
        bound,
    })
}

fn size_record(&Size { records, changed, measured_s }: &Size) -> SizeRecord {
    SizeRecord { records, changed, measured_s }
}

fn messages(&Messages { data, acknowledgements, handshakes, retransmissions }: &Messages) -> MessageBytes {
    MessageBytes { data, acknowledgements, handshakes, retransmissions }
}

/// The bytes of all syncs, and how many of them brought something. The bytes of an empty sync count; the sync does not.
fn of_syncs(ran: &Ran) -> [OfSyncs; 2] {
    [0, 1].map(|half| {
        let span = ran.spans[half];
        let bytes = span.up.total() + span.down.total();
        // Where all are empty no number is given, but how long they keep the link busy is told.
        let brought = Some(span.syncs.saturating_sub(ran.empty[half])).filter(|&brought| brought > 0);
        OfSyncs { bytes: bytes.max(0) as u64, syncs: brought.unwrap_or(span.syncs) }
    })
}

/// How many visits, of those that begin from `from` on and before `until`, brought nothing though their client had edits to
/// tell: made before it came, and after it last left having brought something. Edits of counters alone are sure to have
/// something to tell: removing what is not shown, or inserting what is, may change nothing.
fn empty_syncs(visits: &[Visit], edits: &[Vec<UserEdit>], (from, until): (Time, Time)) -> u64 {
    let mut brought_until: Vec<Time> = vec![0; edits.len()];
    let mut empty = 0;
    for visit in visits {
        let (last, made) = (&mut brought_until[visit.client as usize], &edits[visit.client as usize]);
        let untold = made.partition_point(|edit| edit.at <= *last);
        let mut waiting = made[untold..].iter().take_while(|edit| edit.at <= visit.at);
        let has_edits = waiting.any(|edit| edit.intent.amount().is_some_and(|amount| amount != 0));
        if visit.brought {
            *last = visit.left.unwrap_or(Time::MAX);
        } else if has_edits && (from..until).contains(&visit.at) {
            empty += 1;
        }
    }
    empty
}

/// The row of a sender: from the world that was run, and from those with fewer records.
fn row(trial: &BandwidthTrial, sizes: &Sizes, engine: &Registration, worlds: &[&Ran]) -> BandwidthRow {
    let whole = worlds[0];
    let measured = Measured {
        halves_of_time: of_syncs(whole),
        fewer_records: match worlds {
            [_, half, quarter] => Some([half, quarter].map(|ran| of_syncs(ran))),
            _ => None,
        },
    };
    let rules = scaling::errors(sizes, &measured);
    let estimate = scaling::estimate(trial, sizes, &measured, &rules).filter(|_| scaling::holds(&rules));
    let too_long_ms = estimate.and_then(|estimate| scaling::too_long_ms(trial, &estimate));
    let place = WHOLE_STATES.iter().position(|whole| whole.name == engine.name);
    let both = |of: fn(&Span) -> Messages| {
        let [first, second] = whole.spans.map(|span| messages(&of(&span)));
        MessageBytes {
            data: first.data + second.data,
            acknowledgements: first.acknowledgements + second.acknowledgements,
            handshakes: first.handshakes + second.handshakes,
            retransmissions: first.retransmissions + second.retransmissions,
        }
    };
    // A smaller world can accuse where the whole one does not; its numbers are then beside its verdict.
    let accused = worlds.iter().skip(1).fold(whole, |worst, ran| if ran.verdict > worst.verdict { ran } else { worst });
    let mut row = BandwidthRow {
        name: engine.name.to_owned(),
        sender: match place {
            None => Sender::Engine,
            Some(0) => Sender::WholeState,
            Some(_) => Sender::Compressed,
        },
        verdict: accused.verdict,
        against: accused.against.clone(),
        wrong_records: accused.wrong_records,
        syncs: whole.spans.iter().map(|span| span.syncs).sum(),
        empty_syncs: whole.empty.iter().sum(),
        up: both(|span| span.up),
        down: both(|span| span.down),
        too_long_ms,
        estimate,
        rules,
        of_whole_state_per_mille: None,
    };
    row.estimate = row.estimate.filter(|_| !row.is_beyond_its_link());
    row
}

/// Each row with its share of what the whole state takes.
fn with_shares(mut rows: Vec<BandwidthRow>) -> Vec<BandwidthRow> {
    let tenths = |row: &BandwidthRow| row.estimate.map(|estimate| estimate.bytes_per_sync_tenths);
    let whole = rows.iter().find(|row| row.sender == Sender::WholeState).and_then(tenths).filter(|&whole| whole > 0);
    for row in &mut rows {
        row.of_whole_state_per_mille = whole.zip(tenths(row)).map(|(whole, own)| (own * 1000 + whole / 2) / whole);
    }
    rows
}

/// The information bound of what the users of this world did, with the customer's records.
fn bound(trial: &BandwidthTrial, ran: &Ran) -> Estimate {
    let Bound { bits, syncs } = ran.bound.unwrap_or(Bound { bits: 0, syncs: 0 });
    scaling::scaled(trial, bits.into(), 8 * u128::from(syncs).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::Fate;
    use crate::domain::offline::Link;
    use crate::domain::oracle::OracleId;
    use crate::domain::trial::Trial;
    use crate::domain::watch::Unwatched;
    use crate::report::journal::{Head, Journal};
    use crate::report::record::Asked;

    #[test]
    fn a_visit_is_empty_if_its_client_had_edits_to_tell_and_none_arrived() {
        let visit = |at, left, brought| Visit { at, left: Some(left), client: 0, brought };
        let edit = |at| UserEdit { at, register: 0, intent: Intent::Increase(1), fate: Fate::Binding };
        // Nothing to tell; told; nothing new; told while it was there; new and not told, twice; told in the end.
        let visits = [
            visit(10, 20, false),
            visit(30, 40, true),
            visit(50, 60, false),
            visit(70, 80, false),
            visit(90, 100, false),
            visit(110, 120, true),
        ];
        let edits = [vec![edit(25), edit(35), edit(65)]];
        assert_eq!(empty_syncs(&visits, &edits, (0, 200)), 2);
        assert_eq!(empty_syncs(&visits, &edits, (80, 200)), 1);
        assert_eq!(empty_syncs(&visits, &[Vec::new()], (0, 200)), 0);
    }

    fn report_of(lost: u32) -> BandwidthRecord {
        let keys = format!(
            "records = 10\nchanged = '10%'\nclients = 2\nsyncs_per_day = 24\nonline = '5s'\ndays = 4\nengines = \
             ['delta-state']\nlink = {{ bits_per_s = 64000, lost_per_mille = {lost} }}"
        );
        let trial: BandwidthTrial = toml::from_str(&keys).expect("it is sound");
        let sizes = Sizes::of(&trial).expect("it fits");
        let journal = Journal::none(Head::of(Asked::of(Trial::Bandwidth(Box::new(trial.clone()))), None));
        let jobs = Jobs::all(NonZeroUsize::MIN, &journal);
        measure(&trial, &sizes, &jobs, &mut Unwatched).expect("it ends").expect("all jobs").record
    }

    #[test]
    fn on_a_link_that_loses_most_messages_no_number_is_given_and_nothing_holds() {
        let sound = report_of(0);
        let about = sound.about().expect("a row");
        assert!(about.estimate.is_some() && about.empty_syncs == 0, "{about:?}");
        assert_eq!(judge::check(&sound).verdict, Verdict::Holds);
        let lossy = report_of(900);
        let about = lossy.about().expect("a row");
        assert!(about.estimate.is_none() && about.is_too_empty(), "{about:?}");
        let check = judge::check(&lossy);
        assert_eq!(check.verdict, Verdict::Inconclusive);
        assert_eq!(check.oracles[&OracleId::TimeOnline], Verdict::Inconclusive);
        assert!(check.summary.contains("nothing arrived of what the client had to tell"), "{}", check.summary);
    }

    #[test]
    fn the_link_is_blamed_for_empty_syncs_only_if_it_loses_messages_or_has_no_time_for_them() {
        let record = report_of(0);
        let about = record.about().expect("a row").clone();
        let row = BandwidthRow { empty_syncs: about.syncs, estimate: None, ..about };
        let blames = |link| {
            let told = row.why_unknown(&BandwidthRecord { link, ..record.clone() }).expect("it has no number");
            assert!(
                told.starts_with("in ") && told.contains("nothing arrived of what the client had to tell"),
                "{told}"
            );
            told.contains("on this link")
        };
        let sound = record.link;
        assert!(!blames(sound));
        assert!(blames(Link { lost_per_mille: 1, ..sound }));
        assert!(blames(Link { bits_per_s: 1, ..sound }));
        assert!(blames(Link { latency_ms: 2000, ..sound }));
    }

    #[test]
    fn the_whole_state_of_one_client_takes_what_it_takes_by_hand() {
        let keys = "records = 10\nchanged = '10%'\nclients = 1\nsyncs_per_day = 6\nvalue_bytes = 4\ndays = 4";
        let trial: BandwidthTrial = toml::from_str(keys).expect("it is sound");
        let sizes = Sizes::of(&trial).expect("it fits");
        let world = size::world(&trial, &sizes.run, sizes.before_s);
        let job = Job { engine: &WHOLE_STATES[0], world: &world, size: sizes.run, called: "", with_bound: true };
        let ran = ran(&job, &trial, &sizes, &mut Unwatched).expect("it ends");
        let (spans, verdict) = (ran.spans, ran.verdict);
        // A smaller world in which records are wrong is not hidden by one in which none is.
        let half =
            Ran { verdict: Verdict::Falsified, against: vec!["truth: wrong".to_owned()], wrong_records: 3, ..ran };
        let whole = Ran { verdict: Verdict::Holds, against: Vec::new(), wrong_records: 0, ..half };
        let compared = row(&trial, &sizes, &WHOLE_STATES[0], &[&whole, &half]);
        assert_eq!((compared.verdict, compared.wrong_records), (Verdict::Falsified, 3));
        assert_eq!(compared.against, half.against);
        let (up, down) = spans.iter().fold((0, 0), |(up, down), span| (up + span.up.data, down + span.down.data));
        // A tag, two bytes of the connection, the message's number, place, request and length; then 10 records of 4 bytes, and
        // a checksum. Nobody else edits, so that nothing comes down.
        let message = 1 + 2 + 1 + 1 + 1 + 1 + 10 * 4 + 4;
        let syncs: u64 = spans.iter().map(|span| span.syncs).sum();
        assert_eq!((up % message, down, verdict), (0, 0, Verdict::Holds), "{up} B");
        assert!((22..=26).contains(&syncs) && (14..=26).contains(&(up / message)), "{syncs} syncs, {up} B");
    }
}
