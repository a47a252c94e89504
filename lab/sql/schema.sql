-- The mall's tables, for MySQL 8.0 and 9 and MariaDB 10.11. Times are UTC; money is in cents.
CREATE DATABASE IF NOT EXISTS mall CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
USE mall;

CREATE TABLE products (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(120) NOT NULL,
  description VARCHAR(500) NOT NULL DEFAULT '',
  status TINYINT NOT NULL DEFAULT 1 COMMENT '1 on the shelf, 0 taken off',
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB;

-- A placed order adds to `reserved`; its payment takes from `stock` and from `reserved`.
-- What was counted at the last stocktake (a delivery adds to it), minus what was paid since, is what `stock` must be.
CREATE TABLE product_skus (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id BIGINT NOT NULL,
  name VARCHAR(120) NOT NULL,
  price_cents INT NOT NULL,
  stock INT NOT NULL DEFAULT 0 COMMENT 'in the warehouse and not paid for',
  reserved INT NOT NULL DEFAULT 0 COMMENT 'of the stock: promised to orders that await payment',
  counted_stock INT NOT NULL DEFAULT 0 COMMENT 'at the last stocktake, and what was delivered since',
  counted_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  KEY idx_product (product_id)
) ENGINE = InnoDB;

CREATE TABLE orders (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_no VARCHAR(32) CHARACTER SET ascii NOT NULL,
  user_id BIGINT NOT NULL,
  status TINYINT NOT NULL DEFAULT 0 COMMENT '0 awaiting payment, 1 paid and to be shipped, 2 shipped, 3 completed, 4 cancelled',
  total_cents INT NOT NULL DEFAULT 0,
  pay_time DATETIME NULL,
  transaction_id VARCHAR(64) CHARACTER SET ascii NULL COMMENT 'of WeChat Pay',
  address VARCHAR(200) NOT NULL DEFAULT '',
  version INT NOT NULL DEFAULT 0 COMMENT 'for optimistic locking',
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  UNIQUE KEY uk_order_no (order_no),
  KEY idx_user_created (user_id, created_at),
  KEY idx_status_created (status, created_at),
  KEY idx_pay_time (pay_time)
) ENGINE = InnoDB;

CREATE TABLE order_items (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_no VARCHAR(32) CHARACTER SET ascii NOT NULL,
  sku_id BIGINT NOT NULL,
  quantity INT NOT NULL,
  KEY idx_order_no (order_no),
  KEY idx_sku (sku_id, quantity)
) ENGINE = InnoDB;

CREATE TABLE payments (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_no VARCHAR(32) CHARACTER SET ascii NOT NULL,
  transaction_id VARCHAR(64) CHARACTER SET ascii NOT NULL,
  amount_cents INT NOT NULL,
  trade_state VARCHAR(20) NOT NULL,
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE KEY uk_transaction (transaction_id),
  KEY idx_order_no (order_no)
) ENGINE = InnoDB;

-- Every notification of WeChat Pay that reached the backend, and what became of it.
CREATE TABLE payment_notifications (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  order_no VARCHAR(32) CHARACTER SET ascii NULL COMMENT 'unknown where the notification could not be read',
  event_type VARCHAR(40) NULL,
  outcome VARCHAR(20) NOT NULL COMMENT 'paid, already-paid, ignored, bad-signature, undecryptable, unknown-order, …',
  detail VARCHAR(500) NULL,
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  KEY idx_order_no (order_no),
  KEY idx_created (created_at)
) ENGINE = InnoDB;
