//! Whether an algebra keeps the laws that it may claim.
//!
//! At 8 bits every case is tried. At 64 bits random cases are, drawn from a mixture in which the words that matter are
//! frequent, and every combination of a few chosen words. A contradiction is given as its smallest known witness.

use crate::domain::algebra::{Carrier, Entry, Inverse, Reading, Word};
use crate::domain::execution::LawCase;
use crate::domain::law::{Extent, Law, LawTrial, Term, WidthTrial, Witness};
use crate::domain::seed::{Seed, Stream};
use crate::domain::subject::SubjectError;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Watch;

/// So many random cases pass between two looks at the watch.
const ADVANCE: u64 = 4096;

/// At most so many cases are tried to make a random contradiction smaller.
const MOST_REPLAYS: u32 = 10_000;

/// Tries one law of one algebra at both widths, with so many random cases at 64 bits.
///
/// The cases of a law are the same for every algebra, so that a new algebra changes nothing about the others.
///
/// # Errors
/// If the watch asks to stop.
pub fn try_law(
    entry: &Entry,
    law: Law,
    seed: Seed,
    tries: u64,
    watch: &mut dyn Watch,
) -> Result<LawTrial, SubjectError> {
    let at_8_bits = exhaustive(&entry.at_8, law, entry.sign);
    let at_64_bits = sampled(&entry.at_64, law, entry.sign, seed, tries, watch)?;
    let by = match law {
        Law::Identity => entry.at_64.identity.map(|word| word.number(entry.at_64.reading).decimal()),
        Law::Inverse => entry.at_64.inverse.map(|inverse| inverse.form.to_owned()),
        _ => None,
    };
    // What could not be tried at 64 bits leaves a law that holds at 8 inconclusive.
    let verdict = Verdict::of_set([at_8_bits.verdict, at_64_bits.verdict]);
    let claimed = entry.claims.contains(&law);
    Ok(LawTrial { algebra: entry.name.to_owned(), law, claimed, by, verdict, at_8_bits, at_64_bits })
}

/// Tries a law of an algebra by the words of a case; the contradiction, if there is one.
///
/// # Errors
/// If the algebra declares no identity or inverse of that width, which the law is about.
pub fn try_words(entry: &Entry, case: &LawCase) -> Result<Option<Witness>, String> {
    fn of<W: Word>(carrier: &Carrier<W>, law: Law, words: Vec<W>, sign: &str) -> Result<Option<Witness>, String> {
        let parts = Parts { merge: carrier.merge, identity: carrier.identity, inverse: carrier.inverse };
        let lacks = match law {
            Law::Identity | Law::Inverse if parts.identity.is_none() => Some("identity"),
            Law::Inverse if parts.inverse.is_none() => Some("inverse"),
            _ => None,
        };
        if let Some(lacks) = lacks {
            return Err(format!("it declares no {lacks}; words=all with bits=8 tries all words"));
        }
        let operand = |place: usize| *words.get(place).unwrap_or(&words[0]);
        let case = [0, 1, 2].map(|place| operand(place).canonical(carrier.reading));
        let is_contradiction = parts.contradiction(law, case).is_some();
        Ok(is_contradiction.then(|| witness(&parts, law, case, carrier.reading, sign, "as in the case".to_owned())))
    }
    let LawCase { law, bits, words } = case;
    match (bits, &words[..]) {
        (8, []) => Ok(exhaustive(&entry.at_8, *law, entry.sign).witness),
        (8, words) => of(&entry.at_8, *law, words.iter().map(|&word| word as u8).collect(), entry.sign),
        _ => of(&entry.at_64, *law, words.clone(), entry.sign),
    }
}

/// The two sides of an equation that are not equal.
struct Unequal<W> {
    forms: (&'static str, &'static str),
    left: W,
    right: W,
}

/// What the equations of a law are made of.
struct Parts<W, M> {
    merge: M,
    identity: Option<W>,
    inverse: Option<Inverse<W>>,
}

