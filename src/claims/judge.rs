//! What a record says of a rule. Each rule asks one part of it; what the part does not have, the rule cannot decide.

use crate::claims::rule::{Number, Of, Rule, Strength, Wanted};
use crate::domain::count::counted;
use crate::domain::evidence::Evidence;
use crate::domain::law::{Extent, LawTrial};
use crate::domain::oracle::OracleId;
use crate::domain::verdict::{FEWEST_SAMPLES, Verdict, Warrant};
use crate::report::ledger::{ClaimVerdict, Decision, LedgerCounterexample, Measured};
use crate::report::offline_record::EngineRecord;
use crate::report::qualification::devices::{DeviceQualification, MutantOutcome};
use crate::report::qualification::mutants::{EngineQualification, Outcome};
use crate::report::record::{BankSweep, Check, Record, TickRecord};

/// A run that a rule asks, and how it is run alone.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its name.
    pub run: &'a str,
    /// The command that runs it.
    pub command: &'a str,
}

impl Asked<'_> {
    /// The decision of a rule that found this.
    fn decision(self, rule: &Rule, verdict: ClaimVerdict, found: String) -> Decision {
        Decision {
            run: self.run.to_owned(),
            asked: rule.to_string(),
            verdict,
            found,
            evidence: Vec::new(),
            number: None,
            warrant: None,
            counterexample: None,
        }
    }

    /// The whole run as the counterexample, where there is no smaller one.
    fn whole(self, sentence: &str) -> LedgerCounterexample {
        let (sentence, command) = (sentence.to_owned(), self.command.to_owned());
        LedgerCounterexample { sentence, size: String::new(), command }
    }
}

/// Asks the record of a scenario.
pub fn of_record(rule: &Rule, record: &Record, asked: Asked<'_>) -> Decision {
    match rule {
        Rule::Check { check, is, silicon } => of_check(rule, (check, *is, *silicon), record, asked),
        Rule::Warrant { check, at_least } => of_warrant(rule, check, *at_least, record, asked),
        Rule::Engine { engine, judge, is } => of_engine(rule, (engine, judge.as_deref(), *is), record, asked),
        Rule::Law { law, is } => of_law(rule, law, *is, record, asked),
        Rule::Number { number, silicon, .. } => of_number(rule, *number, *silicon, record, asked),
        Rule::Mutants { .. } => unasked(rule, record, asked, "a run plants no mutant".to_owned()),
        Rule::Instrument { instrument } => of_instrument(rule, instrument, asked),
    }
}

/// What only an instrument tells.
pub fn of_instrument(rule: &Rule, instrument: &str, asked: Asked<'_>) -> Decision {
    asked.decision(rule, ClaimVerdict::NoHardware, instrument.to_owned())
}

/// Why a rule finds nothing to ask: the run did not come to its end, or has no such part on these backends.
fn unasked(rule: &Rule, record: &Record, asked: Asked<'_>, why: String) -> Decision {
    if record.interrupted {
        return asked.decision(rule, ClaimVerdict::NotTried, "stopped by the user before it was tried".to_owned());
    }
    let why = record.unavailable.clone().unwrap_or(why);
    asked.decision(rule, ClaimVerdict::Inconclusive, why)
}

/// The decision about a rule that needs a board, where no board answered.
fn no_board(rule: &Rule, asked: Asked<'_>) -> Decision {
    let why = "no board answered: name one with --backend, and --silicon".to_owned();
    asked.decision(rule, ClaimVerdict::NoHardware, why)
}

fn of_check(rule: &Rule, (name, is, silicon): (&str, Wanted, bool), record: &Record, asked: Asked<'_>) -> Decision {
    let named: Vec<&Check> = record.checks.iter().filter(|check| check.name == name).collect();
    let counts = |check: &&&Check| !silicon || check.subjects.values().any(|of| *of == Evidence::Silicon);
    let made: Vec<&Check> = named.iter().filter(counts).copied().collect();
    if made.is_empty() {
        return match silicon && !record.interrupted && record.unavailable.is_none() {
            true => no_board(rule, asked),
            false => unasked(rule, record, asked, "these backends cannot be asked for it".to_owned()),
        };
    }
    // A check is made once for each device.
    let verdict = is.judge(Verdict::of_set(made.iter().map(|check| check.verdict)));
    let worst = made.iter().max_by_key(|check| check.verdict).expect("it is not empty");
    let mut decision = asked.decision(rule, verdict.into(), shown(worst));
    decision.evidence = evidence(&made);
    decision.warrant = worst.warrant.clone();
    decision.counterexample = (verdict == Verdict::Falsified).then(|| smallest(&made, None, asked, &decision.found));
    decision
}

