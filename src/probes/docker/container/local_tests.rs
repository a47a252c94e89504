use std::fs;

use tempfile::TempDir;

use super::*;

const ID: &str = "ef74f986417b7de16ed937dfb9feade66e2c1f01d2d2a4bf0f610f90277aeb6d";

/// A machine as its kernel shows it.
struct Machine {
    dir: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self {
            dir: TempDir::new().expect("a directory"),
        }
    }

    fn with(self, path: &str, text: &str) -> Self {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
        self
    }

    fn process(self, pid: i64, group: &str, state: &str, resident_kb: i64) -> Self {
        let status = format!(
            "Name:\tx\nState:\t{state}\nVmHWM:\t 99999 kB\nVmRSS:\t {resident_kb} kB\nThreads:\t3\n"
        );
        self.with(&format!("proc/{pid}/cgroup"), group)
            .with(&format!("proc/{pid}/status"), &status)
    }

    fn first_version(id: &str) -> Self {
        let memberships = format!(
            "8:pids:/docker/{id}\n4:memory:/docker/{id}\n2:cpu,cpuacct:/docker/{id}\n0::/docker/{id}\n"
        );
        Self::new()
            .process(71, &memberships, "S (sleeping)", 4_000)
            .with(&format!("groups/memory/docker/{id}/cgroup.procs"), "71\n")
            .with(
                &format!("groups/memory/docker/{id}/memory.usage_in_bytes"),
                "9000\n",
            )
            .with(
                &format!("groups/memory/docker/{id}/memory.stat"),
                "inactive_file 1\ntotal_inactive_file 2000\n",
            )
            .with(
                &format!("groups/cpu/docker/{id}/cpu.stat"),
                "nr_periods 8\nnr_throttled 0\nthrottled_time 0\n",
            )
            .with(&format!("groups/pids/docker/{id}/pids.current"), "4\n")
    }

    fn read(&self, pid: i64) -> Option<Needs> {
        self.watch(pid, Duration::ZERO, Duration::ZERO)
    }

    fn watch(&self, pid: i64, first: Duration, second: Duration) -> Option<Needs> {
        Kernel {
            proc: &self.dir.path().join("proc"),
            groups: &self.dir.path().join("groups"),
            looks: Looks { first, second },
        }
        .read(ID, pid)
    }
}

fn process(state: &str, kb: i64) -> Process {
    Process {
        state: state.to_owned(),
        resident_bytes: kb * 1024,
    }
}

#[test]
fn control_groups_of_the_first_version() {
    assert_eq!(
        Machine::first_version(ID).read(71),
        Some(Needs {
            memory: Some(7_000),
            throttled: Some(0.0),
            pids: Some(4),
            processes: Some(vec![process("S (sleeping)", 4_000)]),
        })
    );
}

#[test]
fn control_groups_of_the_second_version_with_one_inside() {
    let group = format!("groups/system.slice/docker-{ID}.scope");
    let membership = format!("0::/system.slice/docker-{ID}.scope\n");
    let machine = Machine::new()
        .process(71, &membership, "T (stopped)", 4_000)
        .process(72, &membership, "D (disk sleep)", 6_000)
        .with("proc/73/status", "Name:\tx\nState:\tZ (zombie)\n")
        .with(&format!("{group}/cgroup.procs"), "71\n73\n74\n")
        .with(&format!("{group}/inner/cgroup.procs"), "72\n")
        .with(&format!("{group}/memory.current"), "9000\n")
        .with(
            &format!("{group}/memory.stat"),
            "anon 1\ninactive_file 2000\n",
        )
        .with(&format!("{group}/cpu.stat"), "usage_usec 77\n")
        .with(&format!("{group}/pids.current"), "4\n");
    // 74 has ended meanwhile.
    assert_eq!(
        machine.read(71),
        Some(Needs {
            memory: Some(7_000),
            throttled: None,
            pids: Some(4),
            processes: Some(vec![
                process("T (stopped)", 4_000),
                process("Z (zombie)", 0),
                process("D (disk sleep)", 6_000),
            ]),
        })
    );
}

#[test]
fn whatever_is_not_certain_is_left_to_the_engine() {
    let other = "0".repeat(64);
    assert_eq!(Machine::new().read(71), None, "no such process");
    assert_eq!(Machine::first_version(ID).read(0), None, "it does not run");
    assert_eq!(
        Machine::first_version(&other).read(71),
        None,
        "the number belongs to another container's process now"
    );
    let away = format!("0::/../../docker-{ID}.scope\n");
    assert_eq!(
        Machine::new().process(71, &away, "S", 1).read(71),
        None,
        "the group lies outside of what this process sees"
    );
    let elsewhere = Machine::first_version(ID)
        .with(&format!("groups/memory/docker/{ID}/cgroup.procs"), "1\n2\n");
    assert_eq!(elsewhere.read(71), None, "the tree of another machine");
    let hidden = Machine::first_version(ID).with("proc/71/status", "");
    assert_eq!(hidden.read(71), None, "nothing to be read of a process");
}

/// A machine whose container's control group was held back in `held` of `all` periods, and what sets that anew.
fn held_back(all: i64, held: i64) -> (Machine, impl Fn(i64, i64)) {
    let machine = Machine::first_version(ID);
    let stat = machine
        .dir
        .path()
        .join(format!("groups/cpu/docker/{ID}/cpu.stat"));
    let write = move |periods: i64, held: i64| {
        let text = format!("nr_periods {periods}\nnr_throttled {held}\nthrottled_time 5\n");
        fs::write(&stat, text).expect("a file");
    };
    write(all, held);
    (machine, write)
}

#[test]
fn what_held_it_back_long_ago_does_not_count() {
    let (machine, write) = held_back(1_000, 900);
    let throttled = |first| machine.watch(71, first, Duration::ZERO).unwrap().throttled;
    assert_eq!(throttled(Duration::ZERO), None);
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| throttled(Duration::from_millis(600)));
        std::thread::sleep(Duration::from_millis(200));
        write(1_008, 906);
        assert_eq!(seen.join().unwrap(), Some(75.0));
    });
}

#[test]
fn what_is_often_held_back_is_looked_at_once_more() {
    let (first, second) = (Duration::from_millis(600), Duration::from_millis(1_200));
    // Held back before, and how many percent are told where it got no turn in the first look.
    for (held, told) in [(900, 100.0), (100, 0.0)] {
        let (machine, write) = held_back(1_000, held);
        std::thread::scope(|scope| {
            let seen = scope.spawn(|| machine.watch(71, first, second).unwrap().throttled);
            std::thread::sleep(Duration::from_millis(200));
            write(1_005, held);
            std::thread::sleep(Duration::from_secs(1));
            write(1_020, held + 15);
            assert_eq!(seen.join().unwrap(), Some(told), "{held} before");
        });
    }
}
