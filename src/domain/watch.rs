//! How long work reports that it advances, and learns that it should stop.

/// Told of progress by everything that may take long; asked whether to go on.
///
/// A watch never changes a result: it can only end a run early, which is then inconclusive.
pub trait Watch {
    /// A stage of `total` units of work begins; of 0 where nobody knows how many there are.
    fn begin(&mut self, stage: &str, total: u64);
    /// What the units of the stage that has begun are, in the plural: "deltas". Without it the stage's name says so.
    fn unit(&mut self, _units: &'static str) {}
    /// So many more units of the stage are done.
    fn advance(&mut self, units: u64);
    /// So many thousandths of further units are done: of those that have begun, together.
    fn within(&mut self, _thousandths: u64) {}
    /// So many more states are visited in walks that are units of the stage, or parts of them, the last of them so many steps
    /// from its start. Nobody knows how many there are: a stage that visits states has no share of its work, and no time left.
    fn states(&mut self, _states: u64, _depth: u64) {}
    /// The stage is over, whether or not all of its work was done.
    fn end(&mut self);
    /// Whether the user asked to stop.
    fn stop_requested(&self) -> bool;
}

/// Watches nothing and never stops: for tests and for callers without a terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        false
    }
}
