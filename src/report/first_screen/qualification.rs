//! The first screen of a qualification: the scores, and what nobody found.

use crate::domain::count::counted;
use crate::domain::shown::percent;
use crate::domain::verdict::Verdict;
use crate::report::document::{Detail, Judgement, Report, qualification};
use crate::report::first_screen::{elsewhere, room};
use crate::report::format::text::{Shown, Text};
use crate::report::qualification::Qualification;
use crate::report::qualification::devices::{Coverage, DeviceQualification};
use crate::report::qualification::mutants::{EngineQualification, Kind};

impl Shown for Qualification {
    fn report(&self, _: &str, _: Option<&str>) -> Report {
        Report { judgement: self.judgement(), ..qualification::report(self) }
    }

    fn judgement(&self) -> Judgement {
        let judgement = qualification::judgement(self);
        let holds = (judgement.verdict == Verdict::Holds).then(|| self.devices.as_ref().and_then(coverage)).flatten();
        match holds {
            Some(remark) => Judgement { remark, ..judgement },
            None => judgement,
        }
    }

    fn screen(&self, text: &mut Text, detail: Detail) {
        let devices = self.devices.as_ref().map(|of| devices(&self.abench, of));
        let engines = self.engines.as_ref().map(|of| engines(&self.abench, of));
        let parts: Vec<Vec<String>> = devices.into_iter().chain(engines).collect();
        let room = room(text, &Text::new(text.width()), detail) / parts.len().max(1);
        for part in &parts {
            let shown = if part.len() > room { room - 1 } else { part.len() };
            part[..shown].iter().for_each(|line| text.cut(line));
            if part.len() > shown {
                let place = elsewhere(detail, Detail::Checks);
                text.cut(&format!("  and {} more lines ({place})", part.len() - shown));
            }
        }
    }
}

/// The coverages below all, of a qualification that holds: what scenarios expect decided about those.
fn coverage(of: &DeviceQualification) -> Option<String> {
    let each = of.controls.iter().zip(&of.by_scenario).filter(|(_, coverage)| !coverage.reaches(100));
    let share =
        |coverage: &Coverage| percent((coverage.detected * 1000).checked_div(coverage.detectable()).unwrap_or(0));
    let told: Vec<(&str, String)> =
        each.map(|(control, coverage)| (control.scenario.as_str(), share(coverage))).collect();
    match &told[..] {
        [] => None,
        [(_, share)] if of.controls.len() == 1 => Some(format!(": {share}, at least what the scenario expects")),
        several => {
            let several: Vec<String> = several.iter().map(|(scenario, share)| format!("{scenario} {share}")).collect();
            Some(format!(": {}, at least what is expected", several.join(", ")))
        }
    }
}

/// What faults planted in a device came to, in lines.
fn devices(abench: &str, of: &DeviceQualification) -> Vec<String> {
    let DeviceQualification { backend, evidence, together, controls, by_scenario, .. } = of;
    let mut lines = vec![format!("abench {abench}: qualification on {backend} (evidence {evidence})")];
    if of.void {
        lines.push("  void: a control is not sound, so that nothing that is found would mean anything".to_owned());
        let unsound = controls.iter().filter(|control| !control.sound);
        lines.extend(unsound.map(|control| {
            format!("  {}: not sound, verdict {}: {}", control.scenario, control.verdict, control.reason)
        }));
    } else if !of.interrupted {
        lines.push(format!("  fault coverage, all scenarios together: {together}"));
    }
    if of.interrupted {
        lines.push(format!("  stopped by the user: {} of {} mutants planted", of.mutants.len(), of.planned));
    }
    if of.crashed {
        lines.push("  the harness crashed, which is a fault of abench and no detection".to_owned());
    }
    lines.extend(of.unmet.iter().map(|unmet| format!("  - {unmet}")));
    if !of.void && !of.interrupted {
        let each = controls.iter().zip(by_scenario);
        lines.extend(each.map(|(control, coverage)| format!("  {}: {coverage}", control.scenario)));
    }
    lines.extend(qualification::missed(of).into_iter().map(|((outcome, reason), labels)| {
        let more = if labels.len() > 1 { format!(" and {} more", labels.len() - 1) } else { String::new() };
        format!("  {outcome:<14}{}{more}: {reason}", labels[0])
    }));
    lines
}

/// What mutants of engines came to, in lines.
fn engines(abench: &str, of: &EngineQualification) -> Vec<String> {
    let EngineQualification { scenarios, score, by_worlds, by_walks, mutants, planned, .. } = of;
    let all = |kind: Kind| scenarios.iter().filter(|scenario| scenario.kind == kind).count() as u64;
    let (worlds, walks) = (counted(all(Kind::World), "world"), counted(all(Kind::Walk), "walk"));
    let mut lines = vec![format!("abench {abench}: mutants of engines under {worlds} and {walks}")];
    if of.interrupted {
        lines.push(format!("  stopped by the user: {} of {planned} mutants planted", mutants.len()));
    } else {
        lines.push(format!("  mutation score: {score}"));
        if by_worlds.planted > 0 {
            lines.push(format!("  by drawn worlds alone: {by_worlds}"));
        }
        if by_walks.planted > 0 {
            lines.push(format!("  by crash walks alone, of the mutants that a walk can show: {by_walks}"));
        }
    }
    lines.push(format!("  by each judge alone: {}", qualification::counts(&of.by_judge)));
    if of.crashed {
        lines.push("  the harness crashed, which is a fault of abench and kills no mutant".to_owned());
    }
    lines.extend(of.unmet.iter().map(|unmet| format!("  - {unmet}")));
    lines
}
