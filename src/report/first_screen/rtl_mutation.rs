//! The first screen of mutants of the gateware.

use crate::report::document::{Detail, Judgement, Report, rtl_mutation};
use crate::report::format::text::{Shown, Text};
use crate::report::rtl_mutation::RtlMutation;

impl Shown for RtlMutation {
    fn report(&self, _: &str, _: Option<&str>) -> Report {
        rtl_mutation::report(self)
    }

    fn judgement(&self) -> Judgement {
        rtl_mutation::judgement(self)
    }

    fn screen(&self, text: &mut Text, _: Detail) {
        text.cut("abench: mutation of the gateware");
        text.fitted(&rtl_mutation::scores(self));
    }
}
