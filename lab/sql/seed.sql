-- The mall's history: the same rows each time, made by the server itself in a few seconds. 200 products, 500 SKUs,
-- 300,000 orders of the 120 days before 2026-11-01 and about 450,000 items, so that a missing index hurts.
-- SKUs 1 to 400 have plenty of stock (the backend's own traffic buys them); 401 to 500 have 5 to 24 pieces.
USE mall;
SET NAMES utf8mb4;
SET time_zone = '+00:00', unique_checks = 0, sql_log_bin = 0;
SET @counted = '2026-11-01 00:00:00';

CREATE TEMPORARY TABLE digit (d INT NOT NULL PRIMARY KEY);
INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TEMPORARY TABLE thousand (n INT NOT NULL PRIMARY KEY);
-- A temporary table can't be named twice in one statement, so the digits are multiplied one step at a time.
INSERT INTO thousand SELECT d FROM digit;
CREATE TEMPORARY TABLE hundred (n INT NOT NULL PRIMARY KEY);
INSERT INTO hundred SELECT t.n * 10 + d.d FROM thousand t CROSS JOIN digit d;
DELETE FROM thousand;
INSERT INTO thousand SELECT h.n * 10 + d.d FROM hundred h CROSS JOIN digit d;

INSERT INTO products (id, name, description, status, created_at)
SELECT n, CONCAT('Product ', n), CONCAT('Made for the lab, number ', n, '. ', REPEAT('Fine goods. ', 8)), 1, '2026-07-01 00:00:00'
FROM thousand WHERE n BETWEEN 1 AND 200;

INSERT INTO product_skus (id, product_id, name, price_cents, stock, reserved, counted_stock, counted_at, updated_at)
SELECT n, 1 + (n - 1) % 200, CONCAT('Product ', 1 + (n - 1) % 200, ' / ', ELT(1 + (n - 1) DIV 200, 'red', 'blue', 'green')),
  500 + (n * 7919) % 20000,
  IF(n <= 400, 100000, 5 + n % 20), 0, IF(n <= 400, 100000, 5 + n % 20), @counted, @counted
FROM thousand WHERE n BETWEEN 1 AND 500;

-- Two of a hundred were cancelled, the others paid, most of them completed; a cancelled one was never paid.
INSERT INTO orders (id, order_no, user_id, status, total_cents, pay_time, transaction_id, address, version, created_at, updated_at)
SELECT o.id, CONCAT('M', DATE_FORMAT(o.made, '%y%m%d%H%i%s'), LPAD(o.id, 6, '0')), 1 + (o.id * 7919) % 20000, o.status,
  1000 + (o.id * 104729) % 90000,
  IF(o.status = 4, NULL, o.made + INTERVAL 1 + o.id % 600 SECOND),
  IF(o.status = 4, NULL, CONCAT('4200002', LPAD(o.id, 21, '0'))),
  CONCAT('Road ', o.id % 977, ', House ', o.id % 89, ', Building ', o.id % 31, ', Hangzhou, Zhejiang'), 1, o.made, o.made
FROM (
  SELECT 1 + t.n * 300 + k.k AS id,
    @counted - INTERVAL 1000 + (300000 - (t.n * 300 + k.k)) * 34 SECOND AS made,
    CASE WHEN (t.n * 300 + k.k) % 50 = 7 THEN 4 WHEN (t.n * 300 + k.k) < 280000 THEN 3 WHEN (t.n * 300 + k.k) < 295000 THEN 2 ELSE 1 END AS status
  FROM thousand t CROSS JOIN (SELECT h.n * 3 + three.d AS k FROM hundred h CROSS JOIN (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2) three) k
) o;

INSERT INTO order_items (id, order_no, sku_id, quantity)
SELECT id, order_no, 1 + (id * 31) % 500, 1 + id % 3 FROM orders ORDER BY id;
INSERT INTO order_items (id, order_no, sku_id, quantity)
SELECT 300000 + id DIV 2, order_no, 1 + (id * 17 + 250) % 500, 1 FROM orders WHERE id % 2 = 0 ORDER BY id;

INSERT INTO payments (order_no, transaction_id, amount_cents, trade_state, created_at)
SELECT order_no, transaction_id, total_cents, 'SUCCESS', pay_time FROM orders WHERE id > 290000 AND status <> 4;
INSERT INTO payment_notifications (order_no, event_type, outcome, created_at)
SELECT order_no, 'TRANSACTION.SUCCESS', 'paid', pay_time FROM orders WHERE id > 290000 AND status <> 4;

DROP TEMPORARY TABLE digit, hundred, thousand;
ANALYZE TABLE products, product_skus, orders, order_items, payments, payment_notifications;
