//! What happened on a link to a device that a run survived, and that whoever reads its report should know.

use std::time::Duration;

use crate::domain::count::counted;

/// How many bytes of what nobody asked for are kept.
const KEPT: usize = 64;

/// What happened on a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkEvents {
    /// Answers that came only when their question was asked again: something was lost.
    pub made_good: u32,
    /// Answers that came later than they were waited for, and were not lost.
    pub late: u32,
    /// How long the latest of them took.
    pub latest: Duration,
    /// Bytes that came and that nobody had asked for.
    pub unasked: u64,
    /// The first of them.
    pub said: Vec<u8>,
}

impl LinkEvents {
    /// Takes in bytes that nobody had asked for.
    pub fn unasked(&mut self, bytes: &[u8]) {
        self.unasked += bytes.len() as u64;
        let room = KEPT.saturating_sub(self.said.len());
        self.said.extend(&bytes[..bytes.len().min(room)]);
    }

    /// Takes in an answer that came so long after its question.
    pub fn late(&mut self, after: Duration) {
        self.late += 1;
        self.latest = self.latest.max(after);
    }

    /// What happened, a sentence each; nothing where nothing did.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if self.made_good > 0 {
            let answers = counted(self.made_good, "answer");
            sentences.push(format!("{answers} came only when the question was asked again: the link loses something"));
        }
        if self.late > 0 {
            let answers = counted(self.late, "answer");
            sentences.push(format!("{answers} came late and were not lost; the latest took {:.0?}", self.latest));
        }
        if self.unasked > 0 {
            let bytes = counted(self.unasked, "byte");
            let said = String::from_utf8_lossy(&self.said);
            let cut = if self.unasked > self.said.len() as u64 { " and so on" } else { "" };
            sentences.push(format!(
                "{bytes} came that nobody asked for (\"{}\"{cut}): is a console on this line? An answer beside them may be \
                 wrong",
                said.escape_debug()
            ));
        }
        sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_link_has_nothing_to_tell_and_another_one_a_sentence_for_each_thing() {
        let mut events = LinkEvents::default();
        assert!(events.sentences().is_empty());
        events.made_good = 2;
        events.late(Duration::from_millis(301));
        events.late(Duration::from_millis(299));
        events.unasked(b"login: \r\n");
        events.unasked(&[b'x'; 100]);
        let told = events.sentences();
        assert!(told[0].starts_with("2 answers came only when the question was asked again"), "{told:?}");
        assert_eq!(told[1], "2 answers came late and were not lost; the latest took 301ms");
        assert!(told[2].starts_with("109 bytes came that nobody asked for (\"login: \\r\\nxxx"), "{told:?}");
        assert!(told[2].contains("\" and so on): is a console on this line?"), "{told:?}");
    }
}
