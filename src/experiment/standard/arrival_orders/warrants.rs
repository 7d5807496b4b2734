//! Whatever an explorer claims, a run holds only what was delivered; and the truth looks at every bit.

use super::*;
use crate::domain::delta::Deltas;
use crate::domain::evidence::Evidence;
use crate::domain::explorer::{Claim, Explorer};
use crate::domain::oracle::OracleId;
use crate::domain::order::{Order, Shuffle};
use crate::domain::verdict::{Verdict, Warrant};
use crate::domain::watch::Unwatched;
use crate::explore;
use crate::explore::choice::Chooser;
use crate::explore::covering::Family;

const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

/// An explorer that gives these orders and claims this of them, whatever they are.
struct Claims(Claim, Vec<Vec<u32>>);

impl Explorer for Claims {
    fn name(&self) -> &'static str {
        "claims"
    }

    fn number(&self, _deltas: u64) -> Option<u64> {
        Some(self.1.len() as u64)
    }

    fn orders(&self, _deltas: u64, limit: u64) -> Box<dyn Iterator<Item = Order>> {
        let orders: Vec<Order> = self.1.iter().take(limit as usize).cloned().map(Order::Exactly).collect();
        Box::new(orders.into_iter())
    }

    fn claim(&self, _deltas: u64) -> Claim {
        self.0
    }
}

/// An XOR accumulator of which one bit can be wrong, in every order alike.
struct Accumulates {
    state: u64,
    /// XORed into what is shown.
    wrong: u64,
    /// Whether it is wrong after this many deliveries alone.
    after: Option<u64>,
    deliveries: u64,
}

impl Accumulates {
    fn sound() -> Self {
        Accumulates { state: 0, wrong: 0, after: None, deliveries: 0 }
    }
}

impl Subject for Accumulates {
    fn name(&self) -> &str {
        "accumulates"
    }

    fn evidence(&self) -> Evidence {
        Evidence::Software
    }

    fn longest_order(&self) -> u64 {
        u64::MAX
    }

    fn reset(&mut self) -> Result<(), SubjectError> {
        (self.state, self.deliveries) = (0, 0);
        Ok(())
    }

    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
        self.state = arrivals.iter().fold(self.state, |state, delta| state ^ delta);
        self.deliveries += arrivals.len() as u64;
        Ok(())
    }

    fn observe(&mut self) -> Result<u64, SubjectError> {
        let wrong = self.after.is_none_or(|after| after == self.deliveries);
        Ok(self.state ^ if wrong { self.wrong } else { 0 })
    }
}

fn workload(count: u32) -> Workload<'static> {
    let deltas = Deltas::of_engine(SEED);
    Workload {
        scenario: None,
        count,
        seed: SEED,
        truth: (0..u64::from(count)).fold(0, |state, index| state ^ deltas.at(index)),
        budget: Budget::deliveries(1 << 24),
        memory: 64 << 20,
        banks: 8,
        software: true,
        devices: false,
    }
}

fn checked(count: u32, claim: Claim, orders: Vec<Vec<u32>>) -> Check {
    let planned = orders.len() as u64;
    let explorers = vec![Chooser { explorer: Box::new(Claims(claim, orders)), planned }];
    let chosen = Choice { explorers, every_set: false, asked: true };
    check(&mut [&mut Accumulates::sound()], &workload(count), &chosen, &mut Unwatched).check
}

/// What the run holds of order, and why not, if it does not.
fn held(count: u32, claim: Claim, orders: Vec<Vec<u32>>) -> Result<Warrant, String> {
    let check = checked(count, claim, orders);
    assert_eq!(check.oracles.values().filter(|verdict| **verdict == Verdict::Falsified).count(), 0);
    match (check.verdict, check.warrant) {
        (Verdict::Holds, Some(warrant)) => Ok(warrant),
        (Verdict::Inconclusive, None) => Err(check.summary),
        other => panic!("{other:?}"),
    }
}

fn all_orders(deltas: u64) -> Vec<Vec<u32>> {
    let orders = explore::all_orders::AllOrders.orders(deltas, u64::MAX);
    orders.map(|order| if let Order::Exactly(indices) = order { indices } else { panic!("{order}") }).collect()
}

fn drawn(deltas: u32, orders: u64) -> Vec<Vec<u32>> {
    let shuffled = |number| {
        let mut order: Vec<u32> = (0..deltas).collect();
        SEED.stream("warrants").member(number).shuffle(&mut order);
        order
    };
    (0..orders).map(shuffled).collect()
}

const DRAWN: Claim = Claim::Drawn { by: Shuffle::FisherYates };

#[test]
fn all_orders_of_which_half_are_duplicates_prove_nothing() {
    for deltas in [3, 4, 6] {
        let all = all_orders(deltas);
        assert_eq!(held(deltas as u32, Claim::EveryOrder, all.clone()), Ok(Warrant::Proved { deltas }));
        let half = &all[..all.len() / 2];
        let reason = held(deltas as u32, Claim::EveryOrder, [half, half].concat()).expect_err("half are duplicates");
        let told = format!("not every order was delivered: {} different ones of {} were", half.len(), all.len());
        assert!(reason.starts_with(&told), "{reason}");
        // One is missing, and another there twice.
        let mut one_twice = all.clone();
        one_twice[1] = all[0].clone();
        assert!(held(deltas as u32, Claim::EveryOrder, one_twice).is_err());
    }
}

