//! Which keys a fault of a node takes, by its kind.

use std::collections::BTreeSet;

use crate::domain::offline::{FaultKind, NodeFault, OfflineTrial};

impl FaultKind {
    /// Which keys a step with it takes, beside its node; keys in brackets may be left out.
    pub fn keys(self) -> &'static str {
        match self {
            FaultKind::Retire => "",
            FaultKind::Drop => "to, nth, [message]",
            FaultKind::Import => "from, [for_s]",
            FaultKind::Freeze => "for_s, [messages]",
            FaultKind::Full | FaultKind::Refuse | FaultKind::ReadOnly | FaultKind::SignedOut => "for_s",
            _ => "[for_s]",
        }
    }
}

/// Why the last client of a world without a hub does not retire.
pub(super) const NOBODY_IS_LEFT: &str =
    "all clients retire, and there is no hub: nobody is left whom a judge could ask; let one client stay";

impl OfflineTrial {
    /// Whether nobody is left where these clients have retired.
    pub(super) fn leaves_nobody(&self, retired: &BTreeSet<u32>) -> bool {
        !self.hub && retired.len() as u64 == u64::from(self.clients)
    }

    /// Why a fault's keys do not go together with its kind, if they do not.
    pub(super) fn wrong_fault_keys(&self, number: usize, fault: &NodeFault) -> Option<String> {
        let kind = fault.kind;
        let key = |name: &str| format!("faults[{number}].{name}");
        let given = [
            ("from", fault.from.is_some(), kind == FaultKind::Import),
            ("to", fault.to.is_some(), kind == FaultKind::Drop),
            ("nth", fault.nth.is_some(), kind == FaultKind::Drop),
            ("message", fault.message.is_some(), kind == FaultKind::Drop),
            ("messages", fault.messages.is_some(), kind == FaultKind::Freeze),
        ];
        if let Some((name, ..)) = given.into_iter().find(|&(_, given, allowed)| given && !allowed) {
            return Some(format!("{} is not allowed for kind = '{}'; leave it out", key(name), kind.name()));
        }
        let lasts = kind.lasts() && kind != FaultKind::Outage;
        if lasts && fault.for_s == 0 {
            return Some(format!("{} = 0 lasts no time; kind = '{}' takes 1 s or more", key("for_s"), kind.name()));
        }
        if matches!(kind, FaultKind::Drop | FaultKind::Retire) && fault.for_s > 0 {
            return Some(format!(
                "{} = {} is not allowed: kind = '{}' is over at once, or never; leave it out",
                key("for_s"),
                fault.for_s,
                kind.name()
            ));
        }
        let node = self.node(&fault.node)?;
        match kind {
            FaultKind::Retire if node >= self.clients => {
                Some(format!("{} = '{}' cannot retire; allowed are clients", key("node"), fault.node))
            }
            FaultKind::SignedOut if node >= self.clients => {
                Some(format!("{} = '{}' has no user who signs in; allowed are clients", key("node"), fault.node))
            }
            FaultKind::Import => self.wrong_other(&key("from"), fault.from.as_deref(), node),
            FaultKind::Drop => self.wrong_other(&key("to"), fault.to.as_deref(), node).or_else(|| {
                let to = self.node(fault.to.as_deref()?)?;
                let linked = self.parent(node) == Some(to)
                    || self.parent(to) == Some(node)
                    || !self.hub && self.parent(node).is_none() && self.parent(to).is_none();
                let nth = fault.nth.filter(|&nth| nth > 0).is_none();
                if !linked {
                    Some(format!("{} = '{}' has no link with {}", key("to"), fault.to.as_deref()?, fault.node))
                } else {
                    nth.then(|| format!("{} is missing or 0: it says which message is dropped, from 1", key("nth")))
                }
            }),
            _ => None,
        }
    }

