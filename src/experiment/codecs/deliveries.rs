//! One codec: the bytes of its messages, and what a receiver makes of them as they arrive.

use crate::codec::{Codec, Needs, Receiver, Tick};
use crate::domain::codecs::{Claims, CodecsTrial};
use crate::domain::evidence::Evidence;
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;
use crate::experiment::codecs::HISTORIES;
use crate::experiment::codecs::ticks::{History, TICKS, Width};
use crate::report::codecs_record::{CodecRow, Of, Sizes, Wrong, WrongRegisters};

/// What happens to the messages of a history: each is made where the receiver is asked, and arrives later, or never.
#[derive(Clone, Copy)]
enum Step {
    Made(usize),
    Arrives(usize),
}

const EXACT: [Step; 6] = {
    use Step::{Arrives, Made};
    [Made(0), Arrives(0), Made(1), Arrives(1), Made(2), Arrives(2)]
};

const REPEATED: [Step; 9] = {
    use Step::{Arrives, Made};
    [Made(0), Arrives(0), Arrives(0), Made(1), Arrives(1), Arrives(1), Made(2), Arrives(2), Arrives(2)]
};

const REORDERED: [Step; 6] = {
    use Step::{Arrives, Made};
    [Made(0), Made(1), Arrives(1), Arrives(0), Made(2), Arrives(2)]
};

const LOST: [Step; 5] = {
    use Step::{Arrives, Made};
    [Made(0), Arrives(0), Made(1), Made(2), Arrives(2)]
};

/// What a codec claims of how messages arrive, by what a receiver must have for it.
fn claims_of(needs: Needs) -> Claims {
    match needs {
        Needs::Sequences => Claims::Sequences,
        Needs::OldState => Claims::Refusal,
        Needs::Nothing | Needs::Registers | Needs::NotSent => Claims::Nothing,
    }
}

/// The row of a codec.
pub fn row(codec: &dyn Codec, trial: &CodecsTrial, watch: &mut dyn Watch) -> Result<CodecRow, SubjectError> {
    let (narrow, narrow_wrong) = sizes(codec, trial, Width::Narrow, watch)?;
    let (wide, wide_wrong) = sizes(codec, trial, Width::Wide, watch)?;
    let decodable = codec.needs() != Needs::NotSent;
    let wrong = decodable.then(|| {
        let mut wrong = WrongRegisters { exact: worse(narrow_wrong, wide_wrong), ..WrongRegisters::default() };
        for number in 0..HISTORIES.min(trial.ticks) {
            let history = History::drawn(trial, Width::Narrow, number.into());
            wrong.exact = worse(wrong.exact, by(codec, &history, &EXACT));
            wrong.repeated = worse(wrong.repeated, by(codec, &history, &REPEATED));
            wrong.reordered = worse(wrong.reordered, by(codec, &history, &REORDERED));
            wrong.lost = worse(wrong.lost, by(codec, &history, &LOST));
            wrong.two_writers = worse(wrong.two_writers, by_two(codec, &history));
        }
        wrong
    });
    Ok(CodecRow {
        name: codec.name().to_owned(),
        of: Of::Codec,
        about: codec.about().to_owned(),
        evidence: Evidence::Software,
        needs: codec.needs().told().to_owned(),
        decodable,
        claims: claims_of(codec.needs()),
        ticks: trial.ticks,
        histories: HISTORIES.min(trial.ticks),
        narrow,
        wide: Some(wide),
        wrong,
        failed: None,
        verdict: Verdict::Inconclusive,
    })
}

/// The worse of two deliveries, in each way.
pub fn worse(one: Wrong, other: Wrong) -> Wrong {
    Wrong {
        registers: one.registers.max(other.registers),
        silent: one.silent.max(other.silent),
        lost: one.lost.max(other.lost),
        resurrected: one.resurrected.max(other.resurrected),
    }
}

