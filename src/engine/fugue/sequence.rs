//! Characters in their order, erased ones included, and where each of them is.
//!
//! Characters whose numbers ascend by one are one span. Spans lie in chunks of bounded size, each with the text that it
//! shows. Sums over the chunks find a position, and an index of numbers finds a character, in O(log n).
//!
//! Knows: spans. Must not: know why a character is where it is.

use std::collections::BTreeMap;
use std::ops::Range;

use super::tree::Node;

/// Spans of a chunk, at most.
const SPANS: usize = 64;

/// Bytes of text in a chunk, about.
const TEXT: usize = 4096;

/// Characters that are inserted at once, at most.
const SLICE: usize = 1024;

/// Where characters are inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// At the beginning.
    Start,
    /// Before a character.
    Before(Node),
    /// After a character.
    After(Node),
}

/// Characters of one writer that follow each other and are all shown, or all erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first of them.
    pub first: Node,
    /// How many.
    pub count: u64,
    /// Whether they are erased.
    pub is_erased: bool,
}

impl Span {
    fn shown(&self) -> usize {
        if self.is_erased { 0 } else { self.count as usize }
    }

    fn last(&self) -> u64 {
        self.first.number + (self.count - 1)
    }

    fn offset_of(&self, node: Node) -> Option<u64> {
        let offset = node.number.checked_sub(self.first.number).filter(|&offset| offset < self.count);
        offset.filter(|_| node.writer == self.first.writer)
    }

    fn part(&self, from: u64, count: u64) -> Span {
        Span { first: self.first.plus(from), count, ..*self }
    }

    fn goes_on_in(&self, next: &Span) -> bool {
        self.first.plus(self.count) == next.first && self.is_erased == next.is_erased
    }
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    spans: Vec<Span>,
    text: String,
    /// How many characters the text has.
    shown: usize,
}

impl Chunk {
    /// The byte at which a shown character begins.
    fn byte(&self, shown: usize) -> usize {
        if self.text.len() == self.shown {
            return shown;
        }
        self.text.char_indices().nth(shown).map_or(self.text.len(), |(byte, _)| byte)
    }

    fn bytes(&self, shown: Range<usize>) -> Range<usize> {
        self.byte(shown.start)..self.byte(shown.end)
    }

    /// How many characters are shown before a place.
    fn before(&self, At { span, offset, .. }: At) -> usize {
        let before: usize = self.spans[..span].iter().map(Span::shown).sum();
        before + self.spans.get(span).filter(|span| !span.is_erased).map_or(0, |_| offset as usize)
    }

    /// Puts a span before a place.
    fn put(&mut self, At { mut span, offset, .. }: At, new: Span) {
        if offset > 0 {
            let cut = self.spans[span];
            span += 1;
            if offset < cut.count {
                self.spans[span - 1] = cut.part(0, offset);
                self.spans.insert(span, cut.part(offset, cut.count - offset));
            }
        }
        self.spans.insert(span, new);
        self.join(span + 1);
        self.join(span);
    }

    /// Joins a span with the one before, where they go on in each other.
    fn join(&mut self, span: usize) {
        if span > 0 && self.spans.get(span).is_some_and(|next| self.spans[span - 1].goes_on_in(next)) {
            self.spans[span - 1].count += self.spans[span].count;
            self.spans.remove(span);
        }
    }
}

/// Where a character is.
#[derive(Clone, Copy, Debug)]
struct At {
    chunk: u32,
    span: usize,
    offset: u64,
}

/// The characters.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// In the order in which they came to be; a chunk keeps its number.
    chunks: Vec<Chunk>,
    /// The numbers of chunks, in the order of the text.
    order: Vec<u32>,
    /// By number of a chunk, its place in that order.
    places: Vec<u32>,
    /// Sums of shown characters by place, as a Fenwick tree.
    sums: Vec<usize>,
    /// For each writer, in which chunk characters are, from this number to the next entry.
    index: Vec<BTreeMap<u64, u32>>,
    shown: usize,
}

impl Default for Sequence {
    fn default() -> Self {
        Sequence {
            chunks: vec![Chunk::default()],
            order: vec![0],
            places: vec![0],
            sums: vec![0],
            index: Vec::new(),
            shown: 0,
        }
    }
}

impl Sequence {
    /// How many characters are shown.
    pub fn shown(&self) -> usize {
        self.shown
    }