impl<W: Word, M: Fn(W, W) -> W> Parts<W, M> {
    /// The first equation of the law that these words contradict. A law of a word or function that is not declared has
    /// no equation.
    #[inline]
    fn contradiction(&self, law: Law, [a, b, c]: [W; 3]) -> Option<Unequal<W>> {
        let of = &self.merge;
        let unequal = |forms, left, right| (left != right).then_some(Unequal { forms, left, right });
        match law {
            Law::Commutative => unequal(("a ∘ b", "b ∘ a"), of(a, b), of(b, a)),
            Law::Associative => unequal(("(a ∘ b) ∘ c", "a ∘ (b ∘ c)"), of(of(a, b), c), of(a, of(b, c))),
            Law::Idempotent => unequal(("a ∘ a", "a"), of(a, a), a),
            Law::Identity => {
                let e = self.identity?;
                unequal(("a ∘ e", "a"), of(a, e), a).or_else(|| unequal(("e ∘ a", "a"), of(e, a), a))
            }
            Law::Inverse => {
                let (e, b) = (self.identity?, (self.inverse?.of)(a));
                unequal(("a ∘ b", "e"), of(a, b), e).or_else(|| unequal(("b ∘ a", "e"), of(b, a), e))
            }
        }
    }
}

/// Every case of the law over the words of 8 bits that are canonical.
fn exhaustive(carrier: &Carrier<u8>, law: Law, sign: &str) -> WidthTrial {
    let words = simplest_first((0..=u8::MAX).filter(|&word| word.canonical(carrier.reading) == word), carrier.reading);
    // A table of all 65536 merges, since a triple has four of them and there are 16777216 triples.
    let table: Vec<u8> = (0..=u16::MAX).map(|pair| (carrier.merge)((pair >> 8) as u8, pair as u8)).collect();
    let merge = |state: u8, delta: u8| table[usize::from(state) << 8 | usize::from(delta)];
    let parts = Parts { merge, identity: carrier.identity, inverse: carrier.inverse };
    match law {
        Law::Identity if parts.identity.is_none() => return some_identity(&parts, &words, carrier.reading, sign),
        Law::Inverse if parts.identity.is_none() || parts.inverse.is_none() => {
            return some_inverse(&parts, &words, carrier.reading, sign);
        }
        _ => {}
    }
    let (cases, contradictions, smallest) = all_cases(&parts, law, &words);
    let size = match contradictions {
        1 => format!("the only contradiction among {cases} cases"),
        _ => format!("the smallest of all {contradictions} contradictions among {cases} cases"),
    };
    WidthTrial {
        verdict: if contradictions == 0 { Verdict::Holds } else { Verdict::Falsified },
        extent: Extent::Exhaustive { cases, contradictions },
        witness: smallest.map(|case| witness(&parts, law, case, carrier.reading, sign, size)),
    }
}

/// The words with those first that are easiest to read.
fn simplest_first<W: Word>(words: impl IntoIterator<Item = W>, reading: Reading) -> Vec<W> {
    let mut words: Vec<W> = words.into_iter().collect();
    words.sort_by_key(|word| word.number(reading).simplicity());
    words
}

/// Tries all combinations of these words: how many there are, how many contradict the law, and the smallest of those,
/// which is the one whose least simple word comes first in `words`, then the one that is simpler as a whole.
fn all_cases<W: Word, M: Fn(W, W) -> W>(parts: &Parts<W, M>, law: Law, words: &[W]) -> (u64, u64, Option<[W; 3]>) {
    let places = |used: bool| 0..if used { words.len() } else { 1 };
    let operands = law.operands();
    let (mut contradictions, mut smallest) = (0u64, None);
    for i in 0..words.len() {
        for j in places(operands > 1) {
            for k in places(operands > 2) {
                let case = [words[i], words[j], words[k]];
                if parts.contradiction(law, case).is_some() {
                    contradictions += 1;
                    let size = (i.max(j).max(k), i + j + k, i, j);
                    if smallest.is_none_or(|(least, _)| size < least) {
                        smallest = Some((size, case));
                    }
                }
            }
        }
    }
    ((words.len() as u64).pow(operands as u32), contradictions, smallest.map(|(_, case)| case))
}

