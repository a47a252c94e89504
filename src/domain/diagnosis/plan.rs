//! What a run does: checks of one page or of several, each with the parameters that it is judged by. Pure.

use std::sync::Arc;

use crate::domain::{
    handbook::{
        ALL_PAGES, Borrowed, Check, Handbook, Lent, Manual, PATROL, Params, Relation, Runbook,
    },
    ids::{CheckId, CheckRef},
    text::Text,
};

/// A check and the parameters that fill its arguments, conditions and sentences.
#[derive(Clone, Debug)]
pub struct Step {
    /// The check.
    pub check: Arc<Check>,
    /// The parameters: those of the run for a page's own checks, the defaults of its page for others.
    pub params: Arc<Params>,
}

impl Step {
    /// Which check it is.
    #[must_use]
    pub fn id(&self) -> CheckRef {
        CheckRef {
            page: self.check.page.clone(),
            id: self.check.id.clone(),
        }
    }
}

/// A check that is not run, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// The page.
    pub page: String,
    /// The check; `None` for the whole page.
    pub check: Option<CheckId>,
    /// The stable code of the reason.
    pub reason: &'static str,
    /// The reason for the reader.
    pub say: Text,
    /// Whether the answer is less sure without it: then nothing found is no all-clear.
    pub missed: bool,
}

/// What a run does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The page's id, or a name for several pages together.
    pub name: String,
    /// What it is called.
    pub title: Text,
    /// The section of the handbook; empty for several pages.
    pub section: String,
    /// The version of all that it runs (SHA-256).
    pub hash: String,
    /// The checks, in the order of the report.
    pub steps: Vec<Step>,
    /// What a person looks at.
    pub manual: Vec<Arc<Manual>>,
    /// What is not run.
    pub left_out: Vec<LeftOut>,
    /// Which cause follows from which.
    pub relation: Arc<Relation>,
}

impl LeftOut {
    /// As it is called in a report of `home`: the page is named where it is another.
    #[must_use]
    pub fn seen_from(&self, home: &str) -> String {
        match &self.check {
            None => self.page.clone(),
            Some(check) if self.page == home => check.to_string(),
            Some(check) => format!("{}/{check}", self.page),
        }
    }
}

impl Plan {
    /// Whether it is of several pages, of which none was asked by its name.
    #[must_use]
    pub fn is_of_several(&self) -> bool {
        self.section.is_empty()
    }

    /// Every check of `page`, its own and the borrowed ones, with `params` for its own.
    #[must_use]
    pub fn of_page(handbook: &Handbook, page: &Runbook, params: Params) -> Self {
        let params = Arc::new(params);
        let own = page.checks.iter().map(|check| Step {
            check: Arc::clone(check),
            params: Arc::clone(&params),
        });
        let mut plan = Self {
            name: page.id.to_string(),
            title: page.title.clone(),
            section: page.section.clone(),
            hash: page.hash.clone(),
            steps: own.collect(),
            manual: page.looks.clone(),
            left_out: Vec::new(),
            relation: Arc::clone(&handbook.relation),
        };
        for borrowed in &page.borrowed {
            plan.borrow(borrowed);
        }
        plan
    }

    /// Every check of every page of `handbook`, with the defaults of its page's parameters. A check
    /// that needs a parameter that has none is left out, and so are pages that can't be used.
    #[must_use]
    pub fn of_all(handbook: &Handbook) -> Self {
        let mut plan = Self {
            name: ALL_PAGES.to_owned(),
            title: Text::new("The whole system", "整个系统"),
            section: String::new(),
            hash: handbook.hash(),
            steps: Vec::new(),
            manual: Vec::new(),
            left_out: Vec::new(),
            relation: Arc::clone(&handbook.relation),
        };
        for page in handbook.pages.values() {
            plan.add_all(&page.checks, &Arc::new(page.defaults()));
            plan.manual.extend(page.looks.iter().cloned());
        }
        plan.leave_out_broken(handbook);
        plan
    }

    /// The preventions of `page`, or of every page of `handbook`.
    #[must_use]
    pub fn of_patrol(handbook: &Handbook, page: Option<&Runbook>) -> Self {
        let mut plan = Self {
            name: PATROL.to_owned(),
            title: Text::new("Patrol", "巡检"),
            section: String::new(),
            hash: handbook.hash(),
            steps: Vec::new(),
            manual: Vec::new(),
            left_out: Vec::new(),
            relation: Arc::clone(&handbook.relation),
        };
        if let Some(page) = page {
            plan.name = format!("{PATROL} {}", page.id);
            plan.title = Text::new(
                format!("Patrol, {}", page.title.en),
                format!("巡检：{}", page.title.zh),
            );
            plan.section.clone_from(&page.section);
            plan.hash.clone_from(&page.hash);
        }
        let asked = handbook.pages.values().map(AsRef::as_ref);
        for one in asked.filter(|one| page.is_none_or(|page| page.id == one.id)) {
            plan.add_all(&one.prevent, &Arc::new(one.defaults()));
            plan.manual.extend(one.manual.iter().cloned());
        }
        if page.is_none() {
            plan.leave_out_broken(handbook);
        }
        plan
    }

    fn add_all(&mut self, checks: &[Arc<Check>], defaults: &Arc<Params>) {
        for check in checks {
            let step = Step {
                check: Arc::clone(check),
                params: Arc::clone(defaults),
            };
            match check.uses.iter().find(|name| !defaults.contains_key(*name)) {
                None => self.steps.push(step),
                Some(name) => self.left_out.push(LeftOut {
                    page: check.page.to_string(),
                    check: Some(check.id.clone()),
                    reason: "needs-parameter",
                    say: Text::new(
                        format!("it needs the parameter {name}: /diagnose {}", check.page),
                        format!("需要参数 {name}：/diagnose {}", check.page),
                    ),
                    missed: false,
                }),
            }
        }
    }

    /// Pages of which no version is in force: what they would have seen is missing.
    fn leave_out_broken(&mut self, handbook: &Handbook) {
        let broken = handbook.broken.iter().filter(|page| page.kept.is_none());
        for page in broken {
            let told = page.mistakes(1).join("; ");
            self.left_out.push(LeftOut {
                page: page.id.clone(),
                check: None,
                reason: "broken-page",
                say: Text::new(
                    format!("the page has mistakes and is not in force: {told}"),
                    format!("该手册页有错误，未生效：{told}"),
                ),
                missed: true,
            });
        }
    }

    fn borrow(&mut self, borrowed: &Borrowed) {
        match &borrowed.lent {
            Lent::Check(check, params) => self.steps.push(Step {
                check: Arc::clone(check),
                params: Arc::clone(params),
            }),
            Lent::Manual(manual) => self.manual.push(Arc::clone(manual)),
            Lent::Unusable => {
                let page = &borrowed.check.page;
                self.left_out.push(LeftOut {
                    page: page.to_string(),
                    check: Some(borrowed.check.id.clone()),
                    reason: "broken-page",
                    say: Text::new(
                        format!(
                            "the page {page} has mistakes and is not in force; `handbell handbook lint` shows them"
                        ),
                        format!("手册页 {page} 有错误，未生效；`handbell handbook lint` 会列出错误"),
                    ),
                    missed: true,
                });
            }
        }
    }
}
