//! Borrowed checks: found on the pages that lend them, or told what is wrong.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Handbook, Lent, Runbook, load::Page};
use crate::domain::{
    document::{Path, Problem, did_you_mean},
    ids::{CheckRef, RunbookId},
};

/// Everything that is wrong with what `pages` borrow. Where the lending page itself has mistakes,
/// those are what is to be mended, and nothing is said here.
pub(super) fn problems(pages: &[Page], all_readable: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    for page in pages {
        let borrows = page.head().map(|head| head.borrows.as_slice());
        for (n, text) in borrows.unwrap_or_default().iter().enumerate() {
            let Ok(check) = text.parse::<CheckRef>() else {
                continue;
            };
            if let Some((message, hint)) = wrong(pages, page, &check, all_readable) {
                let path = Path::root().key("runbook").key("borrows").at(n);
                problems.push(page.document.problem(&path, message).maybe_hint(hint));
            }
        }
    }
    problems
}

fn wrong(
    pages: &[Page],
    borrower: &Page,
    check: &CheckRef,
    all_readable: bool,
) -> Option<(String, Option<String>)> {
    if check.page.as_str() == borrower.id() {
        return None;
    }
    let Some(lender) = pages.iter().find(|page| page.id() == check.page.as_str()) else {
        // A page that could not be read at all may be the one.
        if !all_readable {
            return None;
        }
        let known = pages.iter().map(Page::id).filter(|id| *id != borrower.id());
        let hint = did_you_mean(check.page.as_str(), known);
        return Some((
            format!("there is no page `{}` to borrow from", check.page),
            hint,
        ));
    };
    let written = &lender.document.value.check;
    let id = check.id.as_str();
    if !written.iter().any(|check| check.id.as_deref() == Some(id)) {
        return Some(not_there(lender, check));
    }
    // The check may use a parameter that has no default: whom would it ask on another page?
    let runbook = lender.runbook.as_ref()?;
    let lent = runbook.checks.iter().find(|known| known.id == check.id)?;
    let defaults = runbook.defaults();
    let asked = lent
        .uses
        .iter()
        .find(|name| !defaults.contains_key(*name))?;
    Some((
        format!("`{check}` needs the parameter `{asked}`, which has no default"),
        Some(format!(
            "a borrowed check runs with the defaults of its own page; give `{asked}` a default on \
             the page `{}`, or write a check of its own here",
            check.page
        )),
    ))
}

/// Why `lender` has no such check to lend.
fn not_there(lender: &Page, check: &CheckRef) -> (String, Option<String>) {
    let (page, id) = (&check.page, check.id.as_str());
    let borrowed = lender.head().and_then(|head| {
        let lent = head
            .borrows
            .iter()
            .filter_map(|text| text.parse::<CheckRef>().ok());
        lent.into_iter().find(|lent| lent.id.as_str() == id)
    });
    if let Some(origin) = borrowed {
        return (
            format!("the page `{page}` borrows `{id}` itself"),
            Some(format!("borrow it where it stands: `{origin}`")),
        );
    }
    let raw = &lender.document.value;
    if raw
        .prevent
        .iter()
        .any(|known| known.id.as_deref() == Some(id))
    {
        return (
            format!("`{check}` is a prevention, which a diagnosis does not run"),
            None,
        );
    }
    let known = raw.check.iter().filter_map(|check| check.id.as_deref());
    let hint = did_you_mean(id, known.clone()).or_else(|| {
        let known: Vec<&str> = known.collect();
        (!known.is_empty()).then(|| format!("it has: {}", known.join(", ")))
    });
    (format!("the page `{page}` has no check `{id}`"), hint)
}

/// `pages` with what they borrow found, and with versions that cover it.
pub(super) fn resolve(pages: &[Arc<Runbook>]) -> Handbook {
    let resolved: Vec<Arc<Runbook>> = pages
        .iter()
        .map(|page| {
            if page.borrowed.is_empty() {
                return Arc::clone(page);
            }
            let mut page = Runbook::clone(page);
            let mut hash = Sha256::new();
            hash.update(&page.text_hash);
            for borrowed in &mut page.borrowed {
                let lender = find(pages, &borrowed.check.page);
                borrowed.lent = lender.map_or(Lent::Unusable, |page| lend(page, &borrowed.check));
                hash.update(lender.map_or("", |page| page.text_hash.as_str()));
            }
            page.hash = hex::encode(hash.finalize());
            Arc::new(page)
        })
        .collect();
    Handbook::of(resolved)
}

fn find<'a>(pages: &'a [Arc<Runbook>], id: &RunbookId) -> Option<&'a Arc<Runbook>> {
    pages.iter().find(|page| page.id == *id)
}

fn lend(page: &Runbook, check: &CheckRef) -> Lent {
    let probed = page.checks.iter().find(|known| known.id == check.id);
    let manual = page.looks.iter().find(|known| known.id == check.id);
    match (probed, manual) {
        (Some(found), _) => Lent::Check(Arc::clone(found), Arc::new(page.defaults())),
        (None, Some(found)) => Lent::Manual(Arc::clone(found)),
        (None, None) => Lent::Unusable,
    }
}