/// What a check says: its first finding, where it has one.
fn shown(check: &Check) -> String {
    match check.findings.first() {
        Some(finding) => {
            let (subject, during, quantity) = (&finding.subject, &finding.during, finding.quantity);
            format!("{during}: {quantity} of {subject} is {}, not {}", finding.got, finding.expected)
        }
        None => check.summary.clone(),
    }
}

fn evidence(checks: &[&Check]) -> Vec<Evidence> {
    let mut evidence: Vec<Evidence> = checks.iter().flat_map(|check| check.subjects.values().copied()).collect();
    evidence.sort_unstable();
    evidence.dedup();
    evidence
}

/// The smallest finding of this judge in these checks, else of any judge. Without a finding, the command that runs the whole
/// scenario again.
fn smallest(checks: &[&Check], judge: Option<&str>, asked: Asked<'_>, sentence: &str) -> LedgerCounterexample {
    let findings = checks.iter().flat_map(|check| &check.findings);
    let of_judge = findings.filter(|finding| judge.is_none_or(|judge| finding.oracle.name() == judge));
    match of_judge.min_by_key(|finding| finding.case.len()) {
        Some(finding) => LedgerCounterexample {
            sentence: format!("{}: {} {}, not {}", finding.during, finding.quantity, finding.got, finding.expected),
            size: finding.size.clone(),
            command: format!("abench replay {}", finding.case),
        },
        None => asked.whole(sentence),
    }
}

/// How strong a warrant is; nothing if it bounds nothing.
fn strength(warrant: &Warrant) -> Option<Strength> {
    match warrant {
        Warrant::Proved { .. } | Warrant::Walked { .. } => Some(Strength::Proved),
        Warrant::Covered { .. } | Warrant::Searched { .. } => Some(Strength::Covered),
        Warrant::Worlds { drawn: number } | Warrant::Sampled { orders: number, .. } => {
            (*number >= FEWEST_SAMPLES).then_some(Strength::Sampled)
        }
    }
}

fn of_warrant(rule: &Rule, name: &str, at_least: Strength, record: &Record, asked: Asked<'_>) -> Decision {
    let Some(check) = record.checks.iter().find(|check| check.name == name) else {
        return unasked(rule, record, asked, "these backends cannot be asked for it".to_owned());
    };
    let rests_on = check.warrant.as_ref().map_or("nothing that it names".to_owned(), ToString::to_string);
    let is_strong = check.warrant.as_ref().and_then(strength).is_some_and(|strength| strength >= at_least);
    let (verdict, found) = match (check.verdict, is_strong) {
        (Verdict::Holds, true) => (Verdict::Holds, rests_on),
        // Nothing contradicts it, and what was tried is not enough for it.
        (Verdict::Holds, false) => (Verdict::Inconclusive, format!("it holds, but is not {at_least}: {rests_on}")),
        (verdict, _) => (verdict, shown(check)),
    };
    let mut decision = asked.decision(rule, verdict.into(), found);
    decision.evidence = evidence(&[check]);
    decision.warrant = check.warrant.clone();
    decision.counterexample = (verdict == Verdict::Falsified).then(|| smallest(&[check], None, asked, &decision.found));
    decision
}

fn engine<'a>(record: &'a Record, name: &str) -> Option<&'a EngineRecord> {
    record.offline.iter().flat_map(|offline| &offline.engines).find(|row| row.name == name)
}

fn of_engine(
    rule: &Rule,
    (name, judge, is): (&str, Option<&str>, Wanted),
    record: &Record,
    asked: Asked<'_>,
) -> Decision {
    let Some(row) = engine(record, name) else {
        return unasked(rule, record, asked, format!("{name} has no row in the record"));
    };
    let judged = match judge {
        Some(judge) => judge.parse().ok().and_then(|judge: OracleId| row.oracles.get(&judge).cloned()),
        None => {
            let worst = row.oracles.values().filter(|(verdict, _)| *verdict == row.verdict);
            let sentences: Vec<&str> = worst.map(|(_, sentence)| sentence.as_str()).collect();
            let sentence = match row.verdict {
                Verdict::Holds => "no judge has anything against it".to_owned(),
                _ => sentences.join("; "),
            };
            Some((row.verdict, sentence))
        }
    };
    let Some((verdict, sentence)) = judged else {
        let why = format!("the judge '{}' has nothing to judge in this world", judge.unwrap_or_default());
        return unasked(rule, record, asked, why);
    };
    let wanted = is.judge(verdict);
    let mut decision = asked.decision(rule, wanted.into(), sentence);
    decision.evidence = record.offline.iter().map(|offline| offline.evidence).collect();
    // Worlds that were drawn besides the scenario's own count for the judge as well.
    let drawn = row.worlds.len().saturating_sub(1) as u64;
    decision.warrant = (wanted == Verdict::Holds && is == Wanted::Holds)
        .then(|| row.warrant.clone().unwrap_or(Warrant::Worlds { drawn }));
    if wanted == Verdict::Falsified {
        let checks: Vec<&Check> = record.checks.iter().filter(|check| check.name == name).collect();
        let command = format!("{} --engines {name}", asked.command);
        let alone = Asked { command: &command, ..asked };
        decision.counterexample = Some(match is {
            Wanted::Holds => smallest(&checks, judge, alone, &decision.found),
            Wanted::Falsified => alone.whole(&decision.found),
        });
    }
    decision
}

