//! Rules: conditions, verdicts, causes and sentences.

use super::{Path, Reader};
use crate::domain::{
    document::did_you_mean,
    handbook::{
        Condition, Rule, Sentence,
        raw::{RawCheck, RawRule, RawVerdict},
        typing::{self, Names, Present},
    },
    ids::CauseId,
};

impl<'a> Reader<'a> {
    /// The rules and the healthy sentence of a check. Since the first rule that applies decides,
    /// what a rule asks is known to be otherwise in the rules after it.
    pub(super) fn rules(
        &mut self,
        raw: &'a RawCheck,
        names: &Names,
        check: &Path,
    ) -> (Vec<Rule>, Option<Sentence>) {
        let mut rules = Vec::new();
        if self.known {
            let nothing = Present::new();
            for (n, rule) in raw.rule.iter().enumerate() {
                self.use_names_in(rule.when.as_deref().unwrap_or_default());
                rules.extend(self.rule(rule, names, &nothing, &check.key("rule").at(n)));
            }
            let healthy = self.sentence(raw.healthy.as_ref(), check, names, &nothing);
            return (rules, healthy);
        }
        let mut present = Present::new();
        let mut always: Option<usize> = None;
        for (n, rule) in raw.rule.iter().enumerate() {
            let path = check.key("rule").at(n);
            if let Some(first) = always {
                let line = self.line(&check.key("rule").at(first).key("when"));
                let message =
                    format!("this rule is never reached: the one in line {line} always holds");
                self.problem(&path, message);
            }
            self.repeated(raw, n, &path);
            let mut when_true = present.clone();
            if let Some(when) = &rule.when {
                let checked = typing::condition(names, &present, when);
                self.used_params.extend(checked.used);
                self.complaints(&path.key("when"), checked.complaints);
                when_true.extend(checked.when_true);
                present.extend(checked.when_false);
                match checked.always {
                    Some(true) if always.is_none() => always = Some(n),
                    Some(false) => self.problem(&path.key("when"), "this never holds"),
                    _ => {}
                }
            }
            rules.extend(self.rule(rule, names, &when_true, &path));
        }
        let healthy = self.sentence(raw.healthy.as_ref(), &check.key("healthy"), names, &present);
        if let (Some(first), Some(_)) = (always, &raw.healthy) {
            let line = self.line(&check.key("rule").at(first).key("when"));
            let message = format!("this is never said: the rule in line {line} always holds");
            self.problem(&check.key("healthy"), message);
        }
        (rules, healthy)
    }

    fn line(&self, path: &Path) -> usize {
        self.document.problem(path, "").line
    }

    fn repeated(&mut self, raw: &RawCheck, n: usize, path: &Path) {
        let words = |rule: &RawRule| {
            let when = rule.when.as_deref()?;
            Some(when.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        let Some(when) = raw.rule.get(n).and_then(words) else {
            return;
        };
        let earlier = raw
            .rule
            .iter()
            .take(n)
            .position(|rule| words(rule).as_ref() == Some(&when));
        if let Some(earlier) = earlier {
            let rules = path.parent();
            let line = self.line(&rules.at(earlier).key("when"));
            let message = format!(
                "the rule in line {line} has the same condition: this one is never reached"
            );
            self.problem(&path.key("when"), message);
        }
    }

    fn rule(
        &mut self,
        raw: &'a RawRule,
        names: &Names,
        present: &Present,
        path: &Path,
    ) -> Option<Rule> {
        let say = self.sentence(raw.say.as_ref(), &path.key("say"), names, present);
        let cause: Option<CauseId> =
            self.parsed(raw.cause.as_ref(), &path.key("cause"), "the cause");
        self.verdict_and_cause(raw, path);
        let mut explains = Vec::new();
        for (n, follows) in raw.explains.iter().enumerate() {
            let path = path.key("explains").at(n);
            let follows: Option<CauseId> = self.parsed(Some(follows), &path, "the cause");
            if follows.is_some() && follows == cause {
                self.problem(&path, "a cause does not explain itself");
            }
            if let Some(follows) = &follows {
                self.own_cause_is_known(follows, &path);
                if explains.contains(follows) {
                    self.problem(&path, format!("`{follows}` stands here twice"));
                }
            }
            explains.extend(follows);
        }
        let mut remedies = Vec::new();
        for (n, remedy) in raw.remedies.iter().enumerate() {
            let known = self
                .raw
                .remedy
                .iter()
                .filter_map(|remedy| remedy.id.as_deref());
            if known.clone().any(|id| id == remedy) {
                self.used_remedies.insert(remedy.clone());
                remedies.extend(remedy.parse().ok());
            } else {
                let hint = did_you_mean(remedy, known);
                let path = path.key("remedies").at(n);
                self.problem_hint(&path, format!("the page has no remedy `{remedy}`"), hint);
            }
        }
        Some(Rule {
            when: match raw.when.as_ref()? {
                when if self.known => Condition::known(when),
                when => Condition::parse(when).ok()?,
            },
            verdict: raw.verdict?.into(),
            cause,
            explains,
            say: say?,
            remedies,
        })
    }

    fn verdict_and_cause(&mut self, raw: &RawRule, path: &Path) {
        let Some(verdict) = raw.verdict else { return };
        let finding = verdict != RawVerdict::Ok;
        if finding && raw.cause.is_none() {
            let hint = format!("cause = \"{}.…\"", self.id);
            self.problem_hint(path, "a finding lacks its `cause`", Some(hint));
        }
        let of_findings = [
            ("cause", raw.cause.is_some()),
            ("explains", !raw.explains.is_empty()),
            ("remedies", !raw.remedies.is_empty()),
        ];
        for (key, _) in of_findings.iter().filter(|(_, given)| *given && !finding) {
            let message = format!("`{key}` says nothing where the verdict is \"ok\"");
            self.push(self.document.key_problem(&path.key(key), message));
        }
    }

    /// A cause of this page that is explained must be found or declared on this page; causes of
    /// other pages are checked when all pages are there.
    fn own_cause_is_known(&mut self, cause: &CauseId, path: &Path) {
        let own = cause.as_str().split('.').next() == Some(self.id);
        if own && !self.causes.contains_key(cause) {
            let hint = did_you_mean(cause.as_str(), self.causes.keys().map(CauseId::as_str));
            self.problem_hint(path, format!("no rule of this page finds `{cause}`"), hint);
        }
    }
}