/// The bytes of the first messages of all histories, and what arrives of each.
fn sizes(
    codec: &dyn Codec,
    trial: &CodecsTrial,
    width: Width,
    watch: &mut dyn Watch,
) -> Result<(Sizes, Wrong), SubjectError> {
    let mut lengths = Vec::new();
    let mut wrong = Wrong::default();
    for number in 0..trial.ticks {
        if number % 64 == 0 && watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        let history = History::drawn(trial, width, number.into());
        let (message, asked) = made(codec, &history, 0, &history.states[0]);
        lengths.push((message.len() + asked) as u64);
        let mut receiver = receiver_of(&history);
        let refused = codec.receive(&mut receiver, &message).is_err();
        wrong = worse(wrong, wrong_in(&receiver, &history.states[1], refused));
    }
    Ok((sizes_of(lengths), wrong))
}

/// What these lengths are like.
pub fn sizes_of(mut lengths: Vec<u64>) -> Sizes {
    lengths.sort_unstable();
    let at = |place: usize| lengths.get(place).copied().unwrap_or(0);
    let last = lengths.len().saturating_sub(1);
    Sizes { smallest: at(0), median: at(last / 2), largest: at(last), connection: None }
}

/// The receiver before a history: it has taken all ticks before the first, of both replicas.
fn receiver_of(history: &History) -> Receiver {
    let mut receiver = Receiver::with(&history.states[0]);
    let before = history.sequence - 1;
    if before > 0 {
        for from in [history.from, history.other] {
            receiver.takes(from, 1, before).expect("it took nothing before");
        }
    }
    receiver
}

/// The message of a tick of a history, to a receiver with these registers; and the bytes with which it asked.
fn made(codec: &dyn Codec, history: &History, tick: usize, registers: &[i64]) -> (Vec<u8>, usize) {
    let asked = codec.asks(registers);
    let (old, new) = (&history.states[tick], &history.states[tick + 1]);
    let sequence = history.sequence + tick as u64;
    (codec.encode(&Tick { from: history.from, sequence, old, new }, &asked), asked.len())
}

fn by(codec: &dyn Codec, history: &History, steps: &[Step]) -> Wrong {
    let mut receiver = receiver_of(history);
    let mut messages = vec![Vec::new(); TICKS];
    let mut refused = false;
    for &step in steps {
        match step {
            Step::Made(tick) => messages[tick] = made(codec, history, tick, &receiver.registers).0,
            Step::Arrives(tick) => refused |= codec.receive(&mut receiver, &messages[tick]).is_err(),
        }
    }
    wrong_in(&receiver, &history.states[TICKS], refused)
}

/// Two replicas change registers at the same time; both messages arrive.
fn by_two(codec: &dyn Codec, history: &History) -> Wrong {
    let mut receiver = receiver_of(history);
    let (old, first) = (&history.states[0], made(codec, history, 0, &history.states[0]).0);
    let other = Tick { from: history.other, sequence: history.sequence, old, new: &history.of_other };
    let second = codec.encode(&other, &codec.asks(old));
    let refused = [first, second].iter().filter(|message| codec.receive(&mut receiver, message).is_err()).count() > 0;
    let both = history.states[1].iter().zip(&history.of_other).zip(old);
    let due: Vec<i64> = both.map(|((one, other), old)| one.wrapping_add(other.wrapping_sub(*old))).collect();
    wrong_in(&receiver, &due, refused)
}

fn wrong_in(receiver: &Receiver, due: &[i64], refused: bool) -> Wrong {
    let registers = receiver.registers.iter().zip(due).filter(|(got, due)| got != due).count() as u32;
    Wrong { registers, silent: if refused || receiver.has_gaps() { 0 } else { registers }, ..Wrong::default() }
}

/// A control: the registers that are wrong where the sender has other registers than are due.
pub fn planted(codec: &dyn Codec, history: &History, sent: &[i64]) -> Wrong {
    let mut receiver = receiver_of(history);
    let (old, sequence) = (&history.states[0], history.sequence);
    let message = codec.encode(&Tick { from: history.from, sequence, old, new: sent }, &codec.asks(old));
    let refused = codec.receive(&mut receiver, &message).is_err();
    wrong_in(&receiver, &history.states[1], refused)
}