fn of_law(rule: &Rule, name: &str, is: Wanted, record: &Record, asked: Asked<'_>) -> Decision {
    let trials = record.laws.iter().flat_map(|laws| &laws.trials);
    let Some(trial) = trials.into_iter().find(|trial| trial.name() == name) else {
        return unasked(rule, record, asked, "the law was not tried".to_owned());
    };
    let verdict = is.judge(trial.verdict);
    let witness = witness(trial);
    let found = match (trial.verdict, &witness) {
        (Verdict::Falsified, Some((sentence, _))) => sentence.clone(),
        (Verdict::Holds, _) => {
            let extents = [(&trial.at_8_bits, 8), (&trial.at_64_bits, 64)];
            let extents = extents.map(|(width, bits)| format!("{} of {bits} bits", extent(&width.extent)));
            format!("it holds in {}", extents.join(" and "))
        }
        (verdict, _) => verdict.to_string(),
    };
    let mut decision = asked.decision(rule, verdict.into(), found);
    decision.evidence = record.laws.iter().map(|laws| laws.evidence).collect();
    decision.counterexample = (verdict == Verdict::Falsified).then(|| match (is, witness) {
        (Wanted::Holds, Some((sentence, size))) => {
            LedgerCounterexample { sentence, size, command: format!("{} -vv", asked.command) }
        }
        _ => asked.whole(&decision.found),
    });
    decision
}

/// How many cases were tried, in words.
fn extent(extent: &Extent) -> String {
    match extent {
        Extent::Exhaustive { cases, .. } => format!("all {}", counted(cases, "case")),
        Extent::Sampled { tries, chosen, .. } => format!("{} random and {chosen} chosen cases", tries),
        Extent::Nothing => "no case".to_owned(),
    }
}

/// The smaller contradiction of a law, and how small it is.
fn witness(trial: &LawTrial) -> Option<(String, String)> {
    let widths = [&trial.at_8_bits, &trial.at_64_bits];
    let witness = widths.into_iter().find_map(|width| width.witness.as_ref())?;
    Some((witness.sentence.clone(), witness.size.clone()))
}

/// A number as a fraction.
struct Fraction {
    number: i64,
    of: i64,
    evidence: Evidence,
}

impl Fraction {
    fn whole(number: u64, evidence: Evidence) -> Self {
        Fraction { number: number as i64, of: 1, evidence }
    }

    /// What a part saves of a whole, in per cent.
    fn saving(part: u64, whole: u64, evidence: Evidence) -> Option<Self> {
        let number = 100 * (whole as i64 - part as i64);
        (whole > 0).then_some(Fraction { number, of: whole as i64, evidence })
    }

    fn percent(part: u64, whole: u64, evidence: Evidence) -> Option<Self> {
        (whole > 0).then_some(Fraction { number: 100 * part as i64, of: whole as i64, evidence })
    }

    /// How it compares with a number of thousandths.
    fn compared(&self, thousandths: u64) -> std::cmp::Ordering {
        (i128::from(self.number) * 1000).cmp(&(i128::from(thousandths) * i128::from(self.of)))
    }

    /// It with at most two decimals, cut off and not rounded.
    fn shown(&self) -> String {
        let hundredths = (i128::from(self.number) * 100).div_euclid(i128::from(self.of));
        let (sign, size) = (if hundredths < 0 { "-" } else { "" }, hundredths.abs());
        match i128::from(self.number) % i128::from(self.of) {
            0 => format!("{sign}{}", size / 100),
            _ => {
                format!("{sign}{}.{:02}", size / 100, size % 100).trim_end_matches('0').trim_end_matches('.').to_owned()
            }
        }
    }
}

