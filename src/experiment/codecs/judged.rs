//! What the judge says of a row: its bytes against the bound, and what a receiver has against what the row claims.

use std::collections::BTreeMap;

use crate::domain::codecs::{Arrival, Claims};
use crate::domain::count::counted;
use crate::domain::fault::FaultClass;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::verdict::Verdict;
use crate::experiment::codecs::name_of;
use crate::experiment::codecs::section::share;
use crate::report::codecs_record::{CodecRow, CodecsRecord, Of, Standing, Wrong};
use crate::report::record::{Check, Part};

/// A row is falsified where a receiver has other registers than the row claims, or where it takes fewer bytes than the
/// information bound: on average no message can, so that something is not counted. An engine that loses something beyond its
/// claims cannot be told to hold. A codec can: it has no transport, which is another's to bring.
pub(super) fn verdict(row: &CodecRow, section: &CodecsRecord) -> Verdict {
    if row.wrong.is_none() || under_bound(row, section).is_some() || wrong(row, Standing::Contradicts).next().is_some()
    {
        return Verdict::Falsified;
    }
    let loses = row.of == Of::Engine && wrong(row, Standing::Beyond).next().is_some();
    if loses { Verdict::Inconclusive } else { Verdict::Holds }
}

/// What is wrong and stands so against the claims.
fn wrong(row: &CodecRow, standing: Standing) -> impl Iterator<Item = (Arrival, Wrong)> {
    let all = row.wrong.iter().flat_map(|wrong| wrong.by_arrival());
    all.filter(move |&(arrival, wrong)| wrong.standing(row.claims, arrival) == standing)
}

/// The same in words, if anything is.
fn told(row: &CodecRow, standing: Standing, registers: u32) -> Option<String> {
    let all: Vec<String> = wrong(row, standing).map(|(arrival, wrong)| in_words(arrival, wrong, registers)).collect();
    Some(all.join("; ")).filter(|told| !told.is_empty())
}

fn in_words(arrival: Arrival, wrong: Wrong, registers: u32) -> String {
    let Wrong { registers: of_them, lost, resurrected, .. } = wrong;
    let counts = [
        (of_them, format!("{of_them} of {registers} registers wrong")),
        (lost, format!("{} lost", counted(lost, "element"))),
        (resurrected, format!("{} back", counted(resurrected, "element"))),
    ];
    let counts: Vec<String> = counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, told)| told).collect();
    let place = match arrival {
        Arrival::Exact => "at the receiver",
        Arrival::Repeated => "where each message arrives twice",
        Arrival::Reordered => "where messages arrive in another order",
        Arrival::Lost => "where a message is lost",
        Arrival::TwoWriters => "where two write at the same time",
        Arrival::CutOff => "where the connection is cut off",
        Arrival::SetBack => "where the sender is set back",
    };
    format!("up to {} {place}", counts.join(", "))
}

/// The bytes of the kind of ticks that has fewer than its bound, and that bound in tenths, if one has.
fn under_bound(row: &CodecRow, section: &CodecsRecord) -> Option<(u64, u64)> {
    // Of an engine that failed there are no bytes.
    let narrow = Some(row.narrow).filter(|_| row.failed.is_none());
    let kinds = [(narrow, section.narrow_bound_tenths), (row.wide, section.wide_bound_tenths)];
    // A tenth of a byte is what rounding the bound may take.
    let kinds = kinds.into_iter().filter_map(|(sizes, bound)| Some((sizes?, bound)));
    let under = kinds.into_iter().find(|(sizes, bound)| 10 * sizes.median + 1 < *bound);
    under.map(|(sizes, bound)| (sizes.median, bound))
}

