"""A little traffic of the shop's own, through its own front door, so that cache, locks and database are never idle."""

import json
import random
import threading
import urllib.error
import urllib.request

from log import Logger
from pool import DatabaseError
from resp import RedisError

SESSION_TTL_SECONDS = 60
# One visit of so many ends in an order.
VISITS_FOR_AN_ORDER = 10
# One visit of so many looks at its own orders.
VISITS_FOR_A_LOOK = 3
# SKUs that visitors buy: they have plenty of stock (see the seed), so that traffic alone never sells one out.
BUYABLE_SKUS = 400
USERS = 20000
# Visitors at the same time: when pages are slow, so many of them wait.
VISITORS = 4
# A visitor's patience, in seconds.
PATIENCE_SECONDS = 15
# Between two sweeps for unpaid orders, in seconds.
SWEEP_SECONDS = 60.0

log = Logger("backend")


class Visitor:
    """Somebody who looks at the list, now and then at the own orders, and now and then orders something."""

    def __init__(self, shop, port):
        self._shop = shop
        self._base = f"http://127.0.0.1:{port}/api/v1"
        self._chance = random.Random()

    def visit(self):
        number = self._chance.randint(1, USERS)
        try:
            session = json.dumps({"cart": number % 7})
            self._shop.redis.call("SETEX", f"user:cache:{number % 2000 + 1}", SESSION_TTL_SECONDS, session)
        except RedisError as error:
            self._shop.catalogue.cache_trouble.ill(str(error))
        self._ask("/products")
        if self._shop.orders is None:
            return
        if self._chance.randrange(VISITS_FOR_A_LOOK) == 0:
            self._ask(f"/orders?user_id={number}")
        if self._chance.randrange(VISITS_FOR_AN_ORDER) == 0:
            item = {"sku_id": self._chance.randint(1, BUYABLE_SKUS), "quantity": self._chance.randint(1, 2)}
            self._ask("/orders", {"user_id": number, "items": [item]})

    def _ask(self, path, body=None):
        raw = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, raw, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                answer.read()
        except (urllib.error.URLError, OSError):
            pass  # the page has said it in the log


def run(shop, port, visits_a_second, stop):
    """Visits until told to stop."""

    def come():
        visitor = Visitor(shop, port)
        while not stop.wait(VISITORS / visits_a_second):
            try:
                visitor.visit()
            except Exception as error:  # noqa: BLE001, traffic must outlive whatever the lab does to the shop
                log.error("traffic.failed", error=f"{type(error).__name__}: {error}")

    for number in range(VISITORS):
        timer = threading.Timer(number / visits_a_second, come)
        timer.daemon = True
        timer.start()


def sweep(shop, stop):
    """Cancels unpaid orders until told to stop."""
    while not stop.wait(SWEEP_SECONDS):
        try:
            shop.orders.sweep()
        except DatabaseError:
            pass  # said where it happened
