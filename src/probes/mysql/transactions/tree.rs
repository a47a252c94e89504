//! Who blocks whom: waits between transactions as a forest, the blockers at its roots.

use std::collections::{BTreeMap, BTreeSet};

/// One wait: the transaction that waits, and one that it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) waiting: String,
    pub(super) blocking: String,
}

/// A transaction that waits for nobody and holds others up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) id: String,
    /// All that wait for it, directly or through others.
    pub(super) victims: usize,
}

/// The roots, the one with the most victims first. Waits in a circle (a deadlock that is being
/// resolved at this moment) have no root; the first of the circle stands for it.
pub(super) fn roots(waits: &[Wait]) -> Vec<Root> {
    let waiting: BTreeSet<&str> = waits.iter().map(|wait| wait.waiting.as_str()).collect();
    let blocking: BTreeSet<&str> = waits.iter().map(|wait| wait.blocking.as_str()).collect();
    let mut ids: Vec<&str> = blocking.difference(&waiting).copied().collect();
    if ids.is_empty() {
        ids.extend(blocking.first());
    }
    let mut roots: Vec<Root> = ids
        .into_iter()
        .map(|id| Root {
            id: id.to_owned(),
            victims: below(waits, id).len(),
        })
        .collect();
    roots.sort_by(|a, b| b.victims.cmp(&a.victims).then_with(|| a.id.cmp(&b.id)));
    roots
}

fn below<'w>(waits: &'w [Wait], id: &'w str) -> BTreeSet<&'w str> {
    let (mut found, mut next) = (BTreeSet::new(), vec![id]);
    while let Some(id) = next.pop() {
        for wait in waits.iter().filter(|wait| wait.blocking == id) {
            if wait.waiting != id && found.insert(wait.waiting.as_str()) {
                next.push(&wait.waiting);
            }
        }
    }
    found
}

/// The forest as lines, indented under whom they wait for; each transaction stands there once.
pub(super) fn lines(
    waits: &[Wait],
    most: usize,
    name: impl Fn(&str, bool) -> String,
) -> Vec<String> {
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for wait in waits {
        children
            .entry(&wait.blocking)
            .or_default()
            .push(&wait.waiting);
    }
    let roots = roots(waits);
    let mut next: Vec<(&str, usize)> = roots
        .iter()
        .rev()
        .map(|root| (root.id.as_str(), 0))
        .collect();
    let (mut seen, mut lines) = (BTreeSet::new(), Vec::new());
    while let Some((id, depth)) = next.pop() {
        if !seen.insert(id) {
            continue;
        }
        if lines.len() == most {
            lines.push("…".to_owned());
            break;
        }
        let indent = "  ".repeat(depth.min(8));
        let mark = if depth == 0 { "" } else { "└ " };
        lines.push(format!("{indent}{mark}{}", name(id, depth == 0)));
        for child in children.get(id).into_iter().flatten().rev() {
            next.push((child, depth + 1));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(waiting: &str, blocking: &str) -> Wait {
        Wait {
            waiting: waiting.to_owned(),
            blocking: blocking.to_owned(),
        }
    }

    #[test]
    fn the_root_is_who_waits_for_nobody() {
        let waits = [
            wait("2", "1"),
            wait("3", "2"),
            wait("4", "2"),
            wait("3", "1"),
            wait("9", "8"),
        ];
        let roots = roots(&waits);
        assert_eq!((roots[0].id.as_str(), roots[0].victims), ("1", 3));
        assert_eq!((roots[1].id.as_str(), roots[1].victims), ("8", 1));
        let lines = lines(&waits, 10, |id, _| id.to_owned());
        assert_eq!(lines, ["1", "  └ 2", "    └ 3", "    └ 4", "8", "  └ 9"]);
    }

    #[test]
    fn a_circle_ends() {
        let waits = [wait("1", "2"), wait("2", "1"), wait("1", "1")];
        assert_eq!(roots(&waits).len(), 1);
        assert_eq!(lines(&waits, 10, |id, _| id.to_owned()).len(), 2);
    }
}
