//! Commands as Discord writes them.

use serde_json::{Map, Value, json};

use super::command::{Choice, CommandOption, CommandSpec, Localized, OptionKind};

/// Whether translations are written out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Translations {
    /// The whole tables.
    Full,
    /// None: what a list gives unless `with_localizations=true`.
    Left,
}

/// The fields of a command that its registration decides.
pub(crate) fn spec(spec: &CommandSpec, translations: Translations) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("type".into(), json!(spec.kind as i64));
    localized(&mut out, "name", &spec.name, translations);
    localized(&mut out, "description", &spec.description, translations);
    out.insert(
        "default_member_permissions".into(),
        spec.default_member_permissions
            .map_or(Value::Null, |bits| json!(bits.to_string())),
    );
    out.insert("dm_permission".into(), json!(spec.dm_permission));
    out.insert("contexts".into(), json!(spec.contexts));
    out.insert("integration_types".into(), json!(spec.integration_types));
    out.insert("nsfw".into(), json!(spec.nsfw));
    if !spec.options.is_empty() {
        let options = spec.options.iter().map(|one| option(one, translations));
        out.insert("options".into(), options.collect());
    }
    out
}

fn localized(
    out: &mut Map<String, Value>,
    key: &str,
    text: &Localized,
    translations: Translations,
) {
    out.insert(key.into(), json!(text.base));
    if translations == Translations::Full {
        out.insert(format!("{key}_localizations"), table(text));
    }
}

fn table(text: &Localized) -> Value {
    match &text.by_locale {
        None => Value::Null,
        Some(list) => list
            .iter()
            .map(|(locale, text)| (locale.clone(), json!(text)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn option(option: &CommandOption, translations: Translations) -> Value {
    let mut out = Map::new();
    out.insert("type".into(), json!(option.kind as i64));
    localized(&mut out, "name", &option.name, translations);
    localized(&mut out, "description", &option.description, translations);
    if option.required {
        out.insert("required".into(), json!(true));
    }
    if option.kind.is_branch() {
        let inner = option
            .options
            .iter()
            .map(|one| self::option(one, translations));
        out.insert("options".into(), inner.collect());
        return Value::Object(out);
    }
    if !option.choices.is_empty() {
        out.insert(
            "choices".into(),
            option
                .choices
                .iter()
                .map(|one| choice(one, translations))
                .collect(),
        );
    }
    let bounds = [
        ("min_value", option.min_value.clone()),
        ("max_value", option.max_value.clone()),
    ];
    let lengths = [
        ("min_length", option.min_length.map(Value::from)),
        ("max_length", option.max_length.map(Value::from)),
    ];
    for (key, value) in bounds.into_iter().chain(lengths) {
        if let Some(value) = value {
            out.insert(key.into(), value);
        }
    }
    if let (OptionKind::Channel, Some(types)) = (option.kind, &option.channel_types) {
        out.insert("channel_types".into(), json!(types));
    }
    if option.autocomplete {
        out.insert("autocomplete".into(), json!(true));
    }
    Value::Object(out)
}

fn choice(choice: &Choice, translations: Translations) -> Value {
    let mut out = Map::new();
    localized(&mut out, "name", &choice.name, translations);
    out.insert("value".into(), choice.value.clone());
    Value::Object(out)
}
