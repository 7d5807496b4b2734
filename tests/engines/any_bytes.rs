//! What every library makes of frames with something wrong in them: an error or a finding, never an end of the process, in
//! bounded memory.

use abench::domain::seed::{Seed, Stream};
use abench::engine::any_bytes::{STEPS, Said, Talk, sealed, unsealed};
use abench::engine::library::REGISTRY;
use abench::engine::port::{EngineError, Reception};

/// What a wound makes of a body.
fn wounded(body: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut bytes = body.to_vec();
    let place = |random: &mut Stream, length: usize| random.below(length.max(1) as u64) as usize;
    for _ in 0..=random.below(3) {
        let at = place(random, bytes.len());
        match random.below(5) {
            0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 => bytes.truncate(at),
            // A count that promises far more than there is.
            3 if !bytes.is_empty() => {
                bytes.splice(at..=at, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]);
            }
            4 => {
                let more: Vec<u8> = (0..random.below(9)).map(|_| random.below(256) as u8).collect();
                bytes.splice(at..at, more);
            }
            _ => {}
        }
    }
    bytes
}

/// The most memory that this process ever had, in KiB; nothing where the system does not tell.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn frames_with_wounds_are_refused_taken_or_make_the_library_panic_and_the_process_goes_on() {
    let before = most_memory();
    for (number, engine) in (0..).zip(REGISTRY) {
        let mut random = Seed::new(7).stream("wounds").member(number);
        let (mut damaged, mut panics) = (0, 0);
        for _ in 0..40 {
            let steps = random.below(STEPS as u64) as usize;
            let mut talk = Talk::after(engine, random.below(2) == 1, steps).expect("a sound talk");
            for _ in 0..24 {
                let said = talk.said[random.below(talk.said.len() as u64) as usize].clone();
                let frame = sealed(wounded(unsealed(&said.frame), &mut random));
                match talk.give(&Said { frame, ..said }) {
                    Ok(reception) => damaged += u32::from(reception == Reception::Damaged),
                    Err(EngineError::Failed(why)) => {
                        println!("{}: {why}", engine.name);
                        assert!(why.starts_with("it panicked: "), "{}: {why}", engine.name);
                        panics += 1;
                        // It is not called again.
                        assert_eq!(talk.goes_on(said.to), Err(EngineError::Failed(why)), "{}", engine.name);
                        break;
                    }
                    Err(error) => panic!("{}: {error}", engine.name),
                }
            }
        }
        let most = most_memory().unwrap_or(0) >> 10;
        println!("{}: {damaged} frames refused, {panics} panics, at most {most} MiB so far", engine.name);
        assert!(damaged > 0, "{}", engine.name);
    }
    if let (Some(before), Some(after)) = (before, most_memory()) {
        assert!(after < before + (256 << 10), "{before} KiB before, and {after} KiB after");
    }
}

#[test]
fn frames_as_they_were_said_are_taken_whatever_the_library() {
    for engine in REGISTRY {
        for peers in [false, true] {
            let talk = Talk::after(engine, peers, STEPS).expect("a sound talk");
            let mut again = Talk::after(engine, peers, STEPS).expect("a sound talk");
            // Deterministic: the same talk says the same again.
            let (lengths, others) = (talk.said.iter(), again.said.clone());
            assert!(lengths.zip(&others).all(|(one, other)| one.frame.len() == other.frame.len()), "{}", engine.name);
            // What was said before is said again: it changes nothing.
            let shown = again.goes_on(2).expect("it goes on");
            for said in talk.said.iter().filter(|said| said.to == 2) {
                assert_ne!(again.give(said), Ok(Reception::Damaged), "{}", engine.name);
            }
            assert_eq!(again.goes_on(2).expect("it goes on").len(), shown.len());
        }
    }
}

/// An update of Yrs that inserts a list within a list, so many times.
fn nested_lists(depth: usize) -> Vec<u8> {
    // One client with one block: client 9, clock 0, values in the array "log"; one value.
    let mut update = vec![1, 1, 9, 0, 8, 1, 3, b'l', b'o', b'g', 1];
    (0..depth).for_each(|_| update.extend([117, 1]));
    update.extend([126, 0]);
    update
}

#[test]
fn a_value_nested_a_million_times_is_refused_and_does_not_fill_the_stack() {
    let engine = REGISTRY.iter().find(|engine| engine.name == "yrs-log").expect("it is there");
    for (depth, refused) in [(0, Reception::Taken), (1, Reception::Damaged), (1_000_000, Reception::Damaged)] {
        let mut talk = Talk::after(engine, false, 30).expect("a sound talk");
        let said = talk.said.iter().rfind(|said| said.to == 2 && said.frame[0] == 0x20).expect("it began").clone();
        // A first message of another session, with an update.
        let body = [&[0x20, 1, 2, 3, 4, 2][..], &nested_lists(depth)].concat();
        assert_eq!(talk.give(&Said { frame: sealed(body), ..said }), Ok(refused), "{depth}");
    }
}
