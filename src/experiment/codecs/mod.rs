//! The trial of codecs: what one tick takes in every codec and engine, against the information bound, and what a receiver
//! makes of messages that arrive once, twice, in another order, or never.

mod connections;
mod deliveries;
mod judged;
mod section;
mod ticks;

use std::time::Instant;

use crate::codec::{self, Codec};
use crate::domain::codecs::{Arrival, Claims, CodecsTrial};
use crate::domain::fault::{Fault, FaultClass};
use crate::domain::judge::Judge;
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::engine::{self, Registration};
use crate::experiment::answers::Answers;
use crate::experiment::claims::{self, MESSAGE};
use crate::experiment::control::{Control, Show, Shown, bits};
use crate::experiment::jobs::Inner;
use crate::experiment::valid::Passed;
use crate::experiment::{Bench, Changes, Experiment, NoEffect, took};
use crate::report::codecs_record::{CodecRow, CodecsRecord, Of, WrongRegisters};
use crate::report::record::{ClaimRecord, Part, Record, Unseen};
use crate::subject::Subjects;
use judged::{check, verdict};
use ticks::{History, Width, bound_tenths};

/// Histories of three ticks, whose messages arrive once, twice, in another order, or never.
const HISTORIES: u32 = 20;

/// One row of the table.
enum Job {
    Codec(&'static dyn Codec),
    Engine(&'static Registration),
}

impl Job {
    /// What its check is called.
    fn name(&self) -> String {
        match self {
            Job::Codec(codec) => name_of(Of::Codec, codec.name()),
            Job::Engine(engine) => name_of(Of::Engine, engine.name),
        }
    }
}

/// What the check of a codec or an engine is called.
fn name_of(of: Of, name: &str) -> String {
    match of {
        Of::Codec => format!("codec {name}"),
        Of::Engine => format!("tick of {name}"),
    }
}

fn jobs_of(trial: &CodecsTrial) -> Vec<Job> {
    let engines = engine::asked(&trial.engines).map(Job::Engine);
    codec::REGISTRY.iter().map(|&codec| Job::Codec(codec)).chain(engines).collect()
}

impl Experiment for CodecsTrial {
    /// Refuses engines that are unknown.
    fn refuse(&self) -> Result<(), String> {
        engine::check_timeless(&self.engines)
    }

    fn judges(&self) -> &'static [Judge] {
        &[Judge::Codecs, Judge::Expectation]
    }

    fn adjust(&mut self, changes: &Changes) -> Result<(), NoEffect> {
        let bounds = ["--budget", "--memory", "--orders"];
        changes.refuse(&bounds, "is about arrival orders, and a trial of codecs has none")?;
        self.seed = changes.seed.unwrap_or(self.seed);
        if !changes.engines.is_empty() {
            self.engines.clone_from(&changes.engines);
        }
        Ok(())
    }

    fn no_backend(&self) -> Option<&'static str> {
        Some("a trial of codecs has messages alone")
    }

    fn answers(&self) -> Answers {
        Answers { checks: jobs_of(self).iter().map(Job::name).collect(), ..Answers::default() }
    }

    fn no_fault(&self, _fault: Fault) -> Option<&'static str> {
        Some("a trial of codecs has no device")
    }

    fn run(&self, _passed: Passed, bench: Bench<'_>) -> Result<(), SubjectError> {
        let Bench { jobs, record, watch, .. } = bench;
        let all = jobs_of(self);
        let ours: Vec<&Job> =
            all.iter().enumerate().filter(|(place, _)| jobs.takes(*place)).map(|(_, job)| job).collect();
        watch.begin("codecs of a tick", ours.len() as u64);
        watch.unit("codecs");
        let tried = jobs.run(
            &ours,
            |job| job.name(),
            watch,
            |job, watch| {
                let start = Instant::now();
                let row = match job {
                    Job::Codec(codec) => deliveries::row(*codec, self, &mut Inner(watch))?,
                    Job::Engine(engine) => connections::row(engine, self, &mut Inner(watch))?,
                };
                Ok((row, start.elapsed()))
            },
        );
        watch.end();
        let mut section = CodecsRecord {
            registers: self.registers,
            changed: self.changed,
            most: self.most,
            ticks: self.ticks,
            histories: HISTORIES.min(self.ticks),
            narrow_bound_tenths: bound_tenths(self, Width::Narrow),
            wide_bound_tenths: bound_tenths(self, Width::Wide),
            rows: Vec::new(),
        };
        for (mut row, time) in tried.of {
            row.verdict = verdict(&row, &section);
            let check = check(&row, &section);
            took(record, &check.name, time);
            record.checks.push(check);
            section.rows.push(row);
        }
        record.codecs = Some(section);
        tried.failed.map_or(Ok(()), Err)
    }

    /// That messages can be decoded, by every check that holds.
    fn claims(&self, record: &Record, _subjects: &Subjects) -> Vec<ClaimRecord> {
        vec![claims::claim(FaultClass::WrongMessage, MESSAGE, &record.checks, &|check| check.part == Part::Message)]
    }

    fn unseen(&self, _record: &Record, _subjects: &Subjects) -> Unseen {
        let by_run = [
            "Ticks change registers that are drawn evenly, by amounts that are drawn evenly: a real workload may suit a codec \
             better or worse.",
            "A codec has no transport: whether a message arrives, and is sent again, is not counted. Of an engine it is, in \
             the bytes of a connection. A codec that claims nothing about delivery is judged by messages that arrive once, in \
             order; what it gets wrong otherwise is counted.",
            "Counters of engines start at 0, where a codec's registers hold numbers of any size: an engine that sends values is \
             better off here.",
            "An engine's bytes are those of a replica's first tick, whose ids and counts take 1 byte each. They grow later: \
             delta-state's data per sync had 58 B over 4 days, 68 B over 30 days, and 79 B over 340 days.",
            "Headers of TCP, IP, TLS and HTTP are not counted: every codec's messages need them.",
        ];
        Unseen { by_bank_sweep: Vec::new(), by_run: by_run.map(str::to_owned).to_vec() }
    }
}

