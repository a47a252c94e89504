//! Which facts and lines tell why a rule spoke: those that it weighs.

use crate::domain::{
    diagnosis::{CheckResult, Value},
    handbook::Handbook,
};

/// Names of the facts that the rule which spoke weighs, in the rule's order.
pub(super) fn telling_facts<'a>(check: &'a CheckResult, handbook: &Handbook) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    let page = handbook.page(check.page.as_str());
    let rules = page
        .into_iter()
        .flat_map(|page| page.checks.iter().chain(&page.prevent))
        .filter(|known| known.id == check.id)
        .flat_map(|known| &known.rules)
        .filter(|rule| rule.cause == check.cause && rule.verdict == check.verdict);
    for rule in rules {
        for word in identifiers(rule.when.source()) {
            if let Some((name, _)) = check.facts.get_key_value(word)
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
    }
    names
}

/// The names in an expression; those inside of quotes aren't names.
fn identifiers(source: &str) -> impl Iterator<Item = &str> {
    source
        .split(['\'', '"'])
        .step_by(2)
        .flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
}

/// The lines of a log by which the rule spoke, one below the other; empty where it did not go by any. Of a pattern that a
/// probe counts, `NAME_last` is its newest line: it tells when the rule weighs that line itself, or both how many there
/// are and how old the newest is. What it only compares with (what has worked meanwhile) does not.
pub(super) fn telling_lines(check: &CheckResult, facts: &[&str]) -> String {
    let weighed = |name: &str| facts.contains(&name);
    let mut lines: Vec<&str> = Vec::new();
    for name in facts {
        let pattern = ["_last", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let Some(pattern) = pattern else { continue };
        let last = format!("{pattern}_last");
        let tells = weighed(&last)
            || weighed(&format!("{pattern}_count")) && weighed(&format!("{pattern}_seconds_ago"));
        if let (true, Some(Value::Text(line))) = (tells, check.facts.get(&last))
            && !lines.contains(&line.as_str())
        {
            lines.push(line);
        }
    }
    lines.join("\n")
}