pub(super) fn check(row: &CodecRow, section: &CodecsRecord) -> Check {
    let under = under_bound(row, section).map(|(bytes, bound)| {
        let lacking = share(bound - 10 * bytes, 10 * bound);
        format!("{bytes} B lie {lacking} under the information bound, below which no message can be on average")
    });
    let largest = [Some(row.narrow), row.wide].into_iter().flatten().map(|sizes| format!("{} B", sizes.largest));
    let largest: Vec<String> = largest.collect();
    let (kinds, claims) = (largest.len() as u32, row.claims.told());
    let contradicts = told(row, Standing::Contradicts, section.registers);
    let beyond = told(row, Standing::Beyond, section.registers);
    let undecodable = row.wrong.is_none().then(|| "no receiver can decode it".to_owned());
    let against: Vec<String> = [undecodable, contradicts, under].into_iter().flatten().collect();
    let summary = match (row.failed.as_deref(), beyond) {
        (Some(failed), _) => format!("it failed: {failed}"),
        _ if !against.is_empty() => against.join("; "),
        (None, beyond) => {
            let right = format!(
                "a receiver has the sender's registers after each of {} ticks; the largest have {}",
                kinds * row.ticks,
                largest.join(" and ")
            );
            match beyond {
                Some(beyond) if row.claims == Claims::Nothing => format!("{right}. It claims {claims}: {beyond}"),
                Some(beyond) => format!("{right}. Beyond its claim ({claims}): {beyond}"),
                None => right,
            }
        }
    };
    Check {
        name: name_of(row.of, &row.name),
        part: Part::Message,
        judge: Judge::Codecs,
        subjects: BTreeMap::from([(row.name.clone(), row.evidence)]),
        verdict: row.verdict,
        oracles: BTreeMap::from([(OracleId::Truth, row.verdict)]),
        summary,
        warrant: None,
        orders: None,
        tries: vec![FaultClass::WrongMessage],
        findings: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evidence::Evidence;
    use crate::report::codecs_record::{Sizes, WrongRegisters};

    const SECTION: CodecsRecord = CodecsRecord {
        registers: 256,
        changed: 20,
        most: 1000,
        ticks: 1,
        histories: 1,
        narrow_bound_tenths: 0,
        wide_bound_tenths: 0,
        rows: Vec::new(),
    };

    /// A row with these claims that has this wrong where messages arrive so.
    fn judged(of: Of, claims: Claims, arrival: Arrival, wrong: Wrong) -> (Verdict, String) {
        let mut row = CodecRow {
            name: "one".to_owned(),
            of,
            about: String::new(),
            evidence: Evidence::Software,
            needs: String::new(),
            decodable: true,
            claims,
            ticks: 1,
            histories: 1,
            narrow: Sizes::default(),
            wide: None,
            failed: None,
            wrong: Some(WrongRegisters::where_they_arrive(arrival, wrong)),
            verdict: Verdict::Inconclusive,
        };
        row.verdict = verdict(&row, &SECTION);
        (row.verdict, check(&row, &SECTION).summary)
    }

    #[test]
    fn an_engine_is_falsified_within_its_declaration_and_inconclusive_beyond_it() {
        let lost = Wrong { lost: 2, ..Wrong::default() };
        for arrival in [
            Arrival::Repeated,
            Arrival::Reordered,
            Arrival::Lost,
            Arrival::TwoWriters,
            Arrival::CutOff,
            Arrival::SetBack,
        ] {
            let (verdict, said) = judged(Of::Engine, Claims::AnyOrder, arrival, lost);
            assert_eq!(verdict, Verdict::Falsified, "{arrival:?}");
            assert!(said.starts_with("up to 2 elements lost where "), "{said}");
        }
        let (verdict, said) = judged(Of::Engine, Claims::InOrder, Arrival::Lost, lost);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(said.ends_with("(in order, until the connection ends): up to 2 elements lost where a message is lost"));
        assert_eq!(judged(Of::Engine, Claims::InOrder, Arrival::CutOff, lost).0, Verdict::Falsified);
        assert_eq!(judged(Of::Engine, Claims::ExactlyOnce, Arrival::CutOff, lost).0, Verdict::Inconclusive);
        assert_eq!(judged(Of::Engine, Claims::ExactlyOnce, Arrival::SetBack, lost).0, Verdict::Falsified);
        let refuses = Wrong { registers: 20, ..Wrong::default() };
        assert_eq!(judged(Of::Engine, Claims::AnyOrder, Arrival::SetBack, refuses).0, Verdict::Inconclusive);
    }

    #[test]
    fn a_codec_holds_by_what_it_claims_and_its_check_says_what_is_wrong_beyond_that() {
        let unnoticed = Wrong { registers: 58, silent: 58, ..Wrong::default() };
        let (verdict, said) = judged(Of::Codec, Claims::Nothing, Arrival::Repeated, unnoticed);
        assert_eq!(verdict, Verdict::Holds);
        let beyond =
            "It claims nothing about delivery: up to 58 of 256 registers wrong where each message arrives twice";
        assert!(said.ends_with(beyond), "{said}");
        assert_eq!(judged(Of::Codec, Claims::Sequences, Arrival::Repeated, unnoticed).0, Verdict::Falsified);
        let noticed = Wrong { silent: 0, ..unnoticed };
        for claims in [Claims::Sequences, Claims::Refusal] {
            assert_eq!(judged(Of::Codec, claims, Arrival::Lost, unnoticed).0, Verdict::Falsified);
            assert_eq!(judged(Of::Codec, claims, Arrival::Lost, noticed).0, Verdict::Holds);
        }
        assert_eq!(judged(Of::Codec, Claims::Nothing, Arrival::Exact, noticed).0, Verdict::Falsified);
    }
}
