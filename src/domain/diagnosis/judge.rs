//! One check's facts and rules → what it says. Pure.

use super::{CheckResult, Sighting, Verdict};
use crate::domain::{
    handbook::{Check, EvalError, Params, Rule, Scope},
    text::Text,
};

/// Judges what `check`'s probe saw: the first rule that applies decides; when none does, the check is healthy.
///
/// A rule that can't be evaluated makes the check *unknown* and says which rule: a broken page is never a silent pass.
#[must_use]
pub fn judge(check: &Check, params: &Params, sighting: Sighting, duration_ms: u64) -> CheckResult {
    let scope = Scope {
        facts: &sighting.facts,
        params,
    };
    let mut result = match decide(check, scope) {
        Ok((rule, say)) => {
            let mut result =
                CheckResult::blank(check, rule.map_or(Verdict::Ok, |rule| rule.verdict), say);
            if let Some(rule) = rule {
                result.cause.clone_from(&rule.cause);
                result.explains.clone_from(&rule.explains);
                result.remedies.clone_from(&rule.remedies);
            }
            result
        }
        Err((position, error)) => {
            let mut result = CheckResult::blank(
                check,
                Verdict::Unknown,
                Text::new(
                    format!("rule {position} of this check can't be evaluated: {error}"),
                    format!("该检查的第 {position} 条规则无法求值：{error}"),
                ),
            );
            result.reason = Some("bad-rule".to_owned());
            result
        }
    };
    result.facts = sighting.facts;
    result.evidence = sighting.evidence;
    result.duration_ms = duration_ms;
    result
}

type Decision<'a> = Result<(Option<&'a Rule>, Text), (usize, EvalError)>;

fn decide<'a>(check: &'a Check, scope: Scope<'_>) -> Decision<'a> {
    for (n, rule) in check.rules.iter().enumerate() {
        let position = n + 1;
        if rule.when.holds(scope).map_err(|error| (position, error))? {
            let say = rule.say.say(scope).map_err(|error| (position, error))?;
            return Ok((Some(rule), say));
        }
    }
    let say = match &check.healthy {
        Some(sentence) => sentence
            .say(scope)
            .map_err(|error| (check.rules.len() + 1, error))?,
        None => Text::new("Nothing found.", "未发现问题。"),
    };
    Ok((None, say))
}
