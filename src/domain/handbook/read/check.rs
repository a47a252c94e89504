//! `[[check]]` and `[[prevent]]`.

use std::{sync::Arc, time::Duration};

use indexmap::IndexMap;

use super::{Path, Reader};
use crate::domain::{
    diagnosis::{Column, FactSpec, FactType, MANUAL, ProbeSpec, Unit},
    document::did_you_mean,
    handbook::{
        Args, Check, Manual, Param, ParamType, Rule, Sentence,
        limits::{DESCRIPTION_CHARS, FIELD_VALUE_CHARS},
        raw::{RawArg, RawCheck},
        typing::{Name, Names},
    },
};

/// Least and greatest deadline of one check: below, no network answers; above, the people in the
/// channel have stopped waiting.
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_mins(1));

/// What a check asks of which probe, and what it makes of the answer.
type Judged = (&'static ProbeSpec, Args, Vec<Rule>, Option<Sentence>);

impl<'a> Reader<'a> {
    pub(super) fn checks(&mut self, params: &[Param]) -> (Vec<Arc<Check>>, Vec<Arc<Manual>>) {
        let raw: &'a [RawCheck] = &self.raw.check;
        self.probed_and_manual("check", raw, params)
    }

    pub(super) fn preventions(&mut self, params: &[Param]) -> (Vec<Arc<Check>>, Vec<Arc<Manual>>) {
        let raw: &'a [RawCheck] = &self.raw.prevent;
        self.probed_and_manual("prevent", raw, params)
    }

    /// What a probe looks at, and what a person does.
    fn probed_and_manual(
        &mut self,
        list: &str,
        raw: &'a [RawCheck],
        params: &[Param],
    ) -> (Vec<Arc<Check>>, Vec<Arc<Manual>>) {
        let path = Path::root().key(list);
        let (mut checks, mut manual) = (Vec::new(), Vec::new());
        for (n, check) in raw.iter().enumerate() {
            let path = path.at(n);
            if check.probe.as_deref() == Some(MANUAL.name) {
                manual.extend(self.manual(check, &path).map(Arc::new));
            } else {
                checks.extend(self.check(check, params, &path).map(Arc::new));
            }
        }
        (checks, manual)
    }

    fn manual(&mut self, raw: &'a RawCheck, path: &Path) -> Option<Manual> {
        let id = self.own_id(raw.id.as_ref(), &path.key("id"), "the id");
        let title = self.text(raw.title.as_ref(), &path.key("title"), DESCRIPTION_CHARS);
        let covers = self.covers(&raw.covers, &path.key("covers"));
        if raw.say.is_none() {
            self.problem(
                path,
                "a manual step lacks `say`: what the person is asked to look for, or to do",
            );
        }
        let say = self.text(raw.say.as_ref(), &path.key("say"), FIELD_VALUE_CHARS);
        let given = [
            ("target", raw.target.is_some()),
            ("args", !raw.args.is_empty()),
            ("timeout", raw.timeout.is_some()),
            ("rule", !raw.rule.is_empty()),
            ("healthy", raw.healthy.is_some()),
        ];
        for (key, _) in given.iter().filter(|(_, given)| *given) {
            let message = format!("`{key}` says nothing for a manual step");
            self.push(self.document.key_problem(&path.key(key), message));
        }
        Some(Manual {
            page: self.id.parse().ok()?,
            id: id?,
            covers,
            title: title?,
            say: say?,
        })
    }

    fn check(&mut self, raw: &'a RawCheck, params: &[Param], path: &Path) -> Option<Check> {
        let id = self.own_id(raw.id.as_ref(), &path.key("id"), "the id");
        let title = self.text(raw.title.as_ref(), &path.key("title"), DESCRIPTION_CHARS);
        let covers = self.covers(&raw.covers, &path.key("covers"));
        if raw.target.is_none() {
            let hint = "target: the name of a target in targets.toml".to_owned();
            self.problem_hint(path, "`check` lacks the key `target`", Some(hint));
        }
        let target = self.parsed(raw.target.as_ref(), &path.key("target"), "the target");
        let timeout = self.timeout(raw.timeout.as_ref(), &path.key("timeout"));
        if raw.say.is_some() {
            let hint =
                Some("a check says its `healthy` sentence, or those of its rules".to_owned());
            let problem = self
                .document
                .key_problem(&path.key("say"), "`say` is for manual steps");
            self.push(problem.maybe_hint(hint));
        }
        if raw.rule.is_empty() {
            self.problem(
                path,
                "the check has no [[check.rule]]: it would judge nothing",
            );
        }
        let used_elsewhere = std::mem::take(&mut self.used_params);
        let judged = self.judged(raw, params, path);
        let uses = std::mem::replace(&mut self.used_params, used_elsewhere);
        self.used_params.extend(uses.iter().cloned());
        // Facts are among them.
        let is_param = |name: &String| params.iter().any(|param| param.name == *name);
        let uses = uses.into_iter().filter(is_param).collect();
        let (spec, args, rules, healthy) = judged?;
        Some(Check {
            page: self.id.parse().ok()?,
            id: id?,
            covers,
            title: title?,
            probe: spec.name.to_owned(),
            target: target?,
            args,
            timeout,
            rules,
            healthy,
            uses,
        })
    }

    /// The probe, what it is asked, and how its answer is judged.
    fn judged(&mut self, raw: &'a RawCheck, params: &[Param], path: &Path) -> Option<Judged> {
        let spec = self.spec(raw.probe.as_deref()?, &path.key("probe"))?;
        let args = self.args(&raw.args, spec, params, path);
        let names = if self.known {
            Names::default()
        } else {
            self.names(spec, &raw.args, params, path)
        };
        let (rules, healthy) = self.rules(raw, &names, path);
        Some((spec, args, rules, healthy))
    }

    fn spec(&mut self, probe: &str, path: &Path) -> Option<&'static ProbeSpec> {
        let spec = self.catalog.get(probe);
        if spec.is_none() {
            let hint = did_you_mean(
                probe,
                self.catalog.iter().chain([&MANUAL]).map(|spec| spec.name),
            )
            .or_else(|| Some("`handbell probes` lists them".to_owned()));
            self.problem_hint(path, format!("there is no probe `{probe}`"), hint);
        }
        spec
    }

    fn timeout(&mut self, raw: Option<&String>, path: &Path) -> Option<Duration> {
        let timeout = self.duration(raw, path)?;
        let (least, most) = TIMEOUT;
        if timeout < least || timeout > most {
            let write = crate::domain::duration::write;
            let message = format!(
                "a check's deadline is from {} to {}",
                write(least),
                write(most)
            );
            self.problem(path, message);
            return None;
        }
        Some(timeout)
    }

    /// What conditions and sentences of this check can name: the probe's facts, those that its
    /// arguments make, and the page's parameters.
    fn names(
        &mut self,
        spec: &ProbeSpec,
        args: &IndexMap<String, RawArg>,
        params: &[Param],
        path: &Path,
    ) -> Names {
        let mut names = Names::default();
        for fact in spec.facts {
            names.add(fact_name(fact.name.to_owned(), fact));
        }
        if let Some(per_key) = spec.per_key
            && let Some(RawArg::Patterns(keys)) = args.get(per_key.arg)
        {
            let place = path.key("args").key(per_key.arg);
            for (key, given) in keys {
                // A word that is none is told where the arguments are read.
                if per_key.facts.is_empty()
                    && let Ok(column) = given.parse::<Column>()
                {
                    self.unique(&names, key, key, spec, &place);
                    names.add(column_name(key.clone(), column));
                }
                for (name, fact) in per_key.made(key, given) {
                    self.unique(&names, &name, key, spec, &place);
                    names.add(fact_name(name, fact));
                }
            }
        }
        for param in params {
            if names.get(&param.name).is_some() {
                let message = format!("`{}` is a fact of {} too", param.name, spec.name);
                let hint = "give the parameter another name".to_owned();
                self.problem_hint(&path.key("probe"), message, Some(hint));
            }
            names.add(param_name(param));
        }
        names
    }

    /// A fact that an argument makes must not have the name of another.
    fn unique(&mut self, names: &Names, name: &str, key: &str, spec: &ProbeSpec, path: &Path) {
        if names.get(name).is_some() {
            let path = path.key(key);
            let message = format!("`{key}` makes a fact `{name}`, which {} has", spec.name);
            self.push(self.document.key_problem(&path, message));
        }
    }
}

/// A column of a query. It may be none: there may be no row, and its value may be NULL.
fn column_name(name: String, column: Column) -> Name {
    Name {
        id: name,
        kind: column.kind,
        unit: column.unit,
        optional: column.kind != FactType::TextList,
        values: Vec::new(),
    }
}

fn fact_name(name: String, fact: &FactSpec) -> Name {
    Name {
        id: name,
        kind: fact.kind,
        unit: fact.unit,
        optional: fact.optional,
        values: fact.values.iter().map(|&value| value.to_owned()).collect(),
    }
}

fn param_name(param: &Param) -> Name {
    let (kind, values) = match &param.kind {
        ParamType::Bool => (FactType::Bool, Vec::new()),
        ParamType::Int { .. } => (FactType::Int, Vec::new()),
        ParamType::Text { .. } => (FactType::Text, Vec::new()),
        ParamType::Choice(choices) => {
            let words = choices.iter().map(|(word, _)| word.clone());
            (FactType::Text, words.collect())
        }
    };
    Name {
        id: param.name.clone(),
        kind,
        unit: Unit::None,
        optional: false,
        values,
    }
}