/// Whether any word is an identity, where none is declared: a case is a word that might be one.
fn some_identity<M: Fn(u8, u8) -> u8>(parts: &Parts<u8, M>, words: &[u8], reading: Reading, sign: &str) -> WidthTrial {
    let cases = words.len() as u64;
    let refuted = |e: u8| {
        let candidate = Parts { merge: &parts.merge, identity: Some(e), inverse: None };
        words.iter().find_map(|&a| Some((a, candidate.contradiction(Law::Identity, [a, a, a])?)))
    };
    let refutations: Vec<(u8, u8, Unequal<u8>)> =
        words.iter().filter_map(|&e| refuted(e).map(|(a, unequal)| (e, a, unequal))).collect();
    let extent = Extent::Exhaustive { cases, contradictions: refutations.len() as u64 };
    match refutations.into_iter().next() {
        Some((e, a, unequal)) if extent == (Extent::Exhaustive { cases, contradictions: cases }) => {
            let sides = sides(&unequal, reading, sign);
            let operands = vec![term("e", e, reading), term("a", a, reading)];
            let sentence =
                format!("no word is an identity; for e = {}, {}", decimal(e, reading), in_words(&operands, &sides));
            let size = format!("each of the {cases} words was refuted as an identity");
            let witness = Some(Witness { operands, sides, sentence, size });
            WidthTrial { verdict: Verdict::Falsified, extent, witness }
        }
        _ => WidthTrial { verdict: Verdict::Holds, extent, witness: None },
    }
}

/// Whether every word has some inverse, where no function is declared: a case is a pair of words.
fn some_inverse<M: Fn(u8, u8) -> u8>(parts: &Parts<u8, M>, words: &[u8], reading: Reading, sign: &str) -> WidthTrial {
    let Some(e) = parts.identity else {
        let sentence = "without an identity there is nothing for an inverse to come back to".to_owned();
        let size = "it follows from the verdict on the identity".to_owned();
        let witness = Some(Witness { operands: Vec::new(), sides: Vec::new(), sentence, size });
        let extent = Extent::Exhaustive { cases: 0, contradictions: 0 };
        return WidthTrial { verdict: Verdict::Falsified, extent, witness };
    };
    let undone = |a: u8| words.iter().any(|&b| (parts.merge)(a, b) == e && (parts.merge)(b, a) == e);
    let stuck: Vec<u8> = words.iter().copied().filter(|&a| !undone(a)).collect();
    let cases = (words.len() as u64).pow(2);
    let contradictions = stuck.len() as u64;
    let witness = stuck.first().map(|&a| {
        let (a_text, e_text) = (decimal(a, reading), decimal(e, reading));
        Witness {
            operands: vec![term("a", a, reading)],
            sides: Vec::new(),
            sentence: format!("no word b gives {a_text} {sign} b = {e_text} and b {sign} {a_text} = {e_text}"),
            size: format!("the smallest of {contradictions} words that nothing undoes, by all {cases} pairs"),
        }
    });
    let verdict = if witness.is_some() { Verdict::Falsified } else { Verdict::Holds };
    WidthTrial { verdict, extent: Extent::Exhaustive { cases, contradictions }, witness }
}

