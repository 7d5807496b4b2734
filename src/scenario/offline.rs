//! The workload of a world: what every user does and when.

use crate::domain::data::{DataType, Fields, Intent};
use crate::domain::history::{Fate, UserEdit};
use crate::domain::letter::Letter;
use crate::domain::offline::{Cases, Claims, Labels, OfflineTrial, Records, Stocks, Tags, Texts, Workload};
use crate::domain::seed::Stream;

/// Microseconds in a second.
pub const SECOND: u64 = 1_000_000;

/// Chooses registers by Zipf's law: the k-th of them with a weight of 1/k^s. The table of cumulated weights is libm's,
/// the same on every machine.
struct Zipf {
    cumulated: Vec<f64>,
}

impl Zipf {
    fn new(registers: u32, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weight = |rank: u32| libm::pow(f64::from(rank), -exponent);
        let cumulated = (1..=registers).map(|rank| {
            sum += weight(rank);
            sum
        });
        Zipf { cumulated: cumulated.collect() }
    }

    fn draw(&self, stream: &mut Stream) -> u32 {
        // 53 bits are what a binary64 number holds exactly.
        let share = (stream.word() >> 11) as f64 / (1u64 << 53) as f64;
        let wanted = share * self.cumulated.last().copied().unwrap_or(0.0);
        let place = self.cumulated.partition_point(|&sum| sum <= wanted);
        place.min(self.cumulated.len() - 1) as u32
    }
}

/// The registers that a tick has not changed yet. Each that it has changed points on towards the next that is free, and
/// whoever follows such a way halves it: where most draws fall on a few registers, one after the other would take as many
/// steps as there are changes before it.
struct Free {
    /// In which tick each was taken last, and where that points to.
    taken: Vec<(u32, u32)>,
    tick: u32,
}

impl Free {
    fn of(registers: u32) -> Self {
        Free { taken: vec![(0, 0); registers as usize], tick: 0 }
    }

    /// A tick begins.
    fn all(&mut self) {
        self.tick += 1;
    }

    /// Takes this register, or the next that is free, the first after the last; there is one.
    fn take_from(&mut self, register: u32) -> u32 {
        let mut register = register;
        while let (tick, next) = self.taken[register as usize]
            && tick == self.tick
        {
            if let (tick, beyond) = self.taken[next as usize]
                && tick == self.tick
            {
                self.taken[register as usize].1 = beyond;
            }
            register = next;
        }
        self.taken[register as usize] = (self.tick, (register + 1) % self.taken.len() as u32);
        register
    }
}

/// What a world's users do.
pub struct Users<'a> {
    registers: u32,
    fields: Fields,
    tags: Tags,
    of_tags: Stream,
    stocks: Stocks,
    of_stocks: Stream,
    labels: Labels,
    of_labels: Stream,
    records: Records,
    of_records: Stream,
    texts: Texts,
    of_texts: Stream,
    claims: Claims,
    of_claims: Stream,
    cases: Cases,
    of_cases: Stream,
    clients: u32,
    workload: &'a Workload,
    /// For how long, in microseconds.
    lasts: u64,
    stream: Stream,
    zipf: Option<Zipf>,
}

impl<'a> Users<'a> {
    /// The users of this world, which is drawn.
    pub fn of(trial: &'a OfflineTrial) -> Self {
        let lasts = trial.presence.lasts_s * SECOND;
        let (stocks, tags, labels, records) = (trial.stocks, trial.tags, trial.labels, trial.records);
        let (texts, claims, cases) = (trial.texts, trial.claims, trial.cases);
        Users {
            stocks,
            tags,
            labels,
            records,
            texts,
            claims,
            cases,
            ..Users::drawn(trial, &trial.workload, lasts, "workload")
        }
    }

    /// Users who do this for so long, in the step of this number.
    pub fn of_step(trial: &OfflineTrial, workload: &'a Workload, lasts: u64, step: usize) -> Self {
        Users::drawn(trial, workload, lasts, &format!("work of step {step}"))
    }

