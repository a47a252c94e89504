-- Users of the lab itself, in good health: its root, and the container's health check, which may connect and nothing
-- else. For the lab alone: the password stands in lab/config too (a test compares them).
CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY 'lab-root-not-a-secret';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS 'health'@'127.0.0.1';
-- MariaDB's installation makes roots without a password; the one of the socket stays.
DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1', ''@'localhost';
