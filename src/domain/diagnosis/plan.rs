//! What a run does: checks of one page or of several, each with the parameters that it is judged by. Pure.

use std::sync::Arc;

use crate::domain::{
    handbook::{Borrowed, Check, Handbook, Lent, Manual, Params, Relation, Runbook},
    ids::CheckRef,
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
    /// Which one.
    pub check: CheckRef,
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

impl Plan {
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
                    check: borrowed.check.clone(),
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