/// What is planted for the judge of codecs.
pub const CONTROLS: &[Control] = &[Control {
    judge: Judge::Codecs,
    planted: "each bit of a changed register wrong in turn; each changed register left out; a byte fewer than the bound; a wrong \
              register for each way of arriving that is claimed to come out right",
    show: Show::Alone(show),
}];

/// What a control sends: these registers, in so many bytes, which arrive so, under these claims.
#[derive(Clone)]
struct Planted {
    sent: Vec<i64>,
    bytes: u64,
    arrival: Arrival,
    claims: Claims,
}

fn show() -> Shown {
    let trial =
        CodecsTrial { seed: Seed::new(7), registers: 256, changed: 20, most: 1000, ticks: 1, engines: Vec::new() };
    let history = History::drawn(&trial, Width::Narrow, 0);
    let section = CodecsRecord {
        registers: trial.registers,
        changed: trial.changed,
        most: trial.most,
        ticks: 1,
        histories: 0,
        narrow_bound_tenths: bound_tenths(&trial, Width::Narrow),
        wide_bound_tenths: bound_tenths(&trial, Width::Wide),
        rows: Vec::new(),
    };
    let [old, new] = [&history.states[0], &history.states[1]];
    let changed: Vec<usize> = (0..old.len()).filter(|&register| old[register] != new[register]).collect();
    let bytes = section.wide_bound_tenths / 10 + 1;
    let right = Planted { sent: new.clone(), bytes, arrival: Arrival::Exact, claims: Claims::Nothing };
    let flipped = bits().enumerate().map(|(place, mask)| {
        let mut sent = new.clone();
        sent[changed[place % changed.len()]] ^= mask as i64;
        Planted { sent, ..right.clone() }
    });
    let left_out: Vec<Planted> = changed
        .iter()
        .map(|&register| {
            let mut sent = new.clone();
            sent[register] = old[register];
            Planted { sent, ..right.clone() }
        })
        .collect();
    let too_few = [Planted { bytes: section.narrow_bound_tenths / 10 - 1, ..right.clone() }];
    use Arrival::{CutOff, Lost, Reordered, Repeated, SetBack, TwoWriters};
    let claimed: [(Claims, &[Arrival]); 4] = [
        (Claims::Sequences, &[Repeated, Reordered, TwoWriters]),
        (Claims::AnyOrder, &[Repeated, Reordered, Lost, TwoWriters, CutOff, SetBack]),
        (Claims::InOrder, &[TwoWriters, CutOff, SetBack]),
        (Claims::ExactlyOnce, &[TwoWriters, SetBack]),
    ];
    let of_claim = |&(claims, arrivals): &(Claims, &'static [Arrival])| {
        let lost = left_out[0].clone();
        arrivals.iter().map(move |&arrival| Planted { arrival, claims, ..lost.clone() })
    };
    let beyond_exact = claimed.iter().flat_map(of_claim);
    let wrong: Vec<Planted> = flipped.chain(left_out.iter().cloned()).chain(too_few).chain(beyond_exact).collect();
    Shown::of(right.clone(), wrong, |Planted { sent, bytes, arrival, claims }| {
        let wrong = deliveries::planted(&codec::frame::Framed, &history, &sent);
        let sizes = deliveries::sizes_of(vec![bytes]);
        let row = CodecRow {
            name: "control".to_owned(),
            of: Of::Codec,
            about: String::new(),
            evidence: crate::domain::evidence::Evidence::Software,
            needs: String::new(),
            decodable: true,
            claims,
            ticks: 1,
            histories: 0,
            narrow: sizes,
            wide: Some(sizes),
            failed: None,
            wrong: Some(WrongRegisters::where_they_arrive(arrival, wrong)),
            verdict: Verdict::Inconclusive,
        };
        verdict(&row, &section)
    })
}
