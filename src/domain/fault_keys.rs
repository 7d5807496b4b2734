//! Which keys a fault of a node takes, by its kind.

use crate::domain::offline::{FaultKind, NodeFault, OfflineTrial};

impl OfflineTrial {
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