fn of_number(rule: &Rule, number: Number, silicon: bool, record: &Record, asked: Asked<'_>) -> Decision {
    let Rule::Number { at_least, at_most, .. } = rule else {
        return unasked(rule, record, asked, "the rule is about no number".to_owned());
    };
    let found = fractions(rule, number, record);
    let found: Vec<Fraction> =
        found.into_iter().filter(|found| !silicon || found.evidence == Evidence::Silicon).collect();
    let holds = |found: &Fraction| {
        at_least.is_none_or(|bound| found.compared(bound.thousandths()).is_ge())
            && at_most.is_none_or(|bound| found.compared(bound.thousandths()).is_le())
    };
    // Of several devices, each must be within the bound.
    let Some(shown) = found.iter().find(|found| !holds(found)).or(found.first()) else {
        return match silicon && !record.interrupted && record.unavailable.is_none() {
            true => no_board(rule, asked),
            false => unasked(rule, record, asked, format!("the record has no number of the kind '{number}'")),
        };
    };
    // Half of a world has bytes, too, and they mean nothing.
    if record.interrupted && number.of() == Of::Engine {
        return unasked(rule, record, asked, String::new());
    }
    let verdict = if holds(shown) { Verdict::Holds } else { Verdict::Falsified };
    let measured = Measured {
        what: rule.what(),
        number: shown.number,
        of: shown.of,
        shown: format!("{}{}", shown.shown(), number.unit()),
        bound: rule.bound(),
    };
    let sentence = match verdict {
        Verdict::Holds => format!("{}: {} (allowed: {})", measured.what, measured.shown, measured.bound),
        _ => format!("{}: {}, not {}", measured.what, measured.shown, measured.bound),
    };
    let mut decision = asked.decision(rule, verdict.into(), sentence);
    decision.evidence = vec![shown.evidence];
    decision.number = Some(measured);
    decision.counterexample = (verdict == Verdict::Falsified).then(|| asked.whole(&decision.found));
    decision
}

/// A number of a record: one of each device, where several have it.
fn fractions(rule: &Rule, number: Number, record: &Record) -> Vec<Fraction> {
    let Rule::Number { banks, engine: name, than, .. } = rule else { return Vec::new() };
    match number.of() {
        Of::Tick => {
            // In a standard campaign, the published tick and not that of its seed.
            let tick = record.ticks.iter().find(|tick| tick.published).or(record.ticks.first());
            tick.and_then(|tick| of_tick(number, tick)).into_iter().collect()
        }
        Of::Sweep => {
            let of_sweep = |sweep: &BankSweep| {
                let cycles = |banks| sweep.rows.iter().find(|row| row.banks == banks).map(|row| row.cycles);
                let evidence = sweep.evidence;
                match (number, banks) {
                    (Number::SweepCycles, Some(banks)) => Some(Fraction::whole(cycles(banks.get())?.into(), evidence)),
                    (Number::SweepSpeedUp, Some(banks)) => {
                        let (one, many) = (cycles(1)?, cycles(banks.get())?);
                        (many > 0).then_some(Fraction { number: one.into(), of: many.into(), evidence })
                    }
                    (Number::SweepMissedSets, _) => Some(Fraction::whole(sweep.missed_sets, evidence)),
                    _ => None,
                }
            };
            record.bank_sweeps.iter().filter_map(of_sweep).collect()
        }
        Of::Engine => {
            let row = |name: &Option<String>| engine(record, name.as_deref()?);
            let evidence = record.offline.as_ref().map_or(Evidence::Software, |offline| offline.evidence);
            let found = row(name).and_then(|one| of_engine_row(number, one, row(than), evidence));
            found.into_iter().collect()
        }
    }
}

fn of_tick(number: Number, tick: &TickRecord) -> Option<Fraction> {
    let evidence = tick.evidence;
    let whole = |bytes| Some(Fraction::whole(bytes, evidence));
    match number {
        Number::TickValueBytes => whole(tick.value_bytes),
        Number::TickMessageBytes => whole(tick.message_bytes),
        Number::TickMetadataBytes => whole(tick.message_bytes.saturating_sub(tick.value_bytes)),
        Number::TickBoundBytes => Some(Fraction { number: tick.bound_tenths as i64, of: 10, evidence }),
        Number::TickFullStateBytes => whole(tick.full_state_bytes),
        Number::TickChangedPercent => {
            // A context is 8 bytes.
            Fraction::percent(8 * tick.changed.len() as u64, tick.full_state_bytes, evidence)
        }
        Number::TickSavingPercent => Fraction::saving(tick.message_bytes, tick.full_state_bytes, evidence),
        _ => None,
    }
}

