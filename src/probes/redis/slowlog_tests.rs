use super::shown;

fn of(line: &str) -> String {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    shown(&words[0].to_uppercase(), &words)
}

#[test]
fn only_names_keys_and_subcommands_are_shown() {
    for (line, expected) in [
        ("set customer:1 planted", "SET customer:1"),
        ("eval return(planted) 1 my-key planted", "EVAL my-key"),
        ("eval return(planted) 0 planted", "EVAL"),
        ("config set requirepass planted", "CONFIG SET"),
        ("auth planted", "AUTH"),
        ("hello 3 AUTH user planted", "HELLO"),
        ("publish channel planted", "PUBLISH"),
        ("memory usage a-key", "MEMORY USAGE a-key"),
        ("keys *", "KEYS *"),
        ("flushall", "FLUSHALL"),
    ] {
        assert_eq!(of(line), expected);
    }
}
