-- The mall's users. {{MALL_PASSWORD}} and {{HANDBELL_PASSWORD}} are put in by who runs this (letters, digits and dashes).
-- What stands in /*!80000 … */ is for MySQL 8.0 and later alone (MariaDB skips it), in /*M!… */ for MariaDB alone; the
-- other one does nothing then.
CREATE USER IF NOT EXISTS 'mall'@'%' IDENTIFIED BY '{{MALL_PASSWORD}}';
GRANT SELECT, INSERT, UPDATE, DELETE ON mall.* TO 'mall'@'%';

-- Handbell looks and changes nothing: it reads the mall's tables, everybody's connections and the server's own state.
CREATE USER IF NOT EXISTS 'handbell'@'%' IDENTIFIED BY '{{HANDBELL_PASSWORD}}';
GRANT SELECT ON mall.* TO 'handbell'@'%';
GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'handbell'@'%';
GRANT SELECT ON performance_schema.* TO 'handbell'@'%';
GRANT SELECT ON sys.* TO 'handbell'@'%';
GRANT SELECT ON mysql.slow_log TO 'handbell'@'%';
/*!80000 GRANT EXECUTE ON sys.* TO 'handbell'@'%' */ /*M! DO 0 */;
/*M!100509 GRANT SLAVE MONITOR ON *.* TO 'handbell'@'%' */ /*!80000 DO 0 */;