    /// What is shown, in its parts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(|&chunk| self.chunks[chunk as usize].text.as_str())
    }

    /// The spans that are shown, in order, with their text.
    pub fn spans(&self) -> impl Iterator<Item = (Span, &str)> {
        self.order.iter().flat_map(|&chunk| {
            let chunk = &self.chunks[chunk as usize];
            let mut shown = 0;
            chunk.spans.iter().filter(|span| !span.is_erased).map(move |span| {
                let from = shown;
                shown += span.shown();
                (*span, &chunk.text[chunk.bytes(from..shown)])
            })
        })
    }

    /// The character that is shown at a position, and how many of its span follow there with it.
    pub fn shown_at(&self, position: usize) -> Option<(Node, u64)> {
        if position >= self.shown {
            return None;
        }
        let (place, mut rest) = self.place_of(position);
        for span in &self.chunks[self.order[place] as usize].spans {
            if rest < span.shown() {
                return Some((span.first.plus(rest as u64), span.count - rest as u64));
            }
            rest -= span.shown();
        }
        None
    }

    /// How many characters are shown before one that is here, and whether that one is shown.
    pub fn position_of(&self, node: Node) -> Option<(usize, bool)> {
        let at = self.find(node)?;
        let chunk = &self.chunks[at.chunk as usize];
        let before = self.sum_before(self.places[at.chunk as usize] as usize) + chunk.before(at);
        Some((before, !chunk.spans[at.span].is_erased))
    }

    /// The character after one, erased or not.
    pub fn after(&self, node: Option<Node>) -> Option<Node> {
        let (mut place, mut span) = (0, 0);
        if let Some(node) = node {
            let at = self.find(node)?;
            let found = &self.chunks[at.chunk as usize].spans[at.span];
            if at.offset + 1 < found.count {
                return Some(node.plus(1));
            }
            (place, span) = (self.places[at.chunk as usize] as usize, at.span + 1);
        }
        let here = self.chunks[self.order[place] as usize].spans.get(span);
        // No chunk is empty but the only one.
        let next = || self.chunks[*self.order.get(place + 1)? as usize].spans.first();
        here.or_else(next).map(|span| span.first)
    }

    /// Inserts characters. The text is empty where they are erased.
    pub fn insert(&mut self, gap: Gap, new: Span, mut text: &str) {
        let (mut gap, mut rest) = (gap, new);
        while !rest.is_erased && rest.count > SLICE as u64 {
            let (slice, left) = text.split_at(text.char_indices().nth(SLICE).map_or(text.len(), |(byte, _)| byte));
            self.insert_slice(gap, rest.part(0, SLICE as u64), slice);
            gap = Gap::After(rest.first.plus(SLICE as u64 - 1));
            (rest, text) = (rest.part(SLICE as u64, rest.count - SLICE as u64), left);
        }
        self.insert_slice(gap, rest, text);
    }

    fn insert_slice(&mut self, gap: Gap, new: Span, text: &str) {
        let at = match gap {
            Gap::Start => Some(At { chunk: self.order[0], span: 0, offset: 0 }),
            Gap::Before(node) => self.find(node),
            Gap::After(node) => self.find(node).map(|at| At { offset: at.offset + 1, ..at }),
        };
        let at = at.expect("what a character is typed beside is in the sequence");
        let chunk = &mut self.chunks[at.chunk as usize];
        let byte = chunk.byte(chunk.before(at));
        chunk.text.insert_str(byte, text);
        chunk.shown += new.shown();
        chunk.put(at, new);
        self.count(at.chunk, |sum| *sum += new.shown());
        self.shown += new.shown();
        self.assign(new, at.chunk);
        self.split(at.chunk);
    }

    /// Erases characters of one writer; those that are not here, or erased, stay so.
    pub fn erase(&mut self, first: Node, count: u64) {
        let mut next = 0;
        while next < count {
            let Some(at) = self.find(first.plus(next)) else { return };
            let chunk = &mut self.chunks[at.chunk as usize];
            let span = chunk.spans[at.span];
            let taken = (span.count - at.offset).min(count - next);
            next += taken;
            if span.is_erased {
                continue;
            }
            let shown = chunk.before(at);
            let bytes = chunk.bytes(shown..shown + taken as usize);
            chunk.text.replace_range(bytes, "");
            chunk.shown -= taken as usize;
            let rest = span.count - at.offset - taken;
            let erased = Span { is_erased: true, ..span.part(at.offset, taken) };
            let parts = [span.part(0, at.offset), erased, span.part(at.offset + taken, rest)];
            chunk.spans.splice(at.span..=at.span, parts.into_iter().filter(|part| part.count > 0));
            let erased = at.span + usize::from(at.offset > 0);
            chunk.join(erased + 1);
            chunk.join(erased);
            self.count(at.chunk, |sum| *sum -= taken as usize);
            self.shown -= taken as usize;
            self.split(at.chunk);
        }
    }

    /// Adds the text of characters of one writer that are all shown.
    pub fn add_text(&self, first: Node, count: u64, text: &mut String) {
        let mut next = 0;
        while let Some(at) = Some(first.plus(next)).filter(|_| next < count).and_then(|node| self.find(node)) {
            let chunk = &self.chunks[at.chunk as usize];
            let taken = (chunk.spans[at.span].count - at.offset).min(count - next);
            let shown = chunk.before(at);
            text.push_str(&chunk.text[chunk.bytes(shown..shown + taken as usize)]);
            next += taken;
        }
    }

    fn find(&self, node: Node) -> Option<At> {
        let (_, &chunk) = self.index.get(node.writer as usize)?.range(..=node.number).next_back()?;
        let mut spans = self.chunks[chunk as usize].spans.iter().enumerate();
        spans.find_map(|(span, of)| of.offset_of(node).map(|offset| At { chunk, span, offset }))
    }

    /// Notes in which chunk characters are.
    fn assign(&mut self, span: Span, chunk: u32) {
        let (writer, first, next) = (span.first.writer as usize, span.first.number, span.last() + 1);
        if self.index.len() <= writer {
            self.index.resize_with(writer + 1, BTreeMap::new);
        }
        let index = &mut self.index[writer];
        let (mut before, mut after, mut inner) = (None, None, 0);
        for (&from, &of) in index.range(..=next).rev() {
            after = after.or(Some((from, of)));
            if from < first {
                before = Some(of);
                break;
            }
            inner += usize::from(from < next);
        }
        if inner > 0 {
            let gone: Vec<u64> = index.range(first..next).map(|(&from, _)| from).collect();
            for from in gone {
                index.remove(&from);
            }
        }
        if before != Some(chunk) {
            index.insert(first, chunk);
        }
        if let Some((_, of)) = after.filter(|&(from, of)| from < next && of != chunk) {
            index.insert(next, of);
        }
    }

    /// Splits a chunk that is too large.
    fn split(&mut self, chunk: u32) {
        let whole = &mut self.chunks[chunk as usize];
        let at = match whole.spans.len() {
            spans if spans > SPANS => (spans / 2, 0),
            _ if whole.text.len() > TEXT => {
                let (mut span, mut rest) = (0, whole.shown / 2);
                while rest >= whole.spans[span].shown() {
                    rest -= whole.spans[span].shown();
                    span += 1;
                }
                (span, rest as u64)
            }
            _ => return,
        };
        let byte = whole.byte(whole.before(At { chunk, span: at.0, offset: at.1 }));
        let text = whole.text.split_off(byte);
        let mut spans = whole.spans.split_off(at.0);
        if at.1 > 0 {
            whole.spans.push(spans[0].part(0, at.1));
            spans[0] = spans[0].part(at.1, spans[0].count - at.1);
        }
        let shown = spans.iter().map(Span::shown).sum::<usize>();
        whole.shown -= shown;
        let new = self.chunks.len() as u32;
        spans.iter().for_each(|&span| self.assign(span, new));
        self.chunks.push(Chunk { spans, text, shown });
        self.order.insert(self.places[chunk as usize] as usize + 1, new);
        self.places.push(0);
        for (place, &chunk) in self.order.iter().enumerate() {
            self.places[chunk as usize] = place as u32;
        }
        self.sums = self.order.iter().map(|&chunk| self.chunks[chunk as usize].shown).collect();
        for place in 0..self.sums.len() {
            let over = place | (place + 1);
            if over < self.sums.len() {
                self.sums[over] += self.sums[place];
            }
        }
        self.split(chunk);
        self.split(new);
    }

    fn count(&mut self, chunk: u32, change: impl Fn(&mut usize)) {
        let mut place = self.places[chunk as usize] as usize;
        while place < self.sums.len() {
            change(&mut self.sums[place]);
            place |= place + 1;
        }
    }

    /// How many characters the chunks before a place show.
    fn sum_before(&self, place: usize) -> usize {
        let (mut end, mut sum) = (place, 0);
        while end > 0 {
            sum += self.sums[end - 1];
            end &= end - 1;
        }
        sum
    }

    /// The place of the chunk that shows the character at a position, and how many it shows before that.
    fn place_of(&self, position: usize) -> (usize, usize) {
        let (mut place, mut rest) = (0, position);
        let mut step = (self.sums.len() + 1).next_power_of_two();
        while step > 0 {
            if let Some(&sum) = self.sums.get(place + step - 1).filter(|&&sum| sum <= rest) {
                place += step;
                rest -= sum;
            }
            step /= 2;
        }
        (place, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(writer: u32, number: u64) -> Node {
        Node { writer, number }
    }

    fn span(writer: u32, first: u64, count: u64) -> Span {
        Span { first: node(writer, first), count, is_erased: false }
    }

    /// A sequence that was torn into many chunks, beside a list of single characters.
    #[test]
    fn many_inserts_and_erases_leave_what_a_plain_list_has() {
        let (mut sequence, mut list) = (Sequence::default(), Vec::<(Node, char, bool)>::new());
        let mut seed = 7u64;
        let mut draw = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        let mut numbers = [1u64; 3];
        for turn in 0..4000 {
            let writer = draw(3);
            let length = if turn % 500 == 0 { 3000 } else { 1 + draw(4) };
            let text: String = (0..length).map(|_| ['a', 'é', '字', 'b'][draw(4)]).collect();
            let place = draw(list.len() + 1);
            let gap = match place {
                0 => Gap::Start,
                place if place < list.len() && draw(2) == 0 => Gap::Before(list[place].0),
                place => Gap::After(list[place - 1].0),
            };
            let first = node(writer as u32, numbers[writer]);
            sequence.insert(gap, Span { first, count: length as u64, is_erased: false }, &text);
            list.splice(place..place, text.chars().enumerate().map(|(of, c)| (first.plus(of as u64), c, false)));
            numbers[writer] += length as u64;
            let (from, count) =
                (node(writer as u32, 1 + draw(numbers[writer] as usize - 1) as u64), 1 + draw(5) as u64);
            sequence.erase(from, count);
            for (of, _, is_erased) in &mut list {
                *is_erased |= Span { first: from, count, is_erased: false }.offset_of(*of).is_some();
            }
        }
        let shown: Vec<(Node, char)> = list.iter().filter(|of| !of.2).map(|of| (of.0, of.1)).collect();
        assert_eq!(sequence.texts().collect::<String>(), shown.iter().map(|of| of.1).collect::<String>());
        assert_eq!(sequence.spans().map(|of| of.1).collect::<String>(), sequence.texts().collect::<String>());
        assert_eq!(sequence.shown(), shown.len());
        assert!(sequence.chunks.len() > 20, "{} chunks", sequence.chunks.len());
        assert!(sequence.chunks.iter().all(|chunk| chunk.spans.len() <= SPANS && chunk.text.len() <= TEXT));
        let mut before = 0;
        for (place, &(of, c, is_erased)) in list.iter().enumerate() {
            assert_eq!(sequence.position_of(of), Some((before, !is_erased)));
            assert_eq!(sequence.after(Some(of)), list.get(place + 1).map(|next| next.0));
            if !is_erased {
                assert_eq!(sequence.shown_at(before).map(|at| at.0), Some(of));
                let mut text = String::new();
                sequence.add_text(of, 1, &mut text);
                assert_eq!(text, c.to_string());
            }
            before += usize::from(!is_erased);
        }
        assert_eq!((sequence.after(None), sequence.shown_at(before)), (Some(list[0].0), None));
    }

    #[test]
    fn typing_on_makes_no_second_span_and_erasing_side_by_side_neither() {
        let mut sequence = Sequence::default();
        sequence.insert(Gap::Start, span(0, 1, 1), "a");
        sequence.insert(Gap::After(node(0, 1)), span(0, 2, 3), "bcd");
        assert_eq!(sequence.chunks[0].spans, [span(0, 1, 4)]);
        sequence.erase(node(0, 3), 1);
        sequence.erase(node(0, 2), 1);
        let erased = Span { is_erased: true, ..span(0, 2, 2) };
        assert_eq!(sequence.chunks[0].spans, [span(0, 1, 1), erased, span(0, 4, 1)]);
        assert_eq!(sequence.texts().collect::<String>(), "ad");
    }
}
