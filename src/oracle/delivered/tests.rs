//! What is counted is what was delivered.

use super::*;
use crate::domain::delta::Deltas;
use crate::domain::order::Shuffle;

const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

fn delivered(deltas: u64, claim: Claim, orders: &[&[u64]]) -> Result<Delivered, NoPermutation> {
    let values = Deltas::of_engine(SEED);
    let mut delivered = Delivered::new(SEED, deltas, [(claim, orders.len() as u64)]);
    for order in orders {
        delivered.begin(0);
        for part in order.chunks(2) {
            let arrivals: Vec<u64> = part.iter().map(|&index| values.at(index)).collect();
            delivered.deliver(&arrivals)?;
        }
        delivered.end()?;
    }
    Ok(delivered)
}

#[test]
fn what_was_delivered_is_read_from_the_values_that_the_subjects_took() {
    let delivered = delivered(4, Claim::Chosen, &[&[2, 0, 3, 1], &[2, 0, 3, 1], &[0, 1, 2, 3]]).expect("permutations");
    assert_eq!((delivered.orders(), delivered.distinct(), delivered.deliveries()), (3, 2, 12));
    let [measured] = &delivered.measured()[..] else { panic!("there is one explorer") };
    assert_eq!(measured.listed, [[2, 0, 3, 1], [2, 0, 3, 1], [0, 1, 2, 3]]);
}

#[test]
fn what_is_no_permutation_of_the_workload_is_told() {
    let refused = |order: &[u64]| delivered(5, Claim::Chosen, &[order]).err().map(|refused| refused.delivered);
    assert_eq!(refused(&[4, 2, 0, 1, 3]), None);
    for order in [&[0, 1, 2, 3, 3][..], &[0, 1, 2, 3, 5], &[0, 1, 2, 3], &[0, 1, 2, 3, 4, 0], &[1 << 40, 1, 2, 3, 4]] {
        assert!(refused(order).is_some(), "{order:?}");
    }
}

#[test]
fn the_order_by_index_is_known_whatever_it_was_called() {
    let alone = |orders: &[&[u64]]| delivered(3, Claim::Chosen, orders).expect("permutations").by_index_alone();
    assert!(alone(&[&[0, 1, 2]]) && alone(&[&[0, 1, 2], &[0, 1, 2]]));
    assert!(!alone(&[&[0, 1, 2], &[0, 2, 1]]) && !alone(&[&[2, 1, 0]]) && !alone(&[]));
}

#[test]
fn a_claim_that_was_not_delivered_is_no_warrant() {
    let warrant = |claim, orders: &[&[u64]]| {
        let delivered = delivered(3, claim, orders).expect("permutations");
        delivered.warrant(&delivered.measured())
    };
    let all: [&[u64]; 6] = [&[0, 1, 2], &[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]];
    assert_eq!(warrant(Claim::EveryOrder, &all), Ok(Warrant::Proved { deltas: 3 }));
    assert!(matches!(warrant(Claim::EveryOrder, &all[1..]), Err(Unwarranted::FalseClaim(_))));
    let pairs = Claim::EveryTuple { strength: 2 };
    assert_eq!(warrant(pairs, &[all[0], all[5]]), Ok(Warrant::Covered { strength: 2, tuples: 6 }));
    assert!(matches!(warrant(pairs, &[all[0], all[4]]), Err(Unwarranted::FalseClaim(_))));
    assert!(matches!(warrant(Claim::Drawn { by: Shuffle::FisherYates }, &all[..3]), Err(Unwarranted::Nothing(_))));
    assert!(matches!(warrant(Claim::Chosen, &all[..5]), Err(Unwarranted::Nothing(_))));
}

#[test]
fn slices_that_were_delivered_apart_count_as_the_orders_at_once() {
    let orders: Vec<Vec<u64>> = vec![vec![0, 1, 2, 3], vec![0, 1, 3, 2], vec![3, 1, 2, 0], vec![0, 1, 2, 3]];
    let refs: Vec<&[u64]> = orders.iter().map(Vec::as_slice).collect();
    for claim in [Claim::Chosen, Claim::EveryTuple { strength: 2 }, Claim::Drawn { by: Shuffle::FisherYates }] {
        let at_once = delivered(4, claim, &refs).expect("permutations");
        for cut in 0..=orders.len() {
            let mut together = Delivered::new(SEED, 4, [(claim, 4)]);
            // The first slice of drawn orders has all that are looked at: here it is the whole.
            let cut = if matches!(claim, Claim::Drawn { .. }) { orders.len() } else { cut };
            for part in [&refs[..cut], &refs[cut..]] {
                let mut apart = Delivered::new(SEED, 4, [(claim, 4)]);
                for order in part {
                    let values = Deltas::of_engine(SEED);
                    apart.begin(0);
                    let arrivals: Vec<u64> = order.iter().map(|&index| values.at(index)).collect();
                    apart.deliver(&arrivals).and_then(|()| apart.end()).expect("a permutation");
                }
                for slice in apart.into_slices() {
                    let text = serde_json::to_string(&slice).expect("plain data");
                    together.absorb(&serde_json::from_str(&text).expect("a slice")).expect("it is one of these");
                }
            }
            let told = |of: &Delivered| {
                let [Measured { orders, digest, tuples, audit, listed }] = &of.measured()[..] else {
                    panic!("there is one explorer")
                };
                let counted = (of.orders(), of.distinct(), of.deliveries(), of.by_index_alone());
                (*orders, digest.clone(), *tuples, audit.clone(), listed.clone(), counted)
            };
            assert_eq!(told(&together), told(&at_once), "{claim:?}, cut at {cut}");
        }
    }
}

#[test]
fn a_slice_that_cannot_have_been_delivered_is_refused_and_counts_nothing() {
    let slice =
        |orders: &[&[u64]]| delivered(3, Claim::EveryOrder, orders).expect("permutations").into_slices().remove(0);
    let text = serde_json::to_string(&slice(&[&[0, 2, 1], &[1, 0, 2]])).expect("plain data");
    let refused = |from: &str, to: &str| {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "{from} stands in {text}");
        let mut together = Delivered::new(SEED, 3, [(Claim::EveryOrder, 6)]);
        let refused = together.absorb(&serde_json::from_str(&edited).expect("a slice")).expect_err("it is edited");
        assert_eq!((together.orders(), together.distinct()), (0, 0));
        refused
    };
    assert_eq!(refused("\"explorer\":0", "\"explorer\":7"), "there is no explorer of this number");
    assert_eq!(refused("[\"1\",2]", "[\"1\",18446744073709551615]"), "there are more orders than were planned");
    assert_eq!(refused("[\"1\",2]", "[\"6\",2]"), "an order has a rank that no order has");
    assert_eq!(refused("[0,2,1]", "[0,2,2]"), "the listed orders are not those of the deltas");
    assert_eq!(refused("[0,2,1]", "[0,2,4000000000]"), "the listed orders are not those of the deltas");
}
