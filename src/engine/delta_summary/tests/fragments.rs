//! Messages in fragments: which of them are kept.

use crate::engine::delta_summary::state::{Entry, State};
use crate::engine::host::NodeId;

#[test]
fn of_ten_messages_of_a_sender_all_fragments_are_kept_and_an_eleventh_drives_out_the_one_that_waited_longest() {
    let mut state = State::new(1, 1, true);
    let mut fragment =
        |from, id, place| state.apply(Entry::Fragment { from, id, count: 3, place, bytes: vec![place as u8] });
    // Their numbers are checksums, and have nothing to do with their order.
    for place in 0..2 {
        (0..10).rev().for_each(|id| fragment(7, id, place));
    }
    fragment(8, 3, 0);
    fragment(7, 9, 2);
    fragment(7, 77, 0);
    let kept: Vec<(NodeId, u32, usize)> =
        state.fragments.iter().map(|(&(from, id), fragments)| (from, id, fragments.got.len())).collect();
    // 8 was the first after 9, of which another fragment has come since.
    let of_seven = [(0, 2), (1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (6, 2), (7, 2), (9, 3), (77, 1)];
    let mut expected: Vec<_> = of_seven.map(|(id, fragments)| (7, id, fragments)).to_vec();
    expected.push((8, 3, 1));
    assert_eq!(kept, expected);
}