#[test]
fn a_family_without_its_reverses_or_without_one_order_covers_nothing() {
    let claim = Claim::EveryTuple { strength: 3 };
    let family = Family::drawn(64, 3, SEED).expect("it fits").orders().to_vec();
    assert_eq!(held(64, claim, family.clone()), Ok(Warrant::Covered { strength: 3, tuples: 249_984 }));
    let without_reverses: Vec<Vec<u32>> = family.iter().step_by(2).cloned().collect();
    let incomplete = checked(64, claim, without_reverses.clone());
    let tuples = incomplete.orders.expect("they are recorded").coverage.tuples.expect("they are counted");
    assert!(tuples.counted < 249_984 && tuples.all == 249_984, "{tuples:?}");
    let told = format!("not every ordered 3-tuple of deltas was delivered: {} of 249984 were", tuples.counted);
    assert!(held(64, claim, without_reverses).expect_err("it is not complete").starts_with(&told));
    // Every order is needed: a greedy family has few to spare.
    let lacking: Vec<bool> = (0..family.len())
        .map(|number| {
            let mut rest = family.clone();
            rest.remove(number);
            held(64, claim, rest).is_err()
        })
        .collect();
    assert!(lacking.iter().filter(|lacks| **lacks).count() > family.len() / 2, "{lacking:?}");
    // A family that is not complete is not mended by drawn orders beside it.
    let explorers = vec![
        Chooser { explorer: Box::new(Claims(claim, family[1..].to_vec())), planned: family.len() as u64 - 1 },
        Chooser { explorer: Box::new(Claims(DRAWN, drawn(64, 34))), planned: 34 },
    ];
    let chosen = Choice { explorers, every_set: false, asked: true };
    let check = check(&mut [&mut Accumulates::sound()], &workload(64), &chosen, &mut Unwatched).check;
    assert_eq!((check.verdict, check.warrant), (Verdict::Inconclusive, None));
}

#[test]
fn drawn_orders_in_which_delta_0_always_comes_first_are_inconclusive() {
    for deltas in [5, 20, 64, 1000, 65_537] {
        let mut orders = drawn(deltas, 64);
        let sampled = Warrant::Sampled { orders: 64, by: Some(Shuffle::FisherYates) };
        assert_eq!(held(deltas, DRAWN, orders.clone()), Ok(sampled), "{deltas}");
        for order in &mut orders {
            let place = order.iter().position(|&index| index == 0).expect("it is delivered");
            order.swap(0, place);
        }
        let reason = held(deltas, DRAWN, orders).expect_err("delta 0 always comes first");
        assert!(reason.starts_with("the orders are not as chance gives them"), "{deltas}: {reason}");
    }
}

#[test]
fn keyed_orders_of_one_round_are_inconclusive() {
    for deltas in [256u32, 4097, 65_537] {
        let bits = u32::BITS - (deltas - 1).leading_zeros();
        let order = |number| {
            let mut stream = SEED.stream("keyed").member(number);
            let (add, multiply) = (stream.word(), stream.word() | 1);
            let round = |x: u64| {
                let x = x.wrapping_add(add).wrapping_mul(multiply) & ((1 << bits) - 1);
                x ^ x >> (bits / 2)
            };
            let walked = |position: u32| {
                let mut x = round(position.into());
                while x >= deltas.into() {
                    x = round(x);
                }
                x as u32
            };
            (0..deltas).map(walked).collect()
        };
        let reason = held(deltas, DRAWN, (0..64).map(order).collect()).expect_err("they are no random orders");
        assert!(reason.starts_with("the orders are not as chance gives them"), "{deltas}: {reason}");
    }
}

#[test]
fn fewer_than_four_drawn_orders_and_orders_chosen_by_hand_hold_nothing_about_order_and_say_what_would() {
    for orders in [2, 3] {
        let reason = held(64, DRAWN, drawn(64, orders)).expect_err("they are too few");
        assert!(reason.starts_with(&format!("{orders} drawn orders of 64 deltas say nothing")), "{reason}");
        assert!(reason.contains("--orders sample:64"), "{reason}");
    }
    assert!(held(64, DRAWN, drawn(64, 4)).is_ok());
    let reason = held(64, Claim::Chosen, drawn(64, 10)).expect_err("nobody drew them");
    assert!(reason.starts_with("10 orders chosen by hand say nothing about the others"), "{reason}");
    // Where they are all that there are, they prove it, whoever chose them.
    assert_eq!(held(3, Claim::Chosen, all_orders(3)), Ok(Warrant::Proved { deltas: 3 }));
}

#[test]
fn a_state_that_is_wrong_in_any_one_bit_in_every_order_is_falsified_by_the_truth() {
    for bit in 0..64 {
        // At the end, and before the last delivery alone.
        for after in [None, Some(7)] {
            let mut subject = Accumulates { wrong: 1 << bit, after, ..Accumulates::sound() };
            let chosen = explore::choose(&"sample:8".parse().expect("an explorer"), &workload(8).setting());
            let chosen = chosen.expect("it fits");
            let check = check(&mut [&mut subject], &workload(8), &chosen, &mut Unwatched).check;
            let judged = (check.verdict, check.oracles[&OracleId::Invariance], check.oracles[&OracleId::Truth]);
            assert_eq!(judged, (Verdict::Falsified, Verdict::Holds, Verdict::Falsified), "bit {bit}, {after:?}");
            assert_eq!(check.findings[0].expected.0 ^ check.findings[0].got.0, 1 << bit);
        }
    }
}

#[test]
#[should_panic(expected = "do not deliver each of them once")]
fn an_order_that_delivers_one_delta_twice_is_a_fault_of_the_harness_and_is_not_blamed_on_a_subject() {
    checked(4, Claim::Chosen, vec![vec![0, 1, 2, 2]]);
}