    fn drawn(trial: &OfflineTrial, workload: &'a Workload, lasts: u64, stream: &str) -> Self {
        let registers = trial.registers;
        let exponent = workload.zipf_hundredths;
        let zipf = exponent.map(|exponent| Zipf::new(registers, f64::from(exponent) / 100.0));
        let streams = [stream, "stocks", "tags", "labels", "records", "texts", "claims", "cases"];
        let [stream, of_stocks, of_tags, of_labels, of_records, of_texts, of_claims, of_cases] =
            streams.map(|name| trial.seed.stream(name));
        let (stocks, tags, labels) = (Stocks::default(), Tags::default(), Labels::default());
        let (records, texts, claims) = (Records::default(), Texts::default(), Claims::default());
        let cases = Cases::default();
        let (fields, clients) = (trial.fields(), trial.clients);
        Users {
            registers,
            fields,
            stocks,
            of_stocks,
            tags,
            of_tags,
            labels,
            of_labels,
            records,
            of_records,
            texts,
            of_texts,
            claims,
            of_claims,
            cases,
            of_cases,
            clients,
            workload,
            lasts,
            stream,
            zipf,
        }
    }

    /// The edits of one client, in the order in which it makes them. A tick's are a microsecond apart, each of
    /// another register.
    pub fn edits(&self, client: u32) -> Vec<UserEdit> {
        let workload = self.workload;
        let mut stream = self.stream.member(client.into());
        let mut times: Vec<u64> = (0..workload.ticks).map(|_| stream.below(self.lasts.max(1))).collect();
        times.sort_unstable();
        let mut edits = Vec::with_capacity(times.len() * workload.changed as usize);
        let mut free = Free::of(self.registers);
        for at in times {
            free.all();
            for place in 0..workload.changed {
                let drawn = match &self.zipf {
                    Some(zipf) => zipf.draw(&mut stream),
                    None => stream.below(self.registers.into()) as u32,
                };
                // One that the tick has changed already gives way to the next.
                let register = free.take_from(drawn);
                let amount = 1 + stream.below(workload.most.into()) as i64;
                let negative = workload.decrements && stream.below(2) == 1;
                edits.push(UserEdit {
                    at: at + u64::from(place),
                    register,
                    intent: Intent::Increase(if negative { -amount } else { amount }),
                    fate: Fate::Binding,
                });
            }
        }
        edits.extend(self.of_stocks(client));
        edits.extend(self.of_tags(client));
        edits.extend(self.of_labels(client));
        edits.extend(self.of_records(client));
        edits.extend(self.of_texts(client));
        edits.extend(self.of_claims(client));
        edits.extend(self.of_cases(client));
        edits.sort_by_key(|edit| edit.at);
        edits
    }

    /// What one client wants to do to stocks, of a stream of its own. Where there is one client alone, nobody else receives
    /// rights.
    fn of_stocks(&self, client: u32) -> impl Iterator<Item = UserEdit> {
        let (stocks, first, lasts) = (self.stocks, self.fields.first(DataType::Stock), self.lasts);
        let (mut stream, clients) = (self.of_stocks.member(client.into()), self.clients);
        (0..stocks.edits).map(move |_| {
            let at = stream.below(lasts);
            let register = first + stream.below(stocks.registers.into()) as u32;
            let (kind, units) = (stream.below(100) as u32, 1 + stream.below(stocks.most.into()) as u32);
            let another = (client + 1 + stream.below(u64::from(clients - 1).max(1)) as u32) % clients;
            let intent = match kind {
                kind if kind < stocks.supplies_percent => Intent::Supply(10 * units),
                kind if kind < stocks.supplies_percent + stocks.transfers_percent && clients > 1 => {
                    Intent::Transfer { to: another, units: 10 * units }
                }
                _ => Intent::Take(units),
            };
            UserEdit { at, register, intent, fate: Fate::Binding }
        })
    }

