//! How views travel.
//!
//! A counter goes as its difference from the start, which every device was delivered with; a stock as its number; tags as the
//! number of elements and the gaps between them; a label as the number of its values, and the values; a record as 0 where it is
//! not there, and else as 1, its labels and its tags; a text as the number of its letters, and the letters; a claim as three labels,
//! its holder, those that wait and those that were refused; a case as how far it is, and two sets of tags, what is done and what was
//! refused.
//!
//! Knows: views. Must not: know who sends them.

use std::collections::BTreeSet;

use crate::domain::data::{Case, Claimed, DataType, Element, Fields, Record, Stage, Value, View};
use crate::domain::letter::Letter;
use crate::engine::wire::{Malformed, Reader, Writer, length, placed, signed_length};

/// Bytes of a view on the line.
pub fn weighs(fields: &Fields, view: &View) -> usize {
    match view {
        View::Counter(number) => signed_length(number.wrapping_sub(fields.start)),
        View::Stock(left) => signed_length(*left),
        View::Tags(tags) => tags_weigh(tags),
        View::Label(values) => values_weigh(values),
        View::Record(None) => 1,
        View::Record(Some(record)) => {
            1 + record.labels.iter().map(values_weigh).sum::<usize>() + tags_weigh(&record.tags)
        }
        View::Claim(claimed) => parts_of(claimed).iter().map(values_weigh).sum(),
        View::Case(case) => 1 + tags_weigh(&case.done) + tags_weigh(&case.refused),
        View::Text(letters) => {
            length(letters.len() as u64) + letters.iter().map(|&letter| length(u32::from(letter).into())).sum::<usize>()
        }
    }
}

/// Its holder, those that wait, and those that were refused.
fn parts_of(claimed: &Claimed) -> [BTreeSet<Value>; 3] {
    [claimed.holder.into_iter().collect(), claimed.waiting.clone(), claimed.refused.clone()]
}

fn tags_weigh(tags: &BTreeSet<Element>) -> usize {
    length(tags.len() as u64) + gaps(tags).map(|gap| length(gap.into())).sum::<usize>()
}

fn values_weigh(values: &BTreeSet<Value>) -> usize {
    length(values.len() as u64) + values.iter().map(|&value| length(value)).sum::<usize>()
}

/// Writes a view, as what the writer counts at present.
pub fn write(fields: &Fields, view: &View, writer: &mut Writer) {
    match view {
        View::Counter(number) => _ = writer.signed(number.wrapping_sub(fields.start)),
        View::Stock(left) => _ = writer.signed(*left),
        View::Tags(tags) => write_tags(tags, writer),
        View::Label(values) => write_values(values, writer),
        View::Record(None) => _ = writer.number(0),
        View::Record(Some(record)) => {
            writer.number(1);
            record.labels.iter().for_each(|values| write_values(values, writer));
            write_tags(&record.tags, writer);
        }
        View::Claim(claimed) => parts_of(claimed).iter().for_each(|values| write_values(values, writer)),
        View::Case(case) => {
            writer.number(case.stage as u64);
            write_tags(&case.done, writer);
            write_tags(&case.refused, writer);
        }
        View::Text(letters) => {
            writer.number(letters.len() as u64);
            letters.iter().for_each(|&letter| _ = writer.number(u32::from(letter).into()));
        }
    }
}

fn write_tags(tags: &BTreeSet<Element>, writer: &mut Writer) {
    writer.number(tags.len() as u64);
    gaps(tags).for_each(|gap| _ = writer.number(gap.into()));
}

fn write_values(values: &BTreeSet<Value>, writer: &mut Writer) {
    writer.number(values.len() as u64);
    values.iter().for_each(|&value| _ = writer.number(value));
}

