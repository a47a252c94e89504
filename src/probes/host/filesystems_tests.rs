use super::{failing, table};

#[test]
fn an_answer_of_df_is_whole_or_none() {
    let head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
    let row = "/dev/sda1 100 50 50 50% /\n";
    let rows = |text: &str| table(text, 6).map(|rows| rows.len());
    assert_eq!(rows(&format!("{head}{row}")), Some(1));
    assert_eq!(
        rows(&format!("Welcome!\n{head}{row}tmpfs 1 1 1 1% /a b\n")),
        Some(2)
    );
    for text in [
        String::new(),
        "Welcome!\n".to_owned(),
        head.to_owned(),
        row.to_owned(),
        format!("{head}{row}/dev/sdb1 100 5"),
        format!("{head}{row}/dev/sdb1 100 5\n"),
        format!("{head}/dev/sdb1 100 5 5 5% /data\n"),
    ] {
        assert_eq!(rows(&text), None, "{text:?}");
    }
}

#[test]
fn what_df_could_not_ask_is_silent() {
    let errors = "df: /mnt/nfs: Stale file handle\ndf: /root/x: Permission denied\n\
                  df: /mnt/disk: Input/output error\ndf: no file systems processed\n";
    assert_eq!(failing(errors), ["/mnt/disk", "/mnt/nfs"]);
}