    /// The edits of tags of one client. They have a stream of their own, so that a world has the same counters with tags
    /// and without.
    fn of_tags(&self, client: u32) -> impl Iterator<Item = UserEdit> {
        let (tags, first, lasts) = (self.tags, self.fields.first(DataType::Tags), self.lasts);
        let mut stream = self.of_tags.member(client.into());
        (0..tags.edits).map(move |_| {
            let at = stream.below(lasts);
            let register = first + stream.below(tags.registers.into()) as u32;
            let element = stream.below(tags.elements.into()) as u32;
            let removes = stream.below(100) < tags.removes_percent.into();
            let intent = if removes { Intent::Remove(element) } else { Intent::Insert(element) };
            UserEdit { at, register, intent, fate: Fate::Binding }
        })
    }

    /// The labels that one client writes, of a stream of their own, too. No value is written twice, by nobody: so what a
    /// label shows tells whose write it is.
    fn of_labels(&self, client: u32) -> impl Iterator<Item = UserEdit> {
        let (labels, first, lasts) = (self.labels, self.fields.first(DataType::Label), self.lasts);
        let (mut stream, clients) = (self.of_labels.member(client.into()), u64::from(self.clients));
        (0..u64::from(labels.edits)).map(move |place| {
            let at = stream.below(lasts);
            let register = first + stream.below(labels.registers.into()) as u32;
            let intent = Intent::Write(1 + place * clients + u64::from(client));
            UserEdit { at, register, intent, fate: Fate::Binding }
        })
    }

    /// The claims that one client makes, of a stream of their own. No two are in the name of one value, as with labels.
    fn of_claims(&self, client: u32) -> impl Iterator<Item = UserEdit> {
        let (claims, first, lasts) = (self.claims, self.fields.first(DataType::Claim), self.lasts);
        let (mut stream, clients) = (self.of_claims.member(client.into()), u64::from(self.clients));
        (0..u64::from(claims.edits)).map(move |place| {
            let at = stream.below(lasts);
            let register = first + stream.below(claims.registers.into()) as u32;
            let intent = Intent::Claim(1 + place * clients + u64::from(client));
            UserEdit { at, register, intent, fate: Fate::Binding }
        })
    }

    /// What one client does of cases, of a stream of its own. Two users may do the same item.
    fn of_cases(&self, client: u32) -> impl Iterator<Item = UserEdit> {
        let (cases, first, lasts) = (self.cases, self.fields.first(DataType::Case), self.lasts);
        let mut stream = self.of_cases.member(client.into());
        (0..cases.edits).map(move |_| {
            let at = stream.below(lasts);
            let register = first + stream.below(cases.registers.into()) as u32;
            let item = stream.below(cases.items.into()) as u32;
            let closes = stream.below(100) < cases.closes_percent.into();
            let intent = if closes { Intent::Close } else { Intent::Do(item) };
            UserEdit { at, register, intent, fate: Fate::Binding }
        })
    }

    /// What one client does to records, of a stream of its own. No value is written twice, as with labels: a create takes as
    /// many values as a record has labels.
    fn of_records(&self, client: u32) -> impl Iterator<Item = UserEdit> {
        let (records, first, lasts) = (self.records, self.fields.first(DataType::Record), self.lasts);
        let (mut stream, clients) = (self.of_records.member(client.into()), u64::from(self.clients));
        (0..u64::from(records.edits)).map(move |place| {
            let at = stream.below(lasts);
            let register = first + stream.below(records.registers.into()) as u32;
            let (kind, field) = (stream.below(100) as u32, stream.below(records.labels.into()) as u32);
            let (element, removes) = (stream.below(records.elements.into()) as u32, stream.below(3) == 0);
            let value = 1 + (place * clients + u64::from(client)) * u64::from(records.labels);
            let deletes = records.creates_percent + records.deletes_percent;
            let intent = match kind {
                kind if kind < records.creates_percent => Intent::Create(value),
                kind if kind < deletes => Intent::Delete,
                kind if kind < deletes + records.tags_percent && removes => Intent::Untag(element),
                kind if kind < deletes + records.tags_percent => Intent::Tag(element),
                _ => Intent::Set { field, value },
            };
            UserEdit { at, register, intent, fate: Fate::Binding }
        })
    }
}

