use super::*;

#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the form matters")]
struct House {
    /// What it is called.
    name: String,
    floors: Option<u8>,
    colour: Option<Colour>,
    #[serde(default)]
    room: Vec<Room>,
    #[serde(default)]
    bells: indexmap::IndexMap<String, Bell>,
}

#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Colour {
    /// Red as a brick.
    Red,
    Blue,
}

#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the form matters")]
struct Room {
    name: String,
    windows: Option<u8>,
}

#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the form matters")]
enum Bell {
    Env { env: String },
    File { file: String },
}

fn said(text: &str) -> String {
    render(&parse::<House>("house.toml", text).unwrap_err(), false)
}

#[test]
fn every_mistake_of_form_is_told_at_once() {
    let text = "\
name = 3
floors = 300
colour = \"redd\"
rooom = 1

[[room]]
name = \"名\"
windos = 1

[[room]]
windows = \"two\"

[bells]
front = 7
";
    assert_eq!(
        said(text),
        r#"error: `name` is a text, not a whole number
 --> house.toml:1:8
  |
1 | name = 3
  |        ^
  |
  = help: name: What it is called

error: `floors` is a whole number from 0 to 255
 --> house.toml:2:10
  |
2 | floors = 300
  |          ^^^

error: `colour` can't be "redd"
 --> house.toml:3:10
  |
3 | colour = "redd"
  |          ^^^^^^
  |
  = help: did you mean `red`?

error: the file has no key `rooom`
 --> house.toml:4:1
  |
4 | rooom = 1
  | ^^^^^
  |
  = help: did you mean `room`?

error: `room` has no key `windos`
 --> house.toml:8:1
  |
8 | windos = 1
  | ^^^^^^
  |
  = help: did you mean `windows`?

error: `windows` is a whole number, not a text
  --> house.toml:11:11
   |
11 | windows = "two"
   |           ^^^^^

error: `room` lacks the key `name`
  --> house.toml:10:1
   |
10 | [[room]]
   | ^^^^^^^^

error: `front` is a table, not a whole number
  --> house.toml:14:9
   |
14 | front = 7
   |         ^

8 errors
"#
    );
}

#[test]
fn every_syntax_error_is_told_at_once() {
    let text = said("name = \nfloors = 1 2\n名 = \"x\"");
    assert!(text.contains("house.toml:1:"), "{text}");
    assert!(text.contains("house.toml:2:"), "{text}");
    assert!(text.contains("house.toml:3:"), "{text}");
}

#[test]
fn the_caret_stands_under_wide_characters_and_tabs() {
    let text = said("name = \"a\"\n\troom = [{ name = \"缓存\", \"窗\" = 1 }]\n");
    let lines: Vec<&str> = text.lines().collect();
    // A tab is four columns, a Chinese character two.
    assert_eq!(lines[3], "2 |     room = [{ name = \"缓存\", \"窗\" = 1 }]");
    assert_eq!(lines[4], "  |                              ^^^^", "{text}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let text = said("name = \"a\"\npassword = \"hunter2 缓存\"\nfloors = true");
    assert!(
        !text.contains("hunter2") && !text.contains("缓存"),
        "{text}"
    );
    assert!(text.contains("the file has no key `password`"), "{text}");
}

#[test]
fn a_path_leads_to_the_bytes() {
    let text = "name = \"a\"\n[[room]]\nname = \"b\"\n[[room]]\nname = \"c\"\n";
    let house = parse::<House>("house.toml", text).unwrap();
    let path = Path::root().key("room").at(1);
    assert_eq!(text.get(house.span(&path.key("name"))), Some("\"c\""));
    assert_eq!(text.get(house.key_span(&path.key("name"))), Some("name"));
    assert_eq!(house.problem(&path.key("windows"), "none").line, 4);
}

#[test]
fn what_is_left_can_be_read_on() {
    let (house, problems) = parse_leniently::<House>("house.toml", "name = \"a\"\nfloors = 300\n");
    assert_eq!(problems.len(), 1);
    assert_eq!(house.unwrap().value.floors, None);
}