/// Random cases of the law over the words of 64 bits, and all combinations of chosen ones.
fn sampled(
    carrier: &Carrier<u64>,
    law: Law,
    sign: &str,
    seed: Seed,
    tries: u64,
    watch: &mut dyn Watch,
) -> Result<WidthTrial, SubjectError> {
    let reading = carrier.reading;
    let parts = Parts { merge: carrier.merge, identity: carrier.identity, inverse: carrier.inverse };
    let declared = match law {
        Law::Identity => parts.identity.is_some(),
        Law::Inverse => parts.identity.is_some() && parts.inverse.is_some(),
        _ => true,
    };
    if !declared {
        return Ok(WidthTrial { verdict: Verdict::Inconclusive, extent: Extent::Nothing, witness: None });
    }
    let chosen = simplest_first(chosen(reading), reading);
    let mut stream = seed.stream("laws").member(law as u64);
    let (mut tried, mut found) = (0, None);
    while tried < tries && found.is_none() {
        let mut case = [0; 3];
        case[..law.operands()].fill_with(|| draw(&mut stream, &chosen, reading));
        tried += 1;
        found = parts.contradiction(law, case).map(|_| case);
        if tried % ADVANCE == 0 {
            watch.advance(ADVANCE);
            if watch.stop_requested() {
                return Err(SubjectError::Interrupted);
            }
        }
    }
    let at = tried;
    let (combinations, _, smallest) = all_cases(&parts, law, &chosen);
    let extent = Extent::Sampled { tries: tried, asked: tries, chosen: combinations };
    let found_by = match found {
        Some(_) => format!("found by random case {at}"),
        None => format!("missed by {at} random cases"),
    };
    let witness = match (smallest, found) {
        (Some(case), _) => {
            let size =
                format!("{found_by}; the smallest of all {combinations} combinations of {} chosen words", chosen.len());
            Some(witness(&parts, law, case, reading, sign, size))
        }
        (None, Some(case)) => {
            let (case, replays) = smaller(&parts, law, case, &chosen, reading);
            let size = format!("{found_by}; made smaller in {replays} replays, not proved minimal");
            Some(witness(&parts, law, case, reading, sign, size))
        }
        (None, None) => None,
    };
    let verdict = if witness.is_some() { Verdict::Falsified } else { Verdict::Holds };
    Ok(WidthTrial { verdict, extent, witness })
}

/// The words of 64 bits whose combinations are all tried: those at which a merge is most likely to bend.
fn chosen(reading: Reading) -> Vec<u64> {
    const TWO_TO_53: f64 = 9_007_199_254_740_992.0;
    match reading {
        Reading::Unsigned => vec![0, 1, 2, 3, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX - 2, u64::MAX - 1, u64::MAX],
        Reading::Signed => [0, 1, -1, 2, -2, 1 << 32, i64::MAX - 1, i64::MAX, i64::MIN + 1, i64::MIN]
            .map(|number: i64| number as u64)
            .to_vec(),
        Reading::Float => {
            let finite = [0.0, 1.0, 2.0, 0.5, 0.1, TWO_TO_53, 1.0 / TWO_TO_53, 5e-324, f64::MIN_POSITIVE, f64::MAX];
            let both = finite.into_iter().chain([f64::INFINITY]).flat_map(|number| [number, -number]);
            let words = both.chain([f64::NAN]).map(|number| number.to_bits().canonical(reading));
            let mut words: Vec<u64> = words.collect();
            words.sort_unstable();
            words.dedup();
            words
        }
    }
}

/// A random word: a chosen one, one at a power of two, a small one, a large one, any one, or one of a random size, each
/// as often as the others.
fn draw(stream: &mut Stream, chosen: &[u64], reading: Reading) -> u64 {
    let kind = stream.below(6);
    let word = match (kind, reading) {
        (0, _) => chosen[stream.below(chosen.len() as u64) as usize],
        (4, _) => stream.word(),
        (1, Reading::Float) => power_of_two(stream.below(257) as i32 - 128, stream.below(2) == 1),
        (2, Reading::Float) => (stream.below(16) as f64).to_bits(),
        (3, Reading::Float) => (-(stream.below(16) as f64)).to_bits(),
        (_, Reading::Float) => {
            // A random significand under a small exponent: numbers that meet each other when they are added.
            let fraction = stream.word() >> 12;
            power_of_two(stream.below(33) as i32 - 16, stream.below(2) == 1) | fraction
        }
        (1, _) => (1u64 << stream.below(64)).wrapping_add(stream.below(3)).wrapping_sub(1),
        (2, _) => stream.below(16),
        (3, _) => u64::MAX - stream.below(16),
        (_, _) => {
            let word = stream.word();
            word >> stream.below(64)
        }
    };
    word.canonical(reading)
}

/// The bits of 2 to this power, or of its negative.
fn power_of_two(power: i32, negative: bool) -> u64 {
    u64::from(negative) << 63 | ((1023 + power) as u64) << 52
}

