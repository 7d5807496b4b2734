//! Steps for engines that carry stocks.

use super::pair::{Pair, fields, unequal};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::{DataType, Intent, Spending, View};
use crate::engine::port::EngineError;

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[Trial {
    name: "units that are not there are refused",
    advice: "answer a 'take' or a 'transfer' that your rule does not allow with the effect 'refuse'; show a stock as { \"left\": \"5\" }",
    asked: Asked::OfWhoCarries(DataType::Stock, "it carries no stocks: 'stocks' is not in its answer to 'hello'"),
    does: refuses_what_is_not_there,
}];

fn refuses_what_is_not_there(pair: &mut Pair) -> Result<Done, EngineError> {
    let stock = fields(pair.engine).first(DataType::Stock);
    pair.edit(0, stock, Intent::Supply(10))?;
    if pair.is_refused(0, stock, Intent::Take(3))? {
        return Ok(refuses_too_much("10 units were supplied, and it does not let its user take 3"));
    }
    if !pair.is_refused(0, stock, Intent::Take(8))? {
        return Ok(Done::No("10 units were supplied and 3 taken, and it lets its user take 8".to_owned()));
    }
    pair.connect()?;
    pair.talk(&[])?;
    pair.edit(HUB, stock, Intent::Supply(1))?;
    pair.talk(&[])?;
    let by_rights = pair.engine.carries.stocks == Some(Spending::Rights);
    if by_rights {
        // The hub holds rights to the one unit that it supplied, and to those that it receives.
        if !pair.is_refused(HUB, stock, Intent::Take(2))? {
            return Ok(Done::No("a replica that holds rights to 1 unit lets its user take 2".to_owned()));
        }
        if pair.is_refused(0, stock, Intent::Transfer { to: HUB, units: 5 })? {
            return Ok(refuses_too_much("a replica that holds rights to 7 units does not let its user transfer 5"));
        }
        if !pair.is_refused(0, stock, Intent::Take(3))? {
            return Ok(Done::No("rights to 5 of 7 units were transferred, and it lets its user take 3".to_owned()));
        }
        pair.talk(&[])?;
    }
    if pair.is_refused(HUB, stock, Intent::Take(6))? {
        let why = if by_rights {
            "a replica that holds rights to 6 units does not let its user take 6"
        } else {
            "8 units were left, and it does not let its user take 6"
        };
        return Ok(refuses_too_much(why));
    }
    pair.talk(&[])?;
    let (shown, left) = ([pair.view(0, stock)?, pair.view(HUB, stock)?], View::Stock(2));
    Ok(if shown.iter().all(|view| *view == left) {
        Done::Yes(format!("units are taken {}", if by_rights { Spending::Rights } else { Spending::Shown }.told()))
    } else {
        Done::Needs(
            unequal(&shown, &[left]),
            "count each supply and each take once at every replica, and send them until the peer has them",
        )
    })
}

fn refuses_too_much(why: &str) -> Done {
    Done::Needs(why.to_owned(), "refuse a 'take' or a 'transfer' only where your rule does not allow it")
}