/// How long after the one before it a keystroke of a run comes, in microseconds.
const BETWEEN_KEYSTROKES: u64 = 200_000;

/// Where a user types: the text, and what the next letter comes after.
#[derive(Clone, Copy, Default)]
struct Cursor {
    register: u32,
    after: Option<Letter>,
    /// The letter that was typed here last.
    last: Option<Letter>,
    /// Whether the cursor stays in front of what is typed.
    is_backward: bool,
}

impl Users<'_> {
    /// The keystrokes of one client, of a stream of its own. No letter is typed twice, by nobody. Some come after a letter that the
    /// user is not going to be shown: those come at the beginning.
    fn of_texts(&self, client: u32) -> Vec<UserEdit> {
        let Texts { registers, edits, moves_percent, erases_percent } = self.texts;
        let (mut stream, clients) = (self.of_texts.member(client.into()), u64::from(self.clients));
        let first = self.fields.first(DataType::Text);
        let moves: Vec<bool> = (0..edits).map(|place| place == 0 || stream.below(100) < moves_percent.into()).collect();
        let mut times: Vec<u64> =
            moves.iter().filter(|moves| **moves).map(|_| stream.below(self.lasts.max(1))).collect();
        times.sort_unstable();
        let (mut times, mut at, mut cursor) = (times.into_iter(), 0, Cursor::default());
        let mut keystrokes = Vec::with_capacity(edits as usize);
        for (place, moves) in (0..).zip(moves) {
            // One that somebody typed until now, or nothing.
            let mut any_letter = || {
                let drawn = stream.below(1 + place * clients);
                drawn.checked_sub(1).map(Letter::numbered)
            };
            let letter = Letter::numbered(place * clients + u64::from(client));
            let (elsewhere, erased) = (any_letter(), any_letter());
            let (kind, is_own, way) = (stream.below(100), stream.below(2) == 0, stream.below(3));
            at = (at + BETWEEN_KEYSTROKES).min(self.lasts.saturating_sub(1));
            if moves {
                at = times.next().map_or(at, |time| time.max(at));
                let register = first + stream.below(registers.into()) as u32;
                cursor = Cursor { register, after: elsewhere, last: None, is_backward: way == 0 };
            }
            let erased = if is_own { cursor.last } else { erased };
            let intent = match erased.filter(|_| kind < erases_percent.into()) {
                Some(erased) => Intent::Erase(erased),
                None => Intent::Type { after: cursor.after, letter },
            };
            if let Intent::Type { letter, .. } = intent {
                cursor.last = Some(letter);
                cursor.after = if cursor.is_backward { cursor.after } else { Some(letter) };
            }
            keystrokes.push(UserEdit { at, register: cursor.register, intent, fate: Fate::Binding });
        }
        keystrokes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::offline::MOST_REGISTERS;
    use crate::domain::seed::Seed;
    use crate::domain::trial::Trial;
    use crate::scenario::shipped;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn users_of_a_skewed_world_edit_as_skewed_and_a_tick_changes_a_register_once() {
        let Trial::Offline(trial) = shipped::find("shop-inventory").expect("it is shipped").expect("it is sound").trial
        else {
            panic!("it is a world")
        };
        let even =
            OfflineTrial { workload: Workload { zipf_hundredths: None, ..trial.workload.clone() }, ..*trial.clone() };
        let changed = trial.workload.changed as usize;
        let of_first = |trial: &OfflineTrial| {
            let users = Users::of(trial);
            let edits: Vec<UserEdit> = (0..trial.clients).flat_map(|client| users.edits(client)).collect();
            assert!(edits.iter().any(|edit| edit.amount() > 0) && edits.iter().any(|edit| edit.amount() < 0));
            assert!(edits.iter().all(|edit| (1..=trial.workload.most.into()).contains(&edit.amount().unsigned_abs())));
            let tenth = trial.registers / 10;
            edits.iter().filter(|edit| edit.register < tenth).count() * 100 / edits.len()
        };
        let (skewed, even) = (of_first(&trial), of_first(&even));
        assert!(skewed > 35 && (5..15).contains(&even), "{skewed} % and {even} % in the first tenth");
        for client in 0..trial.clients {
            for tick in Users::of(&trial).edits(client).chunk_by(|one, other| other.at - one.at == 1) {
                let registers: BTreeSet<u32> = tick.iter().map(|edit| edit.register).collect();
                assert_eq!((tick.len() % changed, registers.len()), (0, tick.len()), "{tick:?}");
            }
        }
    }

    #[test]
    fn drawn_records_are_edited_in_every_way_and_no_value_is_written_twice() {
        let records = Records { registers: 3, labels: 3, elements: 4, edits: 200, ..Records::default() };
        let presence = crate::domain::offline::Presence { lasts_s: 1000, away_s: (1, 9), here_s: (1, 9) };
        let trial = OfflineTrial { registers: 0, records, presence, ..OfflineTrial::of(Seed::new(7), 4) };
        let users = Users::of(&trial);
        let edits: Vec<UserEdit> = (0..4).flat_map(|client| users.edits(client)).collect();
        assert_eq!(edits.len(), 800);
        let fields = trial.fields();
        assert!(edits.iter().all(|edit| fields.allow(edit.register, edit.intent)));
        let values = edits.iter().flat_map(|edit| match edit.intent {
            Intent::Create(value) => (0..3).map(|field| value + field).collect(),
            Intent::Set { value, .. } => vec![value],
            _ => Vec::new(),
        });
        let values: Vec<u64> = values.collect();
        assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), values.len());
        let of = |is: fn(&Intent) -> bool| edits.iter().filter(|edit| is(&edit.intent)).count();
        let counts = [
            of(|intent| matches!(intent, Intent::Create(_))),
            of(|intent| *intent == Intent::Delete),
            of(|intent| matches!(intent, Intent::Set { .. })),
            of(|intent| matches!(intent, Intent::Tag(_))),
            of(|intent| matches!(intent, Intent::Untag(_))),
        ];
        assert!(counts.iter().all(|&count| count >= 30), "{counts:?}");
    }

    #[test]
    fn drawn_users_type_in_runs_move_erase_and_type_no_letter_twice() {
        let texts = Texts { registers: 2, edits: 200, ..Texts::default() };
        let presence = crate::domain::offline::Presence { lasts_s: 1000, away_s: (1, 9), here_s: (1, 9) };
        let trial = OfflineTrial { registers: 0, texts, presence, ..OfflineTrial::of(Seed::new(7), 4) };
        let users = Users::of(&trial);
        let of_client: Vec<Vec<UserEdit>> = (0..4).map(|client| users.edits(client)).collect();
        let edits: Vec<UserEdit> = of_client.iter().flatten().copied().collect();
        let fields = trial.fields();
        assert_eq!(edits.len(), 800);
        assert!(edits.iter().all(|edit| fields.allow(edit.register, edit.intent) && edit.at < 1_000_000_000));
        let typed: Vec<Letter> = edits
            .iter()
            .filter_map(|edit| match edit.intent {
                Intent::Type { letter, .. } => Some(letter),
                _ => None,
            })
            .collect();
        assert_eq!(typed.iter().collect::<BTreeSet<_>>().len(), typed.len());
        assert!((600..760).contains(&typed.len()), "{}", typed.len());
        let is_after = |pair: &&[UserEdit], is_forward: bool| match (pair[0].intent, pair[1].intent) {
            (Intent::Type { after: before, letter }, Intent::Type { after, .. }) => {
                after == if is_forward { Some(letter) } else { before }
            }
            _ => false,
        };
        let pairs = || of_client.iter().flat_map(|edits| edits.windows(2));
        let [forward, backward] = [true, false].map(|way| pairs().filter(|pair| is_after(pair, way)).count());
        assert!(forward > 200 && backward > 80, "{forward} forward, {backward} backward");
    }

    /// The same world, asked one register after the other for one that is free.
    fn probed_plainly(users: &Users<'_>, client: u32) -> Vec<UserEdit> {
        let Users { registers, workload, lasts, .. } = *users;
        let mut stream = users.stream.member(client.into());
        let mut times: Vec<u64> = (0..workload.ticks).map(|_| stream.below(lasts)).collect();
        times.sort_unstable();
        let mut edits = Vec::new();
        for tick in times {
            let mut changed = BTreeSet::new();
            for place in 0..workload.changed {
                let mut register = match &users.zipf {
                    Some(zipf) => zipf.draw(&mut stream),
                    None => stream.below(registers.into()) as u32,
                };
                while !changed.insert(register) {
                    register = (register + 1) % registers;
                }
                let amount = 1 + stream.below(workload.most.into()) as i64;
                let amount = if workload.decrements && stream.below(2) == 1 { -amount } else { amount };
                edits.push(UserEdit {
                    at: tick + u64::from(place),
                    register,
                    intent: Intent::Increase(amount),
                    fate: Fate::Binding,
                });
            }
        }
        edits.sort_by_key(|edit| edit.at);
        edits
    }

    fn world(registers: u32, workload: Workload) -> OfflineTrial {
        let Trial::Offline(trial) = shipped::find("field-tally").expect("it is shipped").expect("it is sound").trial
        else {
            panic!("it is a world")
        };
        OfflineTrial { registers, workload, ..*trial }
    }

    proptest! {
        #[test]
        fn a_tick_takes_the_registers_that_probing_one_by_one_would_take(
            registers in 1..70u32,
            share in 0..100u32,
            ticks in 0..5u32,
            zipf_hundredths in proptest::option::of(1..1000u32),
            seed: u64,
        ) {
            let changed = 1 + share * registers / 100;
            let workload = Workload { ticks, changed, most: 3, decrements: true, zipf_hundredths };
            let trial = OfflineTrial { seed: Seed::new(seed), ..world(registers, workload) };
            let users = Users::of(&trial);
            for client in 0..2 {
                prop_assert_eq!(users.edits(client), probed_plainly(&users, client));
            }
        }
    }

    #[test]
    fn a_tick_that_changes_all_of_a_million_registers_under_the_steepest_skew_is_drawn_in_no_time() {
        let all = MOST_REGISTERS;
        let workload = Workload { ticks: 1, changed: all, most: 3, decrements: true, zipf_hundredths: Some(1000) };
        let trial = world(all, workload);
        let mut registers: Vec<u32> = Users::of(&trial).edits(0).iter().map(|edit| edit.register).collect();
        registers.sort_unstable();
        assert!(registers.into_iter().eq(0..all));
    }

    #[test]
    fn zipf_draws_follow_the_law() {
        let zipf = Zipf::new(100, 1.0);
        let mut stream = Seed::new(7).stream("zipf");
        let mut counts = [0u32; 100];
        for _ in 0..100_000 {
            counts[zipf.draw(&mut stream) as usize] += 1;
        }
        // The harmonic number of 100 is 5.187: the first register gets 19.3 %, the tenth a tenth of that.
        assert!((18_500..20_100).contains(&counts[0]), "{}", counts[0]);
        assert!((1_700..2_200).contains(&counts[9]), "{}", counts[9]);
    }
}
