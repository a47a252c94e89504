"""The product list: from the cache where it is warm, otherwise from the database."""

import json

import pymysql

from log import Logger, Repeated
from pool import DatabaseError, query, words
from resp import RedisError

PRODUCTS_KEY = "products:cache:all"
PAGE_SIZE = 20
# Longest list that is given at once.
MAX_PAGE_SIZE = 100

log = Logger("db")

LIST = """
SELECT p.id, p.name, MIN(s.price_cents) AS price_cents, SUM(s.stock) AS stock
FROM products p JOIN product_skus s ON s.product_id = p.id
WHERE p.status = 1
GROUP BY p.id, p.name
ORDER BY p.id
LIMIT %s OFFSET %s
"""

# How often each product of the page was ordered; needs the index on order_items.sku_id.
SOLD = """
SELECT s.product_id AS id, SUM(i.quantity) AS sold
FROM product_skus s JOIN order_items i ON i.sku_id = s.id
WHERE s.product_id IN ({})
GROUP BY s.product_id
"""


class Catalogue:
    """What the mall sells."""

    def __init__(self, redis, pool, modes, ttl):
        self.redis = redis
        self._pool = pool
        self._modes = modes
        self._ttl = ttl
        self.cache_trouble = Repeated(Logger("redis"), "redis")

    def products(self, page=1, size=PAGE_SIZE):
        """A page of the list; says which of hit, miss, down and off the cache was."""
        size = max(1, min(size, MAX_PAGE_SIZE))
        if self._modes.on("no-cache"):
            return self._from_database(page, size), "off"
        key = PRODUCTS_KEY if (page, size) == (1, PAGE_SIZE) else f"products:cache:{page}:{size}"
        try:
            cached = self.redis.call("GET", key)
            self.cache_trouble.well()
            if cached is not None:
                return json.loads(cached), "hit"
        except RedisError as error:
            self.cache_trouble.ill(str(error))
            return self._from_database(page, size), "down"
        fresh = self._from_database(page, size)
        try:
            self.redis.call("SETEX", key, self._ttl, json.dumps(fresh))
        except RedisError as error:
            self.cache_trouble.ill(str(error))
        return fresh, "miss"

    def product(self, product_id):
        """One product with its SKUs, or nothing."""
        if self._pool is None:
            found = [one for one in self._made_up() if one["id"] == product_id]
            return found[0] if found else None
        with self._pool.lend() as connection:
            rows = query(connection, "SELECT id, name, description FROM products WHERE id = %s", (product_id,))
            if not rows:
                return None
            skus = "SELECT id, name, price_cents, stock - reserved AS available FROM product_skus WHERE product_id = %s"
            return {**rows[0], "skus": query(connection, skus, (product_id,))}

    def _from_database(self, page, size):
        if self._pool is None:
            return self._made_up()
        try:
            with self._pool.lend() as connection:
                rows = query(connection, LIST, (size, (max(1, page) - 1) * size))
                if rows:
                    marks = ", ".join(["%s"] * len(rows))
                    sold = {row["id"]: int(row["sold"]) for row in query(connection, SOLD.format(marks), [r["id"] for r in rows])}
                    for row in rows:
                        row.update(stock=int(row["stock"]), sold=sold.get(row["id"], 0))
                return rows
        except (pymysql.MySQLError, OSError) as error:
            log.error("db.failed", what="product list", error=words(error))
            raise DatabaseError(words(error)) from error

    @staticmethod
    def _made_up():
        """The list where there is no database at all."""
        return [
            {"id": number, "name": f"Product {number}", "price_cents": 990 + 10 * number, "stock": 100 - number, "sold": 0}
            for number in range(1, 51)
        ]
