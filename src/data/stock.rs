//! Stocks: units that users supply, take and transfer rights to.
//!
//! What is left is what was supplied less what was taken, whatever users saw. So the view is judged as a sum, like a counter.
//! What a stock forbids beside that is overspending: at no instant may more units have been taken than were supplied until
//! then, in the order of true time. Nobody can put a unit back that was handed out twice, and no merge can undo that.
//! What was taken counts from the moment that its user saw it accepted, whatever became of the device's store.
//!
//! An engine that is to refuse a user offline, and no more often than it must, needs rights that were handed out before: a
//! bounded counter (Balegas et al., "Extending eventually consistent cloud databases for enforcing numeric invariants",
//! SRDS 2015), which goes back to escrow (O'Neil, "The escrow transactional method", ACM TODS 11(4), 1986).
//!
//! | rule | what it forbids | for whom |
//! |---|---|---|
//! | overspent | more units taken than supplied, at any instant | all |
//! | refused | a refused take of units to which the device holds rights for certain | who spends by rights |
//! | refused | a refused take or transfer of units that the replica shows | who spends what is shown |

use crate::domain::data::Intent;

/// Does what a user intends; gives whether the number of units that are left changed.
pub fn apply(left: &mut i64, intent: Intent) -> bool {
    let amount = match intent {
        Intent::Supply(_) | Intent::Take(_) => intent.amount().unwrap_or(0),
        _ => 0,
    };
    *left = left.wrapping_add(amount);
    amount != 0
}

/// What a device did to a stock, with the true time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// When, in microseconds.
    pub at: u64,
    /// By which device.
    pub device: u32,
    /// What.
    pub intent: Intent,
    /// Whether its user saw it accepted. Where a crash came first, nobody knows.
    pub is_accepted: bool,
}

/// A take of more units than were left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overspent {
    /// The take.
    pub take: Done,
    /// How many units were left before it; below 0 where too many were taken already.
    pub left: i64,
}

impl Overspent {
    /// How many of the units were not there.
    pub fn missing(&self) -> u64 {
        u64::from(self.take.intent.spends()).saturating_sub(self.left.max(0) as u64)
    }
}

/// What all devices together did to a stock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Units that were supplied.
    pub supplied: u64,
    /// Takes that users saw accepted.
    pub takes: u64,
    /// Their units.
    pub taken: u64,
    /// Every take of more units than were left, in the order of time.
    pub overspent: Vec<Overspent>,
}

/// Puts what was done in the order of time. Of what happened at the same instant, units are supplied first. A supply that may
/// have been accepted counts, and a take that may have been does not.
pub fn account(done: &mut [Done]) -> Account {
    done.sort_by_key(|done| (done.at, done.intent.spends() > 0, done.device));
    let (mut account, mut left) = (Account::default(), 0i64);
    for done in done.iter() {
        match done.intent {
            Intent::Supply(units) => {
                account.supplied += u64::from(units);
                left += i64::from(units);
            }
            Intent::Take(units) if done.is_accepted => {
                if left < i64::from(units) {
                    account.overspent.push(Overspent { take: *done, left });
                }
                (account.takes, account.taken) = (account.takes + 1, account.taken + u64::from(units));
                left -= i64::from(units);
            }
            _ => {}
        }
    }
    account
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(at: u64, device: u32, intent: Intent) -> Done {
        Done { at, device, intent, is_accepted: true }
    }

    fn short(done: &[Done]) -> Vec<(u64, i64)> {
        account(&mut done.to_vec()).overspent.into_iter().map(|over| (over.take.at, over.left)).collect()
    }

    #[test]
    fn a_take_of_more_units_than_were_left_at_that_instant_is_overspent() {
        let supplied = [done(5, 0, Intent::Supply(10))];
        assert_eq!(short(&[&supplied[..], &[done(6, 1, Intent::Take(10))]].concat()), []);
        let twice = [done(6, 1, Intent::Take(7)), done(7, 2, Intent::Take(7))];
        assert_eq!(short(&[&supplied[..], &twice].concat()), [(7, 3)]);
        // What is supplied later comes too late.
        let later = [done(6, 1, Intent::Take(11)), done(9, 0, Intent::Supply(50))];
        assert_eq!(short(&[&supplied[..], &later].concat()), [(6, 10)]);
    }

    #[test]
    fn units_are_counted_and_those_that_were_not_there_once() {
        let supplied = done(5, 0, Intent::Supply(10));
        let takes = [done(6, 1, Intent::Take(7)), done(7, 2, Intent::Take(7)), done(8, 2, Intent::Take(1))];
        let Account { supplied, takes, taken, overspent } = account(&mut [&[supplied][..], &takes].concat());
        assert_eq!((supplied, takes, taken), (10, 3, 15));
        assert_eq!(overspent.iter().map(Overspent::missing).collect::<Vec<_>>(), [4, 1]);
    }

    #[test]
    fn of_one_instant_what_is_supplied_comes_first_and_transfers_take_nothing() {
        let transfer = Intent::Transfer { to: 1, units: 9 };
        assert_eq!(short(&[done(5, 1, Intent::Take(4)), done(5, 0, Intent::Supply(4)), done(4, 0, transfer)]), []);
    }

    #[test]
    fn a_take_that_nobody_saw_accepted_takes_nothing_and_such_a_supply_counts() {
        let unseen = |at, intent| Done { is_accepted: false, ..done(at, 0, intent) };
        assert_eq!(short(&[unseen(1, Intent::Supply(3)), unseen(2, Intent::Take(2)), done(3, 1, Intent::Take(3))]), []);
        assert_eq!(
            short(&[unseen(1, Intent::Supply(3)), done(2, 0, Intent::Take(1)), done(3, 1, Intent::Take(3))]),
            [(3, 2)]
        );
    }

    #[test]
    fn what_is_left_is_what_was_supplied_less_what_was_taken() {
        let mut left = 0;
        assert!(apply(&mut left, Intent::Supply(5)));
        assert!(apply(&mut left, Intent::Take(7)));
        assert!(!apply(&mut left, Intent::Transfer { to: 1, units: 3 }));
        assert!(!apply(&mut left, Intent::Increase(3)));
        assert_eq!(left, -2);
    }
}