    /// Why this is not the name of another node.
    fn wrong_other(&self, key: &str, name: Option<&str>, node: u32) -> Option<String> {
        match name.map(|name| (name, self.node(name))) {
            None => Some(format!("{key} is missing; allowed are client N, hub and edges")),
            Some((name, None)) => {
                Some(format!("{key} = '{}' is not there; allowed are client N, hub and edges", name.escape_debug()))
            }
            Some((name, Some(other))) if other == node => {
                Some(format!("{key} = '{}' is the node itself; name another", name.escape_debug()))
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::offline::{MessageKind, WhileFrozen};

    #[test]
    fn keys_that_do_not_go_with_a_kind_of_fault_are_refused_and_named() {
        let of = |kind, node: &str| NodeFault { kind, node: node.to_owned(), at_s: 10, ..NodeFault::default() };
        let hub = || Some("hub".to_owned());
        let cases = [
            (
                NodeFault { from: hub(), ..of(FaultKind::Wipe, "client 0") },
                "faults[0].from is not allowed for kind = 'wipe'",
            ),
            (
                NodeFault { messages: Some(WhileFrozen::Lost), ..of(FaultKind::Full, "hub") },
                "faults[0].messages is not allowed",
            ),
            (NodeFault { message: Some(MessageKind::Data), ..of(FaultKind::Crash, "hub") }, "faults[0].message is not"),
            (of(FaultKind::Full, "hub"), "faults[0].for_s = 0 lasts no time; kind = 'full'"),
            (NodeFault { for_s: 5, ..of(FaultKind::Retire, "client 0") }, "faults[0].for_s = 5 is not allowed"),
            (of(FaultKind::Retire, "hub"), "faults[0].node = 'hub' cannot retire; allowed are clients"),
            (
                NodeFault { for_s: 5, ..of(FaultKind::SignedOut, "hub") },
                "faults[0].node = 'hub' has no user who signs in; allowed are clients",
            ),
            (of(FaultKind::SignedOut, "client 0"), "faults[0].for_s = 0 lasts no time"),
            (of(FaultKind::Import, "client 0"), "faults[0].from is missing; allowed are client N"),
            (
                NodeFault { from: Some("nobody".into()), ..of(FaultKind::Import, "hub") },
                "faults[0].from = 'nobody' is not there",
            ),
            (NodeFault { from: hub(), ..of(FaultKind::Import, "hub") }, "faults[0].from = 'hub' is the node itself"),
            (of(FaultKind::Drop, "client 0"), "faults[0].to is missing"),
            (NodeFault { to: hub(), ..of(FaultKind::Drop, "client 0") }, "faults[0].nth is missing or 0"),
            (
                NodeFault { to: Some("client 1".into()), nth: Some(1), ..of(FaultKind::Drop, "client 0") },
                "faults[0].to = 'client 1' has no link with client 0",
            ),
        ];
        let trial: OfflineTrial = toml::from_str(
            "seed = '1'\nclients = 4\n[workload]\nticks = 2\nchanged = 1\n\
             [presence]\nlasts_s = 1000\naway_s = [1, 2]\nhere_s = [1, 2]\n",
        )
        .expect("a world");
        for (fault, said) in cases {
            let refused = OfflineTrial { faults: vec![fault], ..trial.clone() }.impossible().expect("it is refused");
            assert!(refused.starts_with(said), "{refused}, and not {said}");
        }
        let drop = NodeFault { to: hub(), nth: Some(1), ..of(FaultKind::Drop, "client 0") };
        assert_eq!(OfflineTrial { faults: vec![drop], ..trial }.impossible(), None);
    }

    #[test]
    fn of_a_world_without_a_hub_not_all_clients_retire_be_it_drawn_or_written() {
        let world = "seed = '1'\nclients = 2\nhub = false\n";
        let drawn =
            "[workload]\nticks = 2\nchanged = 1\n[presence]\nlasts_s = 1000\naway_s = [1, 2]\nhere_s = [1, 2]\n";
        let impossible = |rest: &str| toml::from_str::<OfflineTrial>(&format!("{world}{rest}")).expect("a world");
        let fault = |client: u32| format!("{{ kind = 'retire', node = 'client {client}', at_s = 5 }}");
        let [one, other] = [fault(0), fault(1)];
        assert_eq!(impossible(&format!("faults = [{one}]\n{drawn}")).impossible(), None);
        let refused = impossible(&format!("faults = [{one}, {other}]\n{drawn}")).impossible().expect("it is refused");
        assert!(refused.starts_with("faults[1].kind = 'retire': all clients retire"), "{refused}");
        let steps = |names: &str| impossible(&format!("steps = [{names}]\n")).impossible_steps();
        assert_eq!(steps("{ retire = 'client 0' }"), None);
        let refused = steps("{ retire = 'client 0' }, { retire = 'client 1' }").expect("it is refused");
        assert_eq!((refused.step, refused.reason.starts_with("all clients retire")), (1, true));
    }
}
