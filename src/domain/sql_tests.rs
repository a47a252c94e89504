use super::*;

fn refused(sql: &str) -> String {
    match Query::parse(sql) {
        Err(refused) => format!(
            "{}: {}",
            sql.get(refused.at).expect("a part of it"),
            refused.why
        ),
        Ok(query) => panic!("{sql} is read as {query:?}"),
    }
}

#[test]
fn values_are_not_shown() {
    for (sql, shown) in [
        ("SELECT 1", "SELECT ?"),
        (
            "select * from t where a='x' and b = \"y\"",
            "select * from t where a=? and b = ?",
        ),
        (
            "SELECT 'it''s', 'a\\'b' FROM `my tab`",
            "SELECT ?, … FROM `my tab`",
        ),
        ("IN (1, 2,3 ,4)", "IN (?, …)"),
        ("t1.c2 = -1.5e-3", "t1.c2 = -?"),
        (
            "a = 0xDEADBEEF or b = x'AB' or c = .5",
            "a = ? or b = ? or c = ?",
        ),
        (
            "UPDATE /* by bob */ t SET  n = n+1 -- why\n WHERE id=7",
            "UPDATE t SET n = n+? WHERE id=?",
        ),
        ("SELECT 'never ended", "SELECT ?"),
        ("名 = '值'", "名 = ?"),
        ("", ""),
    ] {
        assert_eq!(without_values(sql), shown, "{sql}");
    }
}

#[test]
fn placeholders_become_places() {
    let query = Query::parse(
        "SELECT status FROM orders WHERE order_no = :order_no AND note <> ':x' AND a = :a OR b = :a",
    )
    .unwrap();
    assert_eq!(
        query.sql,
        "SELECT status FROM orders WHERE order_no = ? AND note <> ':x' AND a = ? OR b = ?"
    );
    assert_eq!(query.names, ["order_no", "a", "a"]);
}

#[test]
fn what_only_reads_is_taken() {
    for sql in [
        "SELECT start, share, reset FROM t WHERE `do` = 1 AND sleep > 2",
        "WITH t AS (SELECT 1 AS a) SELECT a FROM t",
        "SELECT REPLACE(name, 'a', 'b'), TRUNCATE(price, 1) FROM p",
        "SELECT `update` FROM t WHERE t.lock = 1 AND x = 'DROP TABLE t; -- '",
        "SELECT COUNT(*) FROM orders WHERE updated_at > NOW() - INTERVAL 5 MINUTE",
    ] {
        assert!(Query::parse(sql).is_ok(), "{sql}: {:?}", Query::parse(sql));
    }
}

#[test]
fn what_does_more_is_refused() {
    for (sql, part) in [
        ("", "one SELECT"),
        ("UPDATE t SET a = 1", "one SELECT"),
        ("SELECT 1; DROP TABLE t", "without `;`"),
        ("SELECT 1;", "without `;`"),
        ("SELECT * FROM t FOR UPDATE", "UPDATE"),
        ("SELECT * FROM t LOCK IN SHARE MODE", "LOCK"),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", "INTO"),
        ("SELECT * FROM t FOR SHARE", "SHARE"),
        ("SELECT SLEEP(10)", "SLEEP"),
        ("SELECT /*! 1 */ 2", "comments"),
        ("SELECT 1 # x", "comments"),
        ("SELECT @a := 1", "variables"),
        ("SELECT @@version", "variables"),
        ("SELECT * FROM t WHERE a = ?", "has a name"),
        ("SELECT 'open", "not closed"),
        ("SELECT GET_LOCK('a', 1)", "GET_LOCK"),
        ("WITH t AS (TABLE x) TABLE t", "one SELECT"),
        ("WITH t AS (SELECT 1) DELETE FROM x", "DELETE"),
    ] {
        let said = refused(sql);
        assert!(said.contains(part), "{sql}: {said}");
    }
}
