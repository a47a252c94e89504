use super::*;

const MYSQL: &str = "\
=====================================
2026-11-22 23:40:00 140 INNODB MONITOR OUTPUT
------------------------
LATEST DETECTED DEADLOCK
------------------------
2026-11-22 23:30:01 140123456789
*** (1) TRANSACTION:
TRANSACTION 1815, ACTIVE 3 sec starting index read
mysql tables in use 1, locked 1
LOCK WAIT 3 lock struct(s), heap size 1128, 2 row lock(s), undo log entries 1
MySQL thread id 9, OS thread handle 140123, query id 40 localhost 127.0.0.1 mall updating
UPDATE product_skus SET stock = stock - 1
 WHERE id = 2 AND note = 'secret'

*** (1) HOLDS THE LOCK(S):
RECORD LOCKS space id 2 page no 4 n bits 72 index PRIMARY of table `mall`.`product_skus` trx id 1815 lock_mode X locks rec but not gap
Record lock, heap no 2 PHYSICAL RECORD: n_fields 4; compact format; info bits 0
 0: len 4; hex 80000001; asc     ;;

*** (1) WAITING FOR THIS LOCK TO BE GRANTED:
RECORD LOCKS space id 2 page no 4 n bits 72 index PRIMARY of table `mall`.`product_skus` trx id 1815 lock_mode X locks rec but not gap waiting

*** (2) TRANSACTION:
TRANSACTION 1816, ACTIVE 2 sec starting index read
MySQL thread id 10, OS thread handle 140124, query id 41 172.18.0.5 mall updating
UPDATE orders SET status = 1 WHERE id = 1

*** (2) HOLDS THE LOCK(S):
RECORD LOCKS space id 2 page no 4 n bits 72 index PRIMARY of table `mall`.`product_skus` trx id 1816 lock_mode X locks rec but not gap

*** (2) WAITING FOR THIS LOCK TO BE GRANTED:
RECORD LOCKS space id 3 page no 4 n bits 72 index idx_user of table `mall`.`orders` trx id 1816 lock_mode X waiting

*** WE ROLL BACK TRANSACTION (2)
------------
TRANSACTIONS
------------
*** (3) TRANSACTION:
";

#[test]
fn the_report_of_mysql_is_read() {
    let found = parse(MYSQL).unwrap();
    assert_eq!(
        found.at,
        Some(jiff::civil::datetime(2026, 11, 22, 23, 30, 1, 0))
    );
    assert_eq!(found.victim, Some(2));
    assert_eq!(found.sides.len(), 2);
    let [one, two] = &found.sides[..] else {
        panic!("two sides")
    };
    assert_eq!(
        (one.id.as_str(), one.connection, one.active_seconds),
        ("1815", 9, 3)
    );
    assert_eq!(
        (one.account.as_str(), two.account.as_str()),
        ("mall@localhost", "mall@172.18.0.5")
    );
    assert_eq!(
        one.statement,
        "UPDATE product_skus SET stock = stock - ? WHERE id = ? AND note = ?"
    );
    assert_eq!(
        one.holds[0].shown(),
        "X locks rec but not gap on mall.product_skus.PRIMARY"
    );
    assert_eq!(two.waits[0].shown(), "X on mall.orders.idx_user");
}

#[test]
fn the_report_of_mariadb_is_read() {
    let status = MYSQL
        .replace("MySQL thread", "MariaDB thread")
        .replace("*** (1) HOLDS THE LOCK(S):", "*** CONFLICTING WITH:")
        .replace("*** (1) WAITING", "*** WAITING");
    let found = parse(&status).unwrap();
    assert_eq!(found.sides[0].conflicts.len(), 1);
    assert_eq!(found.sides[0].waits.len(), 1);
    assert_eq!(found.sides[0].connection, 9);
}

#[test]
fn no_deadlock_and_rubbish_are_none() {
    assert_eq!(parse("------------\nTRANSACTIONS\n------------\n"), None);
    assert_eq!(parse("LATEST DETECTED DEADLOCK"), None);
    assert_eq!(
        parse("LATEST DETECTED DEADLOCK\n---\n*** (1) TRANSACTION"),
        None
    );
    let cut = parse(MYSQL.get(..600).expect("long enough")).unwrap();
    assert_eq!(cut.sides.len(), 1);
}
