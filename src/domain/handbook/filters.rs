//! The filters and tests of conditions and sentences: the ones that are listed here and no others,
//! each with the types that it takes and gives, for the linter and for the documentation.

use std::sync::LazyLock;

use minijinja::{
    Environment, Error, ErrorKind, Output, State, UndefinedBehavior,
    value::{Value, ValueKind},
};

use crate::domain::{diagnosis::Unit, text::Lang};

/// What a filter takes or gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A number, in whatever unit.
    Number,
    /// A text.
    Text,
    /// A list of texts.
    List,
    /// A text or a list.
    TextOrList,
}

/// How a filter is declared.
#[derive(Clone, Copy, Debug)]
pub struct FilterSpec {
    /// The name.
    pub name: &'static str,
    pub(super) takes: Shape,
    pub(super) gives: Shape,
    /// Units that it is made for; any when empty.
    pub(super) units: &'static [Unit],
    /// Whether the number that it gives has the unit of the one that it took.
    pub(super) keeps_unit: bool,
    /// How many arguments it must have.
    pub(super) min_args: usize,
    /// How many arguments it can have.
    pub(super) max_args: usize,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// An example and what becomes of it in English.
    pub example: (&'static str, &'static str),
}

const fn writes(
    name: &'static str,
    units: &'static [Unit],
    meaning: &'static str,
    example: (&'static str, &'static str),
) -> FilterSpec {
    FilterSpec {
        name,
        takes: Shape::Number,
        gives: Shape::Text,
        units,
        keeps_unit: false,
        min_args: 0,
        max_args: 0,
        meaning,
        example,
    }
}

const fn other(
    name: &'static str,
    (takes, gives): (Shape, Shape),
    max_args: usize,
    meaning: &'static str,
    example: (&'static str, &'static str),
) -> FilterSpec {
    FilterSpec {
        name,
        takes,
        gives,
        units: &[],
        keeps_unit: matches!((takes, gives), (Shape::Number, Shape::Number)),
        min_args: 0,
        max_args,
        meaning,
        example,
    }
}

/// All filters there are.
pub const FILTERS: &[FilterSpec] = &[
    writes(
        "bytes",
        &[Unit::Bytes],
        "bytes, with a unit that fits (1 KiB is 1,024 bytes)",
        ("67108864 | bytes", "64 MiB"),
    ),
    writes(
        "duration",
        &[Unit::Milliseconds],
        "milliseconds, as a length of time",
        ("1500 | duration", "1.5 s"),
    ),
    writes(
        "seconds",
        &[Unit::Seconds],
        "seconds, as a length of time",
        ("7260 | seconds", "2 h 1 min"),
    ),
    writes(
        "microseconds",
        &[Unit::Microseconds],
        "microseconds, as a length of time",
        ("1500 | microseconds", "1.5 ms"),
    ),
    writes(
        "percent",
        &[Unit::Percent],
        "a number from 0 to 100, with a percent sign",
        ("93.456 | percent", "93.5 %"),
    ),
    writes(
        "share",
        &[Unit::Ratio],
        "a quotient, as a percentage",
        ("0.95 | share", "95 %"),
    ),
    writes(
        "number",
        &[Unit::None, Unit::Count, Unit::Ratio, Unit::PerSecond],
        "a number with thousands marked, at most two places",
        ("1234567.891 | number", "1,234,567.89"),
    ),
    FilterSpec {
        min_args: 2,
        max_args: 2,
        ..writes(
            "plural",
            &[Unit::None, Unit::Count, Unit::Ratio, Unit::PerSecond],
            "the same, and the words after it: for one, and for any other number",
            ("1 | plural('key waits', 'keys wait')", "1 key waits"),
        )
    },
    other(
        "abs",
        (Shape::Number, Shape::Number),
        0,
        "without its sign",
        ("-3 | abs", "3"),
    ),
    other(
        "round",
        (Shape::Number, Shape::Number),
        1,
        "rounded to so many places (0)",
        ("2.618 | round(1)", "2.6"),
    ),
    other(
        "int",
        (Shape::Number, Shape::Number),
        0,
        "without its places",
        ("2.6 | int", "2"),
    ),
    other(
        "length",
        (Shape::TextOrList, Shape::Number),
        0,
        "how many elements or characters",
        ("'redis' | length", "5"),
    ),
    other(
        "lower",
        (Shape::Text, Shape::Text),
        0,
        "in lower case",
        ("'OOM' | lower", "oom"),
    ),
    other(
        "upper",
        (Shape::Text, Shape::Text),
        0,
        "in upper case",
        ("'oom' | upper", "OOM"),
    ),
    other(
        "trim",
        (Shape::Text, Shape::Text),
        0,
        "without blanks at its ends",
        ("' x ' | trim", "x"),
    ),
    other(
        "shorten",
        (Shape::Text, Shape::Text),
        1,
        "cut to so many characters (80), with … where it was cut",
        ("'redis-server' | shorten(6)", "redis…"),
    ),
    other(
        "join",
        (Shape::List, Shape::Text),
        1,
        "the texts with commas, or with the given text, between them",
        ("['a', 'b'] | join", "a, b"),
    ),
];