/// A smaller case that contradicts the law still: one word after the other is replaced by a simpler one while that
/// changes nothing about the contradiction. Also how many cases were tried.
fn smaller<M: Fn(u64, u64) -> u64>(
    parts: &Parts<u64, M>,
    law: Law,
    case: [u64; 3],
    chosen: &[u64],
    reading: Reading,
) -> ([u64; 3], u32) {
    let simplicity = |word: u64| word.number(reading).simplicity();
    let (mut found, mut replays) = (case, 0);
    'again: loop {
        for place in 0..law.operands() {
            let word = found[place];
            // Large steps before small ones: what must stay is mostly the high bits, or only a few of the low ones.
            let steps = (0..u64::BITS).rev().flat_map(|bit| [word.wrapping_sub(1 << bit), word.wrapping_add(1 << bit)]);
            let near = [word >> 1, word & word.wrapping_sub(1)].into_iter().chain(steps);
            for candidate in chosen.iter().copied().chain(near.map(|word| word.canonical(reading))) {
                if simplicity(candidate) >= simplicity(word) {
                    continue;
                }
                if replays == MOST_REPLAYS {
                    return (found, replays);
                }
                let mut case = found;
                case[place] = candidate;
                replays += 1;
                if parts.contradiction(law, case).is_some() {
                    found = case;
                    continue 'again;
                }
            }
        }
        return (found, replays);
    }
}

/// The witness of a case that contradicts the law.
fn witness<W: Word, M: Fn(W, W) -> W>(
    parts: &Parts<W, M>,
    law: Law,
    case: [W; 3],
    reading: Reading,
    sign: &str,
    size: String,
) -> Witness {
    let unequal = parts.contradiction(law, case).expect("the case was found by its contradiction");
    let names = ["a", "b", "c"];
    let mut operands: Vec<Term> =
        names.iter().zip(case).take(law.operands()).map(|(name, word)| term(name, word, reading)).collect();
    if law == Law::Inverse {
        operands.extend(parts.inverse.map(|inverse| term("b", (inverse.of)(case[0]), reading)));
    }
    if matches!(law, Law::Identity | Law::Inverse) {
        operands.extend(parts.identity.map(|word| term("e", word, reading)));
    }
    let sides = sides(&unequal, reading, sign);
    let sentence = in_words(&operands, &sides);
    Witness { operands, sides, sentence, size }
}

fn sides<W: Word>(unequal: &Unequal<W>, reading: Reading, sign: &str) -> Vec<Term> {
    let side = |form: &str, word: W| term(&form.replace('∘', sign), word, reading);
    vec![side(unequal.forms.0, unequal.left), side(unequal.forms.1, unequal.right)]
}

fn term<W: Word>(form: &str, word: W, reading: Reading) -> Term {
    Term { form: form.to_owned(), word: word.hex(), decimal: decimal(word, reading) }
}

fn decimal<W: Word>(word: W, reading: Reading) -> String {
    word.number(reading).decimal()
}

/// "(1.0 + 2.0) + 3.0 = 6.0, but …": both sides with the numbers in the place of their names.
fn in_words(operands: &[Term], sides: &[Term]) -> String {
    let with_numbers = |form: &str| {
        let letter = |c: char| operands.iter().find(|operand| operand.form == c.to_string());
        let words = form.split(' ').map(|word| {
            // A sign that is a word, such as max, has letters that are no operands.
            let bare: &str = word.trim_matches(['(', ')']);
            let mut characters = bare.chars();
            match (characters.next().and_then(letter), characters.next()) {
                (Some(operand), None) if operand.decimal.starts_with('-') => {
                    word.replace(bare, &format!("({})", operand.decimal))
                }
                (Some(operand), None) => word.replace(bare, &operand.decimal),
                _ => word.to_owned(),
            }
        });
        words.collect::<Vec<String>>().join(" ")
    };
    let told: Vec<String> = sides
        .iter()
        .map(|side| match with_numbers(&side.form) {
            form if form.contains(' ') => format!("{form} = {}", side.decimal),
            _ => side.decimal.clone(),
        })
        .collect();
    match &told[..] {
        [left, right] if right.contains(" = ") => format!("{left}, but {right}"),
        [left, right] => format!("{left}, and not {right}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
