//! The frames of replicas from any bytes: no panic; a refusal changes nothing; and whatever a node takes leaves it sound,
//! and the same after a restart.
//!
//! The first three bytes choose the engine, the moment and the receiver; the rest is a body, given with its right
//! checksum, or, where the choice says so, wounds of a frame that was said.

#![no_main]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use abench::engine::any_bytes::{NODES, STEPS, Said, Talk, sealed, unsealed};
use abench::engine::REGISTRY;
use libfuzzer_sys::fuzz_target;

thread_local! {
    /// Talks that were made, by engine, kind and steps.
    static TALKS: RefCell<BTreeMap<(usize, bool, usize), Rc<Talk>>> = const { RefCell::new(BTreeMap::new()) };
}

fn talk(engine: usize, peers: bool, steps: usize) -> Rc<Talk> {
    TALKS.with_borrow_mut(|talks| {
        let made = || Rc::new(Talk::after(&REGISTRY[engine], peers, steps).expect("a sound talk"));
        talks.entry((engine, peers, steps)).or_insert_with(made).clone()
    })
}

fuzz_target!(|bytes: &[u8]| {
    let [engine, steps, who, rest @ ..] = bytes else { return };
    let engine = usize::from(*engine);
    let (peers, engine) = (engine & 1 != 0, (engine >> 1) % REGISTRY.len());
    let peers = peers && REGISTRY[engine].peers;
    let talk = talk(engine, peers, usize::from(*steps) % STEPS);
    let who = usize::from(*who);
    let said = talk.said.get(rest.first().map_or(0, |&place| usize::from(place)) % talk.said.len().max(1));
    let (from, to, frame) = match (who & 3, said) {
        // A frame that was said, each pair of bytes a place and what is put there.
        (3, Some(&Said { from, to, ref frame })) => {
            let mut body = unsealed(frame).to_vec();
            for &[place, byte] in rest.get(1..).unwrap_or_default().as_chunks::<2>().0 {
                let place = usize::from(place) % body.len().max(1);
                if let Some(at) = body.get_mut(place) {
                    *at = byte;
                }
            }
            (from, to, sealed(body))
        }
        (to, _) => {
            let to = to as u32 % NODES;
            let neighbours = talk.neighbours(to);
            (neighbours[(who >> 2) % neighbours.len()], to, sealed(rest.to_vec()))
        }
    };
    if let Err(wrong) = talk.moment(to).give(from, &frame) {
        panic!("{wrong}: {}, {from} to {to}, {frame:02x?}", REGISTRY[engine].name);
    }
});
