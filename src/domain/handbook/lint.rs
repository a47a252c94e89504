//! The linter: what reading the pages says, and what else a careful colleague would.

use jiff::civil::Date;

use super::{
    Handbook, StepKind, Steps,
    load::{Page, read_all},
    raw::RawCheck,
};
use crate::domain::{
    diagnosis::{Catalog, TargetKind},
    document::{Level, Path, Problem, did_you_mean},
};

/// After so many days without a review a page is stale (the handbook, section 7: it is checked
/// regularly; twice a year is the least that can be called so).
pub const STALE_AFTER_DAYS: i64 = 180;

/// What pages are held against.
#[derive(Clone, Copy, Debug)]
pub struct Lint<'a> {
    /// Every probe there is.
    pub catalog: &'a Catalog,
    /// Every step of the handbook.
    pub steps: &'a Steps,
    /// The configured targets; `None` when there is no configuration to hold the pages against.
    pub targets: Option<&'a [(String, TargetKind)]>,
    /// Today; `None` when staleness does not matter.
    pub today: Option<Date>,
}

/// What the linter has found.
#[derive(Debug)]
pub struct Linted {
    /// The handbook, when every page can be used.
    pub handbook: Option<Handbook>,
    /// Every mistake and every warning, file by file, from the top.
    pub problems: Vec<Problem>,
}

impl Linted {
    /// Whether there is an error, or with `deny_warnings` anything at all.
    #[must_use]
    pub fn fails(&self, deny_warnings: bool) -> bool {
        let errors = |problem: &Problem| problem.level == Level::Error;
        (deny_warnings && !self.problems.is_empty()) || self.problems.iter().any(errors)
    }
}

impl Lint<'_> {
    /// Reads `files` and says everything that is to be said about them.
    #[must_use]
    pub fn run<N: AsRef<str>, T: AsRef<str>>(
        self,
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Linted {
        let files: Vec<(N, T)> = files.into_iter().collect();
        let order: Vec<String> = files
            .iter()
            .map(|(file, _)| file.as_ref().to_owned())
            .collect();
        let read = read_all(files, self.catalog);
        let mut problems = read.problems;
        problems.extend(read.too_large);
        for page in &read.pages {
            self.page(page, &mut problems);
        }
        problems.sort_by_key(|problem| {
            let file = order.iter().position(|file| *file == problem.file);
            (file, problem.line, problem.column)
        });
        Linted {
            handbook: read.handbook,
            problems,
        }
    }

    fn page(self, page: &Page, problems: &mut Vec<Problem>) {
        self.head(page, problems);
        let raw = &page.document.value;
        for (list, checks, kinds) in [
            (
                "check",
                &raw.check,
                &[StepKind::Diagnose, StepKind::Prevent][..],
            ),
            (
                "prevent",
                &raw.prevent,
                &[StepKind::Prevent, StepKind::Diagnose, StepKind::Flow],
            ),
        ] {
            for (n, check) in checks.iter().enumerate() {
                let path = Path::root().key(list).at(n);
                self.covers(page, &check.covers, &path, kinds, problems);
                self.target(page, check, &path, problems);
            }
        }
        for (n, remedy) in raw.remedy.iter().enumerate() {
            let path = Path::root().key("remedy").at(n);
            self.covers(page, &remedy.covers, &path, &[StepKind::Remedy], problems);
        }
    }

    fn head(self, page: &Page, problems: &mut Vec<Problem>) {
        let Some(head) = &page.document.value.runbook else {
            return;
        };
        let path = Path::root().key("runbook");
        if let Some(section) = &head.section
            && !self.steps.has_section(section)
        {
            let sections = self.steps.iter().map(|step| step.section.as_str());
            let near = crate::domain::document::closest(section, sections);
            let message = format!("the handbook has no section {section}");
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let problem = page.document.problem(&path.key("section"), message);
            problems.push(problem.maybe_hint(hint));
        }
        let reviewed = head.reviewed.and_then(super::raw::RawDate::date);
        if let (Some(today), Some(reviewed)) = (self.today, reviewed) {
            let days = days_between(reviewed, today);
            let message = if days > STALE_AFTER_DAYS {
                format!("nobody has reviewed this page for {days} days")
            } else if days < 0 {
                "the review lies in the future".to_owned()
            } else {
                return;
            };
            let hint = "read it, try its checks in a drill, and write the new date";
            let problem = page.document.problem(&path.key("reviewed"), message);
            problems.push(problem.hint(hint).warning());
        }
    }

    fn covers(
        self,
        page: &Page,
        covers: &[String],
        path: &Path,
        kinds: &[StepKind],
        problems: &mut Vec<Problem>,
    ) {
        for (n, id) in covers.iter().enumerate() {
            let path = path.key("covers").at(n);
            let Some(step) = self.steps.get(id) else {
                let same = self
                    .steps
                    .iter()
                    .filter(|step| step.section == page.section());
                let hint = did_you_mean(id, same.map(|step| step.id.as_str()));
                let message = format!("the handbook has no step `{id}`");
                problems.push(page.document.problem(&path, message).maybe_hint(hint));
                continue;
            };
            if !kinds.contains(&step.kind) {
                let message = format!(
                    "{id} asks for a step of kind {}: {}",
                    step.kind.word(),
                    step.asks
                );
                problems.push(page.document.problem(&path, message).warning());
            }
        }
    }

    fn target(self, page: &Page, check: &RawCheck, path: &Path, problems: &mut Vec<Problem>) {
        let (Some(targets), Some(target)) = (self.targets, &check.target) else {
            return;
        };
        let path = path.key("target");
        let spec = check
            .probe
            .as_deref()
            .and_then(|probe| self.catalog.get(probe));
        match targets.iter().find(|(name, _)| name == target) {
            None => {
                let names = targets.iter().map(|(name, _)| name.as_str());
                let hint = did_you_mean(target, names);
                let message = format!("targets.toml has no target `{target}`");
                let problem = page.document.problem(&path, message).maybe_hint(hint);
                problems.push(problem.warning());
            }
            Some((_, kind)) => {
                if let Some(spec) = spec
                    && !spec.targets.is_empty()
                    && !spec.targets.contains(kind)
                {
                    let takes: Vec<&str> = spec.targets.iter().map(|kind| kind.word()).collect();
                    let message = format!(
                        "`{target}` is a {} target, and {} looks at {}",
                        kind.word(),
                        spec.name,
                        takes.join(" or ")
                    );
                    problems.push(page.document.problem(&path, message));
                }
            }
        }
    }
}

fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}
