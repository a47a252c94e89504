use super::*;

const NOW: i64 = 1_732_824_950;

fn read(text: &str, within: u64) -> Vec<Kind> {
    kinds(
        text.lines(),
        Timestamp::from_second(NOW).expect("a time"),
        within,
    )
}

const MARIADB: &str = "\
/usr/sbin/mariadbd, Version: 10.11.6-MariaDB (Debian 12). started with:
Tcp port: 3306  Unix socket: /run/mysqld/mysqld.sock
Time\t\t    Id Command\tArgument
# Time: 241128 20:15:00
# User@Host: shop[shop] @  [172.18.0.4]
# Thread_id: 8  Schema: mall  QC_hit: No
# Query_time: 2.000000  Lock_time: 0.000100  Rows_sent: 1  Rows_examined: 900
# Rows_affected: 0  Bytes_sent: 60
use mall;
SET timestamp=1732824900;
SELECT *
FROM orders WHERE id = 7;
# User@Host: shop[shop] @  [172.18.0.4]
# Query_time: 4.000000  Lock_time: 0.000100  Rows_sent: 1  Rows_examined: 1100
SET timestamp=1732824910;
SELECT *
FROM orders WHERE id = 8;
# Time: 241128 19:00:00
# Query_time: 9.000000  Lock_time: 0.000100  Rows_sent: 1  Rows_examined: 1
SET timestamp=1732820000;
SELECT 1;
";

#[test]
fn statements_of_the_window_are_read() {
    let all = read(MARIADB, 600);
    assert_eq!(all.len(), 1, "{all:?}");
    let kind = &all[0];
    assert!(
        kind.statement
            .starts_with("SELECT * FROM orders WHERE id =")
    );
    assert!(!kind.statement.contains(['7', '8']));
    assert_eq!((kind.count, kind.seconds_ago), (2, Some(36)));
    assert_eq!(kind.turns(), Some(2));
    assert!((kind.average(kind.total_ms) - 3_000.0).abs() < 0.01);
    assert!((kind.worst_ms - 4_000.0).abs() < 0.01);
    assert!((kind.average(kind.rows_examined) - 1_000.0).abs() < 0.01);
    assert_eq!(read(MARIADB, 100_000).len(), 2);
    assert!(read(MARIADB, 1).is_empty());
}

#[test]
fn a_log_that_begins_in_a_statement_and_ends_in_one_is_read() {
    assert!(read("FROM orders;\n# Query_time: x\n# Query_time: 1.0\n", 600).is_empty());
    let text =
        format!("WHERE a = 1;\n# Query_time: 1.5 Rows_sent: 0\nSET timestamp={NOW};\nDELETE");
    assert_eq!(read(&text, 600)[0].statement, "DELETE");
}