/// Reads what [`write`] wrote of a register.
pub fn read(fields: &Fields, register: u32, reader: &mut Reader) -> Result<View, Malformed> {
    match fields.of(register) {
        DataType::Counter => Ok(View::Counter(fields.start.wrapping_add(reader.signed()?))),
        DataType::Stock => Ok(View::Stock(reader.signed()?)),
        DataType::Tags => read_elements(fields.elements, reader).map(View::Tags),
        DataType::Label => read_values(reader).map(View::Label),
        DataType::Record if reader.at_most(1, "a record")? == 0 => Ok(View::Record(None)),
        DataType::Record => {
            let labels = (0..fields.record_labels).map(|_| read_values(reader)).collect::<Result<_, Malformed>>()?;
            let tags = read_elements(fields.record_elements, reader)?;
            Ok(View::Record(Some(Box::new(Record { labels, tags }))))
        }
        DataType::Text => {
            let count = reader.count("a number of letters")?;
            let letter = |_| Letter::try_from(reader.small("a letter")?).map_err(|_| Malformed::Range("a letter"));
            (0..count).map(letter).collect::<Result<_, Malformed>>().map(View::Text)
        }
        DataType::Claim => {
            let (holders, waiting, refused) = (read_values(reader)?, read_values(reader)?, read_values(reader)?);
            let claimed = Claimed { holder: holders.first().copied(), waiting, refused };
            let is_one = holders.len() <= 1 && claimed.is_canonical();
            if is_one { Ok(View::Claim(Box::new(claimed))) } else { Err(Malformed::Range("a claim")) }
        }
        DataType::Case => {
            let stage = match reader.at_most(2, "a case")? {
                0 => Stage::Open,
                1 => Stage::CloseRequested,
                _ => Stage::Closed,
            };
            let (done, refused) =
                (read_elements(fields.case_items, reader)?, read_elements(fields.case_items, reader)?);
            let case = Case { stage, done, refused };
            if case.is_canonical() { Ok(View::Case(Box::new(case))) } else { Err(Malformed::Range("a case")) }
        }
    }
}

fn read_values(reader: &mut Reader) -> Result<BTreeSet<Value>, Malformed> {
    let count = reader.count("a number of values")?;
    let mut values = BTreeSet::new();
    for _ in 0..count {
        let value = reader.number()?;
        // One way to write each view.
        if values.last().is_some_and(|&last| last >= value) {
            return Err(Malformed::Range("the order of values"));
        }
        values.insert(value);
    }
    Ok(values)
}

fn read_elements(elements: u32, reader: &mut Reader) -> Result<BTreeSet<Element>, Malformed> {
    let mut next = 0u64;
    let count = reader.count("a number of elements")?;
    (0..count).map(|_| element(elements, reader.number()?, &mut next)).collect()
}

/// The element after a gap, of so many.
pub fn element(elements: u32, gap: u64, next: &mut u64) -> Result<Element, Malformed> {
    placed(gap, next, elements)
}

/// The gaps between elements: each is smaller by the next that could have been.
pub fn gaps<'a>(tags: impl IntoIterator<Item = &'a Element>) -> impl Iterator<Item = Element> {
    let mut next = 0;
    tags.into_iter().map(move |&element| {
        let gap = element - next;
        next = element + 1;
        gap
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_view_is_read_back_and_takes_as_many_bytes_as_it_weighs(
            number: i64,
            start: i64,
            tags in proptest::collection::btree_set(0..300u32, 0..20),
            values in proptest::collection::btree_set(any::<u64>(), 0..4),
            text in ".{0,9}",
        ) {
            let of_records =
                Fields { records: 2, record_labels: 2, record_elements: 300, texts: 1, ..Fields::counters(1, start) };
            let fields = Fields { tags: 1, elements: 300, labels: 1, ..of_records };
            let record = Record { labels: vec![values.clone(), [7].into()], tags: tags.clone() };
            let views = [
                View::Counter(number),
                View::Tags(tags),
                View::Label(values),
                View::Record(Some(Box::new(record))),
                View::Record(None),
                View::Text(Letter::all_of(&text)),
            ];
            for (register, view) in (0..).zip(views) {
                let mut writer = Writer::bare();
                write(&fields, &view, &mut writer);
                let bytes = writer.into_bytes();
                prop_assert_eq!(bytes.len(), weighs(&fields, &view));
                let mut reader = Reader::bare(&bytes);
                prop_assert_eq!(read(&fields, register, &mut reader), Ok(view));
                prop_assert_eq!(reader.end(), Ok(()));
            }
        }
    }

    #[test]
    fn an_element_beyond_those_of_the_world_is_malformed() {
        let fields = Fields { tags: 1, elements: 3, ..Fields::default() };
        assert!(read(&fields, 0, &mut Reader::bare(&[1, 3])).is_err());
        assert_eq!(read(&fields, 0, &mut Reader::bare(&[1, 2])), Ok(View::Tags([2].into())));
    }
}
