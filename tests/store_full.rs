//! A disk that is full from the beginning, or becomes full: what is said, and what is recorded, through
//! the binary.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own helpers; a failure is a panic"
)]

mod binary;

use std::{path::Path, process::Command};

use binary::{Home, Ran, finish, nobody, not_run};

/// Nothing was shown as if it were recorded, and the sentence names the file.
#[track_caller]
fn refused(ran: Ran, says: &str) {
    let ran = ran.ended(2).says(says).says("handbell.sqlite");
    assert!(ran.out.is_empty(), "no report without a record: {ran:#?}");
}

/// `script` under a state directory of `size` of its own: `$1` is that directory, `$2` an empty one
/// beside it, and `"$@"` from `$3` on is `handbell --config …`.
fn on_a_small_disk(home: &Home, size: &str, script: &str) -> Command {
    let aside = home.dir.path().join("aside");
    for directory in [&home.state(), &aside] {
        std::fs::create_dir_all(directory).expect("made");
    }
    let mut command = Command::new("unshare");
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", home.dir.path())
        .env("TZ", "UTC")
        .args(["--mount", "--map-root-user", "sh", "-c"])
        .arg(format!(
            "mount -t tmpfs -o size={size} tmpfs \"$1\" || exit 99; \
             state=$1; aside=$2; shift 2; {script}"
        ))
        .arg("sh")
        .args([home.state(), aside])
        .arg(env!("CARGO_BIN_EXE_handbell"))
        .arg("--config")
        .arg(home.config());
    command
}

/// Whether this machine lets us mount a small file system; says so if not.
fn small_disks(test: &str) -> bool {
    let home = Home::with_redis(nobody());
    let tried = on_a_small_disk(&home, "64k", "true").output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        not_run(test, "this machine lets us mount no small file system");
    }
    can
}

#[test]
fn full_from_the_beginning() {
    if !small_disks("store_full::full_from_the_beginning") {
        return;
    }
    for size in ["4k", "16k", "32k", "64k", "96k"] {
        let home = Home::with_redis(nobody());
        let ran = finish(on_a_small_disk(&home, size, "\"$@\" diagnose redis"));
        refused(ran, "is full");
        let ran = finish(on_a_small_disk(
            &home,
            size,
            "\"$@\" diagnose redis --lang zh",
        ));
        refused(ran, "磁盘已满");
    }
}

/// A diagnosis on a disk that is nearly full, as [`DIAGNOSE`] tells it.
#[derive(Debug)]
struct Step {
    name: String,
    code: i32,
    out: String,
    err: String,
    /// The records that have an end.
    ended: usize,
}

/// One step: diagnoses, with what it says put aside, and prints its name, its exit code and then the
/// history in one line.
const DIAGNOSE: &str = r#"diagnose() {
  name=$1; shift
  "$@" diagnose redis >"$aside/$name.out" 2>"$aside/$name.err"; code=$?
  rm -f "$state/rest"
  printf '%s %s %s\n' "$name" "$code" "$("$@" history --json --limit 100)"
}"#;

impl Step {
    fn read(line: &str, aside: &Path) -> Self {
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().unwrap_or_else(|| panic!("a step: {line:?}"));
        let (name, code, history) = (part().to_owned(), part(), part());
        let history: serde_json::Value = serde_json::from_str(history)
            .unwrap_or_else(|error| panic!("{error}: the history after {name}: {line:?}"));
        let records = history.as_array().expect("a list");
        let endless = |state: &str| ["running", "interrupted"].contains(&state);
        let said =
            |kind: &str| std::fs::read_to_string(aside.join(format!("{name}.{kind}"))).expect(kind);
        Self {
            code: code.parse().expect("a code"),
            out: said("out"),
            err: said("err"),
            ended: records
                .iter()
                .filter(|record| !endless(record["state"].as_str().expect("a state")))
                .count(),
            name,
        }
    }

    fn refused(&self) -> bool {
        self.code == 2
    }
}

#[test]
fn full() {
    if !small_disks("store_full::full") {
        return;
    }
    // With more and more space left, each diagnosis is either recorded whole and shown, or refused
    // since the disk is full; what was recorded before is still there; with room again it goes on.
    let home = Home::with_redis(nobody());
    let ran = finish(on_a_small_disk(
        &home,
        "1m",
        &format!(
            "{DIAGNOSE}
             diagnose first \"$@\"
             for left in 0 4 8 12 16 20 24 28 32 40 48 64 96; do
               dd if=/dev/zero of=\"$state/rest\" bs=1k 2>/dev/null
               truncate -s \"-${{left}}K\" \"$state/rest\"
               diagnose \"$left\" \"$@\"
             done
             diagnose last \"$@\""
        ),
    ))
    .ended(0);
    let aside = home.dir.path().join("aside");
    let steps: Vec<Step> = ran
        .out
        .lines()
        .map(|line| Step::read(line, &aside))
        .collect();
    assert_eq!(steps.len(), 15, "{ran:#?}");
    let mut before = 0;
    for step in &steps {
        // How the checks found things is not the matter here, but that their answer is kept.
        assert!((0..=3).contains(&step.code), "{step:#?}\n{steps:#?}");
        assert_eq!(step.out.is_empty(), step.refused(), "{step:#?}\n{steps:#?}");
        let told = step.err.matches("error: ").count();
        assert_eq!(told, usize::from(step.refused()), "{step:#?}\n{steps:#?}");
        assert_eq!(
            step.err.contains("is full"),
            step.refused(),
            "{step:#?}\n{steps:#?}"
        );
        let now = before + usize::from(!step.refused());
        assert_eq!(step.ended, now, "{step:#?}\n{steps:#?}");
        before = now;
    }
    let refused = |name: &str| steps.iter().any(|it| it.name == name && it.refused());
    assert!(refused("0"), "{steps:#?}");
    for name in ["first", "96", "last"] {
        assert!(!refused(name), "{name} had room: {steps:#?}");
    }
    // Both ends of a run met the full disk, and what is said of them is true of each.
    for (says, why) in [
        ("so it is not done", "none could not begin"),
        ("The checks ran", "none could not end"),
    ] {
        assert!(
            steps.iter().any(|step| step.err.contains(says)),
            "{why}: {steps:#?}"
        );
    }
}
