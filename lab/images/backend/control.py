"""The lab's hand inside the shop: POST /control with `{"mode": …}` or `{"do": …}`. Nginx does not pass it on.

| request | what it does |
| --- | --- |
| `{"mode": NAME, "on": true, …}` | switches a mode (see modes.py) on or off; other fields are its parameters |
| `{"do": "deadlock-pair", "skus": [1, 2], "times": 1}` | two real transactions that take two rows in opposite order |
| `{"do": "hold-transaction", "sku": 1, "seconds": 600}` | a transaction that changes a row and then does nothing |
| `{"do": "release"}` | ends what hold-transaction began |
| `{"do": "buy", "sku": 1, "quantity": 1, "count": 1}` | places so many orders at the same time, as customers do |
| `{"do": "exit", "code": 1}` | the process ends |
| `{"do": "reset"}` | every mode off, everything held released |
"""

import contextlib
import os
import threading
import time

import pymysql

from log import Logger
from modes import MODES
from orders import Refused
from pool import execute, words

# Most orders that one request places.
MAX_ORDERS = 200
# Longest time that a held transaction stays, in seconds.
MAX_HOLD_SECONDS = 3600

log = Logger("backend")


class Control:
    """What the lab may ask for."""

    def __init__(self, shop):
        self._shop = shop
        self._release = threading.Event()
        self._burning = threading.Event()

    def state(self):
        pool = self._shop.pool.state() if self._shop.pool else None
        return {"ok": True, "modes": self._shop.modes.all(), "known": MODES, "pool": pool}

    def ask(self, request):
        """Does what is asked and says it; raises ValueError when it is not understood."""
        request = dict(request)
        if "mode" in request:
            return self._mode(request.pop("mode"), request)
        work = {
            "deadlock-pair": self._deadlocks,
            "hold-transaction": self._hold,
            "release": lambda _: self._released(),
            "buy": self._buy,
            "exit": self._exit,
            "reset": lambda _: self.reset(),
        }.get(request.get("do"))
        if work is None:
            raise ValueError("say {\"mode\": …} or {\"do\": \"deadlock-pair|hold-transaction|release|buy|exit|reset\"}")
        return {"ok": True, **work(request)}

    def reset(self):
        self._shop.modes.clear()
        self._burning.clear()
        self._released()
        self._shop.give_back_leaks()
        return {"said": "every mode is off, everything held is released"}

    def _mode(self, name, parameters):
        on = bool(parameters.pop("on", True))
        self._shop.modes.set(name, on, **parameters)
        if name == "burn-cpu":
            self._burn(on, int(parameters.get("threads", 4)))
        if name == "leak-connections" and not on:
            self._shop.give_back_leaks()
        return {"ok": True, "said": f"{name} is {'on' if on else 'off'}", "modes": self._shop.modes.all()}

    def _burn(self, on, threads):
        if not on:
            self._burning.clear()
            return
        self._burning.set()

        def burn():
            number = 0
            while self._burning.is_set():
                number = (number * 1103515245 + 12345) % 2147483648

        for _ in range(min(threads, 32)):
            threading.Thread(target=burn, daemon=True).start()

    def _deadlocks(self, request):
        first, second = request.get("skus", [1, 2])
        seen = sum(self._deadlock(int(first), int(second)) for _ in range(min(int(request.get("times", 1)), 50)))
        return {"said": f"{seen} deadlocks", "deadlocks": seen}

    def _deadlock(self, first, second):
        """Two restocking transactions, one from either end; true when MySQL broke one of them."""
        meet, broken = threading.Barrier(2), []

        def restock(skus):
            try:
                with contextlib.closing(self._shop.pool.connect()) as connection:
                    connection.begin()
                    execute(connection, "UPDATE product_skus SET updated_at = UTC_TIMESTAMP() WHERE id = %s", (skus[0],))
                    meet.wait(5)
                    execute(connection, "UPDATE product_skus SET updated_at = UTC_TIMESTAMP() WHERE id = %s", (skus[1],))
                    connection.commit()
            except (pymysql.MySQLError, OSError, threading.BrokenBarrierError) as error:
                meet.abort()
                if isinstance(error, pymysql.MySQLError) and error.args and error.args[0] == 1213:
                    broken.append(1)
                    log.error("db.deadlock", skus=skus, error=words(error))

        pair = [threading.Thread(target=restock, args=(skus,)) for skus in ([first, second], [second, first])]
        for thread in pair:
            thread.start()
        for thread in pair:
            thread.join(20)
        return bool(broken)

    def _hold(self, request):
        sku, seconds = int(request.get("sku", 1)), min(float(request.get("seconds", 600)), MAX_HOLD_SECONDS)
        held, trouble, release = threading.Event(), [], self._release

        def hold():
            try:
                with contextlib.closing(self._shop.pool.connect()) as connection:
                    connection.begin()
                    execute(connection, "UPDATE product_skus SET updated_at = UTC_TIMESTAMP() WHERE id = %s", (sku,))
                    held.set()
                    release.wait(seconds)
                    connection.rollback()
            except (pymysql.MySQLError, OSError) as error:
                trouble.append(words(error))
                held.set()

        threading.Thread(target=hold, daemon=True).start()
        held.wait(15)
        if trouble:
            raise ValueError(trouble[0])
        return {"said": f"a transaction holds SKU {sku}"}

    def _released(self):
        self._release.set()
        self._release = threading.Event()
        return {"said": "released"}

    def _buy(self, request):
        sku, quantity = int(request.get("sku", 1)), int(request.get("quantity", 1))
        placed, refused = [], {}

        def buy(user_id):
            try:
                placed.append(self._shop.buy(user_id, [{"sku_id": sku, "quantity": quantity}])["order_no"])
            except Refused as error:
                refused[error.code] = refused.get(error.code, 0) + 1
            except Exception as error:  # noqa: BLE001, whatever the shop says is the answer
                refused[type(error).__name__] = refused.get(type(error).__name__, 0) + 1

        buyers = [threading.Thread(target=buy, args=(n,)) for n in range(1, min(int(request.get("count", 1)), MAX_ORDERS) + 1)]
        for buyer in buyers:
            buyer.start()
        for buyer in buyers:
            buyer.join(30)
        return {"said": f"{len(placed)} orders placed", "orders": placed, "refused": refused}

    def _exit(self, request):
        def leave():
            time.sleep(0.1)
            log.error("backend.crashed", error="MemoryError", exit_code=int(request.get("code", 1)))
            os._exit(int(request.get("code", 1)))

        threading.Thread(target=leave, daemon=True).start()
        return {"said": "leaving"}