fn of_engine_row(
    number: Number,
    row: &EngineRecord,
    than: Option<&EngineRecord>,
    evidence: Evidence,
) -> Option<Fraction> {
    let bytes = |row: &EngineRecord| row.up.total() + row.down.total();
    match number {
        Number::EngineBytes => Some(Fraction::whole(bytes(row), evidence)),
        Number::EngineMetadataPercent => {
            let payload = row.up.payload + row.down.payload;
            Fraction::percent(bytes(row).saturating_sub(payload), bytes(row), evidence)
        }
        Number::EngineSavingPercent => Fraction::saving(bytes(row), bytes(than?), evidence),
        Number::EngineWrongRegisters => Some(Fraction::whole(row.wrong_registers.into(), evidence)),
        _ => None,
    }
}

/// Mutants of a device, under one scenario.
pub fn of_devices(rule: &Rule, qualification: &DeviceQualification, asked: Asked<'_>) -> Decision {
    let score = qualification.together;
    let escaped = qualification
        .mutants
        .iter()
        .find(|mutant| !matches!(mutant.together, MutantOutcome::Detected | MutantOutcome::Equivalent));
    let escaped = escaped.map(|mutant| {
        let why = mutant.cells.first().map_or(String::new(), |cell| cell.reason.clone());
        format!("{} {}: {why}", mutant.faults.join(" with "), mutant.together)
    });
    let broken = match qualification {
        DeviceQualification { interrupted: true, .. } => Some(ClaimVerdict::NotTried),
        DeviceQualification { void: true, .. } | DeviceQualification { crashed: true, .. } => {
            Some(ClaimVerdict::Inconclusive)
        }
        _ => None,
    };
    let counts = (score.detected, score.detectable(), score.to_string());
    of_score(rule, counts, escaped, broken, qualification.evidence, asked)
}

/// Mutants of engines, under one scenario.
pub fn of_engines(rule: &Rule, qualification: &EngineQualification, asked: Asked<'_>) -> Decision {
    let cells = || qualification.mutants.iter().filter(|row| row.cells.iter().any(Option::is_some));
    let planted = cells().count() as u64;
    let killed = cells().filter(|row| row.together == Outcome::Killed).count() as u64;
    let escaped = cells().find(|row| row.together != Outcome::Killed);
    let escaped = escaped.map(|row| format!("{} of {} {}: {}", row.mutant, row.engine, row.together, row.about));
    let broken = match (qualification.interrupted, qualification.crashed) {
        (true, _) => Some(ClaimVerdict::NotTried),
        (_, true) => Some(ClaimVerdict::Inconclusive),
        _ => None,
    };
    let per_mille = (killed * 1000).checked_div(planted).unwrap_or(0);
    let shown = format!("{killed} of {planted} ({}.{} %)", per_mille / 10, per_mille % 10);
    of_score(rule, (killed, planted, shown), escaped, broken, Evidence::Software, asked)
}

fn of_score(
    rule: &Rule,
    (killed, planted, shown): (u64, u64, String),
    escaped: Option<String>,
    broken: Option<ClaimVerdict>,
    evidence: Evidence,
    asked: Asked<'_>,
) -> Decision {
    let Rule::Mutants { at_least, .. } = rule else {
        return asked.decision(rule, ClaimVerdict::Inconclusive, "the rule is about no mutant".to_owned());
    };
    if let Some(verdict) = broken {
        let why = match verdict {
            ClaimVerdict::NotTried => "stopped by the user before all mutants were planted",
            _ => "nothing can be said: the scenario is not sound without a mutant, or the harness crashed",
        };
        return asked.decision(rule, verdict, why.to_owned());
    }
    let Some(score) = Fraction::percent(killed, planted, evidence) else {
        return asked.decision(rule, ClaimVerdict::Inconclusive, "there is no mutant to plant".to_owned());
    };
    let holds = score.compared(at_least.thousandths()).is_ge();
    let verdict = if holds { ClaimVerdict::Holds } else { ClaimVerdict::Falsified };
    let first = escaped.map_or(String::new(), |escaped| format!("; the first that is not killed: {escaped}"));
    let sample = rule.sample().map_or(String::new(), |sample| format!(", of {sample}"));
    let mut decision = asked.decision(rule, verdict, format!("mutation score {shown}{sample}"));
    decision.evidence = vec![evidence];
    decision.number = Some(Measured {
        what: "mutation score".to_owned(),
        number: score.number,
        of: score.of,
        shown: format!("{} %", score.shown()),
        bound: format!("at least {at_least} %"),
    });
    decision.counterexample = (!holds).then(|| asked.whole(&format!("{}{first}", decision.found)));
    decision
}

#[cfg(test)]
mod tests;