/// The tests (`is …`) that there are besides `none`: each takes a text and a text.
pub(super) const TEXT_TESTS: &[&str] = &["startingwith", "endingwith"];

/// The environment in which everything is compiled: strict, and nothing in it that isn't listed.
pub(super) fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(build);
    &ENVIRONMENT
}

fn build() -> Environment<'static> {
    use minijinja::{filters as builtin, tests};
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    // Errors keep their place in the text; it is needed at compile time only, and costs little.
    env.set_debug(true);
    env.set_formatter(write_value);
    env.add_filter("bytes", |value: f64| bytes(value));
    env.add_filter("duration", |state: &State, value: f64| {
        time(value * 1e3, state)
    });
    env.add_filter("seconds", |state: &State, value: f64| {
        time(value * 1e6, state)
    });
    env.add_filter("microseconds", |state: &State, value: f64| {
        time(value, state)
    });
    env.add_filter("percent", |value: f64| format!("{} %", decimal(value, 1)));
    env.add_filter("share", |value: f64| {
        format!("{} %", decimal(value * 100.0, 1))
    });
    env.add_filter("number", |value: f64| decimal(value, 2));
    env.add_filter("plural", |value: f64, one: &str, many: &str| {
        let number = decimal(value, 2);
        let words = if number == "1" { one } else { many };
        format!("{number} {words}")
    });
    env.add_filter("abs", builtin::abs);
    env.add_filter("round", builtin::round);
    env.add_filter("int", builtin::int);
    env.add_filter("length", builtin::length);
    env.add_filter("lower", builtin::lower);
    env.add_filter("upper", builtin::upper);
    env.add_filter("trim", |text: &str| text.trim().to_owned());
    env.add_filter("shorten", shorten);
    env.add_filter("join", join);
    env.add_test("none", |value: &Value| value.is_none());
    env.add_test("startingwith", tests::is_startingwith);
    env.add_test("endingwith", tests::is_endingwith);
    env
}

/// Numbers that no filter has written get at most two places; a list is written with commas.
fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let text = match value.kind() {
        ValueKind::Undefined => {
            return Err(Error::new(
                ErrorKind::UndefinedError,
                "there is no such name",
            ));
        }
        ValueKind::Number if !value.is_integer() => {
            decimal(f64::try_from(value.clone()).unwrap_or(f64::NAN), 2)
        }
        ValueKind::Seq => join(state, value, None)?,
        _ => value.to_string(),
    };
    out.write_str(&text)
        .map_err(|_| Error::new(ErrorKind::WriteFailure, "the text could not be written"))
}

fn lang(state: &State) -> Lang {
    Lang::of_locale(state.name())
}

/// A number with thousands marked by commas (in both languages) and at most `places` places,
/// without zeros at the end.
pub(super) fn decimal(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return "∞".to_owned();
    }
    let text = format!("{:.places$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut marked = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            marked.push(',');
        }
        marked.push(digit);
    }
    if !fraction.is_empty() {
        marked.push('.');
        marked.push_str(fraction);
    }
    if value < 0.0 && marked.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        marked.insert(0, '-');
    }
    marked
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = value;
    let mut unit = 0;
    // 1023.96 KiB would be written as 1,024 KiB.
    while value.abs() >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", decimal(value, usize::from(unit > 0)), UNITS[unit])
}

/// Microseconds as a length of time: one unit with a place below a minute, two units above.
fn time(us: f64, state: &State) -> String {
    let zh = lang(state) == Lang::Zh;
    let word = |en: &'static str, zh_word: &'static str| if zh { zh_word } else { en };
    let one = |value: f64, unit: &str| format!("{} {unit}", decimal(value, 1));
    let size = us.abs();
    if size == 0.0 {
        one(0.0, word("s", "秒"))
    } else if size < 1e3 {
        one(us, word("µs", "微秒"))
    } else if size < 1e6 {
        one(us / 1e3, word("ms", "毫秒"))
    } else if size < 6e7 {
        one(us / 1e6, word("s", "秒"))
    } else {
        let units = [
            (8.64e10, word("d", "天")),
            (3.6e9, word("h", "小时")),
            (6e7, word("min", "分钟")),
            (1e6, word("s", "秒")),
        ];
        let first = units.iter().position(|(length, _)| size >= *length);
        let first = first.unwrap_or(units.len() - 1);
        let (length, unit) = units[first];
        let sign = if us < 0.0 { "-" } else { "" };
        let mut text = format!("{sign}{} {unit}", decimal((size / length).floor(), 0));
        if let Some((next, next_unit)) = units.get(first + 1) {
            let rest = (size % length / next).floor();
            if rest > 0.0 {
                text = format!("{text} {} {next_unit}", decimal(rest, 0));
            }
        }
        text
    }
}

fn shorten(text: &str, length: Option<usize>) -> String {
    let length = length.unwrap_or(80).max(1);
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}

fn join(state: &State, list: &Value, separator: Option<&str>) -> Result<String, Error> {
    let separator = separator.unwrap_or(match lang(state) {
        Lang::En => ", ",
        Lang::Zh => "、",
    });
    let texts: Vec<String> = list.try_iter()?.map(|value| value.to_string()).collect();
    Ok(texts.join(separator))
}
