"""Orders: placed under a stock lock in one transaction, paid by a notification, cancelled when nobody pays.

A placed order reserves its quantities (`product_skus.reserved`); payment deducts them from `stock`.
"""

import contextlib
import secrets
import time

import pymysql

from log import Logger
from pool import DatabaseError, execute, query, transaction, words

# orders.status, as the handbook counts them (1: paid, to be shipped).
AWAITING_PAYMENT, PAID, SHIPPED, COMPLETED, CANCELLED = range(5)
STATUS_NAMES = ("awaiting-payment", "paid", "shipped", "completed", "cancelled")
MAX_ITEMS = 20
MAX_QUANTITY = 999
# Orders that one round of the sweep cancels.
SWEEP_ROWS = 100

log = Logger("order")
stock_log = Logger("stock")


class Refused(Exception):
    """The order can't be taken as asked; `code` says why in one word."""

    def __init__(self, code, words_):
        super().__init__(words_)
        self.code = code


def new_order_no():
    """Date, time and chance: 24 digits and letters, never twice."""
    return time.strftime("M%y%m%d%H%M%S", time.gmtime()) + secrets.token_hex(5).upper()


class Orders:
    """What a shop does with them."""

    def __init__(self, pool, locks, modes, order_life):
        self._pool = pool
        self._locks = locks
        self._modes = modes
        self._order_life = order_life
        self._leaked = []

    def place(self, user_id, items):
        """Takes an order and gives it back; raises Refused, LockBusy, LocksDown or DatabaseError."""
        wanted = self._wanted(items)
        with self._locks.held(wanted):
            return self._told(lambda: self._place(user_id, wanted), "order")

    def find(self, order_no):
        """An order with its items, or nothing."""
        return self._told(lambda: self._find(order_no), "order lookup")

    def of_user(self, user_id, leak=False):
        """A user's latest orders; needs the index (user_id, created_at)."""
        statement = "SELECT order_no, status, total_cents, created_at FROM orders WHERE user_id = %s ORDER BY created_at DESC LIMIT 20"

        def ask():
            with contextlib.ExitStack() as stack:
                connection = self._leak() if leak else stack.enter_context(self._pool.lend())
                return [_row(row) for row in query(connection, statement, (user_id,))]

        return self._told(ask, "orders of a user")

    def give_back_leaks(self):
        """Gives back what the mode leak-connections lost."""
        leaked, self._leaked = self._leaked, []
        for connection in leaked:
            self._pool.give_back(connection)

    def pay(self, order_no, transaction_id, amount_cents):
        """Marks an order paid and deducts its stock, once; gives `paid`, `already-paid` or `unknown`."""
        return self._told(lambda: self._pay(order_no, transaction_id, amount_cents), "payment")

    def sweep(self):
        """Cancels orders that nobody paid, and gives their stock back; gives how many."""
        return self._told(self._sweep, "sweep")

    def _leak(self):
        connection = self._pool.take()
        self._leaked.append(connection)
        return connection

    @staticmethod
    def _wanted(items):
        try:
            wanted = {}
            for item in items:
                sku_id, quantity = int(item["sku_id"]), int(item["quantity"])
                wanted[sku_id] = wanted.get(sku_id, 0) + quantity
                if not 0 < quantity <= MAX_QUANTITY:
                    raise ValueError
            if not 0 < len(wanted) <= MAX_ITEMS:
                raise ValueError
            return wanted
        except (KeyError, TypeError, ValueError) as error:
            raise Refused("bad-items", f"items must be 1 to {MAX_ITEMS} of {{sku_id, quantity}}") from error

    def _place(self, user_id, wanted):
        order_no, total = new_order_no(), 0
        with self._pool.lend() as connection, transaction(connection):
            for sku_id, quantity in sorted(wanted.items()):
                total += quantity * self._reserve(connection, sku_id, quantity)
            execute(
                connection,
                "INSERT INTO orders (order_no, user_id, status, total_cents) VALUES (%s, %s, %s, %s)",
                (order_no, user_id, AWAITING_PAYMENT, total),
            )
            for sku_id, quantity in sorted(wanted.items()):
                execute(
                    connection,
                    "INSERT INTO order_items (order_no, sku_id, quantity) VALUES (%s, %s, %s)",
                    (order_no, sku_id, quantity),
                )
        log.info("order.placed", order_no=order_no, user_id=user_id, total_cents=total, items=len(wanted))
        return {"order_no": order_no, "status": AWAITING_PAYMENT, "total_cents": total}

    def _reserve(self, connection, sku_id, quantity):
        """Reserves stock and gives the price of one."""
        careless = self._modes.on("skip-stock-check")
        unlocked = self._modes.on("skip-lock")
        mode = "" if careless or unlocked else " FOR UPDATE"
        rows = query(
            connection,
            "SELECT s.price_cents, s.stock, s.reserved, p.status FROM product_skus s "
            f"JOIN products p ON p.id = s.product_id WHERE s.id = %s{mode}",
            (sku_id,),
        )
        if not rows:
            raise Refused("no-such-sku", f"there is no SKU {sku_id}")
        row = rows[0]
        if row["status"] != 1:
            raise Refused("off-shelf", f"SKU {sku_id} is off the shelf")
        if unlocked:
            time.sleep(0.05)  # what a program computes between reading and writing, made long enough to be met
        if not careless and row["stock"] - row["reserved"] < quantity:
            stock_log.info("stock.out", sku_id=sku_id, wanted=quantity, available=row["stock"] - row["reserved"])
            raise Refused("out-of-stock", f"SKU {sku_id}: {quantity} wanted, {row['stock'] - row['reserved']} left")
        execute(connection, "UPDATE product_skus SET reserved = reserved + %s WHERE id = %s", (quantity, sku_id))
        return row["price_cents"]

    def _find(self, order_no):
        with self._pool.lend() as connection:
            statement = "SELECT order_no, user_id, status, total_cents, pay_time, created_at FROM orders WHERE order_no = %s"
            rows = query(connection, statement, (order_no,))
            if not rows:
                return None
            items = query(connection, "SELECT sku_id, quantity FROM order_items WHERE order_no = %s", (order_no,))
            return {**_row(rows[0]), "items": items}

    def _pay(self, order_no, transaction_id, amount_cents):
        with self._pool.lend() as connection, transaction(connection):
            rows = query(connection, "SELECT status FROM orders WHERE order_no = %s FOR UPDATE", (order_no,))
            if not rows:
                return "unknown"
            if rows[0]["status"] != AWAITING_PAYMENT:
                return "already-paid"
            execute(
                connection,
                "UPDATE orders SET status = %s, pay_time = UTC_TIMESTAMP(), transaction_id = %s, version = version + 1 WHERE order_no = %s",
                (PAID, transaction_id, order_no),
            )
            items = query(connection, "SELECT sku_id, quantity FROM order_items WHERE order_no = %s ORDER BY sku_id", (order_no,))
            for item in items:
                self._deduct(connection, item["sku_id"], item["quantity"])
            execute(
                connection,
                "INSERT INTO payments (order_no, transaction_id, amount_cents, trade_state) VALUES (%s, %s, %s, 'SUCCESS')",
                (order_no, transaction_id, amount_cents),
            )
            if self._modes.on("hold-order-rows"):
                time.sleep(float(self._modes.get("hold-order-rows", "seconds", 30)))
        return "paid"

    def _deduct(self, connection, sku_id, quantity):
        if self._modes.on("lost-update"):
            stock = query(connection, "SELECT stock FROM product_skus WHERE id = %s", (sku_id,))[0]["stock"]
            time.sleep(0.05)
            change = "UPDATE product_skus SET stock = %s, reserved = GREATEST(reserved - %s, 0) WHERE id = %s"
            execute(connection, change, (stock - quantity, quantity, sku_id))
            return
        change = "UPDATE product_skus SET stock = stock - %s, reserved = GREATEST(reserved - %s, 0) WHERE id = %s"
        execute(connection, change, (quantity, quantity, sku_id))

    def _sweep(self):
        with self._pool.lend() as connection:
            late = query(
                connection,
                "SELECT order_no FROM orders WHERE status = %s AND created_at < UTC_TIMESTAMP() - INTERVAL %s SECOND LIMIT %s",
                (AWAITING_PAYMENT, self._order_life, SWEEP_ROWS),
            )
            cancelled = sum(self._cancel(connection, row["order_no"]) for row in late)
        if cancelled:
            log.info("order.swept", cancelled=cancelled)
        return cancelled

    @staticmethod
    def _cancel(connection, order_no):
        with transaction(connection):
            changed, _ = execute(
                connection,
                "UPDATE orders SET status = %s, version = version + 1 WHERE order_no = %s AND status = %s",
                (CANCELLED, order_no, AWAITING_PAYMENT),
            )
            if changed:
                execute(
                    connection,
                    "UPDATE product_skus s JOIN order_items i ON i.sku_id = s.id "
                    "SET s.reserved = GREATEST(s.reserved - i.quantity, 0) WHERE i.order_no = %s",
                    (order_no,),
                )
        return changed

    @staticmethod
    def _told(work, what):
        """Does the work; a failure of the database is logged and becomes DatabaseError."""
        try:
            return work()
        except (pymysql.MySQLError, OSError) as error:
            Logger("db").error("db.failed", what=what, error=words(error))
            raise DatabaseError(words(error)) from error


def _row(row):
    """A row as JSON can carry it, with the status in words beside its number."""
    shown = {key: (value.isoformat() + "Z" if hasattr(value, "isoformat") else value) for key, value in row.items()}
    if "status" in shown and shown["status"] in range(len(STATUS_NAMES)):
        shown["status_name"] = STATUS_NAMES[shown["status"]]
    return shown
