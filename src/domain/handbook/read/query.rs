//! A database query that a page asks: its text, its values, its columns.

use indexmap::IndexMap;

use super::{Path, Reader};
use crate::domain::{
    diagnosis::{ArgSpec, ArgType, Column, ProbeSpec},
    document::{Problem, did_you_mean},
    handbook::{ArgValue, Args, Param, raw::RawArg},
    sql::Query,
};

/// Most columns of one query: each is a fact, and a screen shows no more.
const MOST_COLUMNS: usize = 32;

/// A value of a placeholder, as an argument of its own.
const VALUE: ArgSpec = ArgSpec {
    name: "params",
    kind: ArgType::Text,
    default: None,
    range: None,
    meaning: "a text, or a parameter of the page: \"{{ order_no }}\"",
};

impl Reader<'_> {
    /// One statement that only reads.
    pub(super) fn query(&mut self, sql: &str, path: &Path) -> Option<ArgValue> {
        match Query::parse(sql) {
            Ok(_) => Some(ArgValue::Text(sql.to_owned())),
            Err(refused) => {
                let span = self.document.span_within(path, refused.at);
                self.push(Problem::new(self.document.source(), span, refused.why));
                None
            }
        }
    }

    /// Values of placeholders: texts, or parameters of the page of any type.
    pub(super) fn values(
        &mut self,
        raw: &IndexMap<String, String>,
        params: &[Param],
        path: &Path,
    ) -> Option<ArgValue> {
        let mut values = Args::new();
        for (name, text) in raw {
            let path = path.key(name);
            let value = if text.contains("{{") {
                self.any_param(text, params, &path)?
            } else {
                ArgValue::Text(text.clone())
            };
            values.insert(name.clone(), value);
        }
        Some(ArgValue::Values(values))
    }

    /// A parameter of whatever type: it is bound as what it is.
    fn any_param(&mut self, text: &str, params: &[Param], path: &Path) -> Option<ArgValue> {
        use crate::domain::handbook::ParamType;
        let name = text.trim().trim_matches(['{', '}']).trim();
        let kind = match params.iter().find(|param| param.name == name) {
            Some(param) if matches!(param.kind, ParamType::Int { .. }) => ArgType::Int,
            _ => ArgType::Text,
        };
        if params
            .iter()
            .any(|param| param.name == name && param.kind == ParamType::Bool)
        {
            self.used_params.insert(name.to_owned());
            return Some(ArgValue::Param(name.to_owned()));
        }
        self.param_arg(text, &ArgSpec { kind, ..VALUE }, params, path)
    }

    /// What the query's columns are; each becomes a fact of the check.
    pub(super) fn columns(
        &mut self,
        raw: &IndexMap<String, String>,
        path: &Path,
    ) -> Option<ArgValue> {
        if raw.is_empty() || raw.len() > MOST_COLUMNS {
            let message = format!("{} columns; a query tells 1 to {MOST_COLUMNS}", raw.len());
            self.problem(path, message);
        }
        let mut columns = IndexMap::new();
        for (name, word) in raw {
            let path = path.key(name);
            self.snake(name, &path);
            match word.parse::<Column>() {
                Ok(column) => {
                    columns.insert(name.clone(), column);
                }
                Err(message) => {
                    let hint = did_you_mean(word, Column::ALL.iter().map(|column| column.word));
                    self.problem_hint(&path, message, hint);
                }
            }
        }
        (columns.len() == raw.len()).then_some(ArgValue::Columns(columns))
    }

    /// Each placeholder of a query has a value, and each value a placeholder.
    pub(super) fn placeholders(
        &mut self,
        raw: &IndexMap<String, RawArg>,
        spec: &ProbeSpec,
        path: &Path,
    ) {
        let given = |kind: ArgType| {
            let arg = spec.args.iter().find(|arg| arg.kind == kind)?;
            Some((arg.name, raw.get(arg.name)))
        };
        let Some((query_name, Some(RawArg::Text(sql)))) = given(ArgType::Query) else {
            return;
        };
        let Some((values_name, values)) = given(ArgType::Values) else {
            return;
        };
        let Ok(query) = Query::parse(sql) else {
            return;
        };
        let empty = IndexMap::new();
        let values = match values {
            Some(RawArg::Patterns(values)) => values,
            _ => &empty,
        };
        for name in &query.names {
            if !values.contains_key(name) {
                let message = format!("the placeholder `:{name}` has no value");
                let hint = format!("{values_name}.{name} = \"{{{{ {name} }}}}\"");
                self.problem_hint(&path.key(query_name), message, Some(hint));
            }
        }
        for name in values.keys().filter(|name| !query.names.contains(*name)) {
            let place = path.key(values_name).key(name);
            let message = format!("the query has no placeholder `:{name}`");
            self.push(self.document.key_problem(&place, message));
        }
    }
}
