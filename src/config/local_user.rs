//! Who runs the command line, as the operating system says it and not as the environment claims.

use std::os::unix::fs::MetadataExt;

/// The name of the user who runs this process; `uid:<number>` when the system knows no name.
///
/// Not `$USER`: anybody can set that. On Linux the kernel says whose the process is, and
/// `/etc/passwd` or, for directory services, `id` has the name.
#[must_use]
pub fn local_user() -> String {
    let uid = std::fs::metadata("/proc/self").map(|process| process.uid());
    match uid {
        Ok(uid) => std::fs::read_to_string("/etc/passwd")
            .ok()
            .and_then(|passwd| name_of(uid, &passwd))
            .or_else(ask_id)
            .unwrap_or_else(|| format!("uid:{uid}")),
        Err(_) => ask_id().unwrap_or_else(|| "unknown".to_owned()),
    }
}

/// Asks the system's name service by `id -un` (POSIX).
fn ask_id() -> Option<String> {
    let answer = std::process::Command::new("/usr/bin/id")
        .arg("-un")
        .output()
        .ok()?;
    let name = String::from_utf8(answer.stdout).ok()?;
    let name = name.trim();
    (answer.status.success() && !name.is_empty()).then(|| name.to_owned())
}

fn name_of(uid: u32, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbroken\n:x:7:7::/:/\nalice:x:1000:1000:Alice,,,:/home/alice:/bin/sh\n";

    #[test]
    fn the_number_finds_its_name() {
        assert_eq!(name_of(1000, PASSWD).as_deref(), Some("alice"));
        assert_eq!(name_of(0, PASSWD).as_deref(), Some("root"));
        assert_eq!(name_of(7, PASSWD), None);
        assert_eq!(name_of(8, PASSWD), None);
    }
}
