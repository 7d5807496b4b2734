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
