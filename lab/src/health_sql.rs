//! Exact health of the database: settings, structure, data, and the counters that a fault leaves behind.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::lab::Lab;
use crate::sql::Sql;

/// Settings that change by themselves.
const NOT_COMPARED: [&str; 10] = [
    "gtid_executed",
    "gtid_binlog_pos",
    "gtid_binlog_state",
    "gtid_current_pos",
    "gtid_purged",
    "timestamp",
    "innodb_buffer_pool_load_now",
    "rand_seed1",
    "server_uuid",
    "server_uid",
];

/// Everything that stays the same in good health, as one value for each name: the structure of the tables, the
/// number of seeded rows, who may log in.
const FACTS: [(&str, &str); 6] = [
    (
        "columns",
        "SELECT COALESCE(SUM(CRC32(CONCAT_WS('|', table_name, column_name, column_type, is_nullable, \
         COALESCE(column_default, ''), ordinal_position))), 0) FROM information_schema.columns WHERE table_schema = 'mall'",
    ),
    (
        "indexes",
        "SELECT COALESCE(SUM(CRC32(CONCAT_WS('|', table_name, index_name, seq_in_index, column_name, non_unique))), 0) \
         FROM information_schema.statistics WHERE table_schema = 'mall'",
    ),
    (
        "seeded orders",
        "SELECT COUNT(*) FROM mall.orders WHERE id <= 300000",
    ),
    (
        "seeded items",
        "SELECT COUNT(*) FROM mall.order_items WHERE id <= 450000",
    ),
    ("products", "SELECT COUNT(*) FROM mall.products"),
    (
        "users",
        "SELECT GROUP_CONCAT(user, '@', host ORDER BY user, host) FROM mysql.user",
    ),
];

/// What a fault leaves behind and nothing but a new server takes away, with the most that good health has: a backend
/// that ends leaves its connections, and a busy machine is slow now and then.
const STAINS: [(&str, u64); 5] = [
    ("Aborted_clients", 30),
    ("Connection_errors_max_connections", 0),
    ("Connection_errors_internal", 0),
    ("Slow_queries", 5),
    ("Innodb_deadlocks", 0),
];

impl Lab {
    /// The database as it is in good health, by name.
    pub(crate) async fn facts_of_database(&self) -> Result<BTreeMap<String, String>> {
        let mut sql = self.door()?.open().await?;
        let mut facts = BTreeMap::new();
        for row in sql.text("SHOW GLOBAL VARIABLES").await? {
            if let [name, value] = row.as_slice()
                && !NOT_COMPARED.contains(&name.as_str())
            {
                facts.insert(format!("@@{name}"), value.clone());
            }
        }
        for (name, query) in FACTS {
            facts.insert(name.to_owned(), first(&mut sql, query).await?);
        }
        sql.close().await;
        Ok(facts)
    }

    /// What is not as it was. The orders of the backend's own traffic stay: they are good health, and to take them away
    /// would be a fault for the payments that are under way.
    pub(crate) async fn calm_database(&self) -> Result<Option<String>> {
        let mut sql = self.door()?.open().await?;
        let stain = stain(&mut sql).await?;
        sql.close().await;
        if stain.is_some() {
            return Ok(stain);
        }
        let now = self.facts_of_database().await?;
        let healthy = &self.state.healthy_database;
        let other = healthy
            .iter()
            .find(|(name, value)| now.get(*name) != Some(*value));
        Ok(other.map(|(name, value)| {
            let seen = now.get(name).map_or("nothing", String::as_str);
            format!("{name} is {seen}, not {value}")
        }))
    }
}

async fn first(sql: &mut Sql, query: &str) -> Result<String> {
    let rows = sql.text(query).await?;
    let first = rows.into_iter().next().unwrap_or_default();
    Ok(first.into_iter().next().unwrap_or_default())
}

async fn stain(sql: &mut Sql) -> Result<Option<String>> {
    for row in sql.text("SHOW GLOBAL STATUS").await? {
        if let [name, value] = row.as_slice()
            && let Some((_, most)) = STAINS.iter().find(|(stain, _)| stain == name)
            && value.parse::<u64>().is_ok_and(|count| count > *most)
        {
            return Ok(Some(format!("{name} is {value}")));
        }
    }
    let engine = sql.text("SHOW ENGINE INNODB STATUS").await?;
    let said = engine.into_iter().flatten().collect::<String>();
    let deadlock = said.contains("LATEST DETECTED DEADLOCK");
    Ok(deadlock.then(|| "it remembers a deadlock".to_owned()))
}
