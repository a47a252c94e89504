"""The health page: each thing that the backend stands on, asked at the same time and with a bound."""

import threading
import time

import pymysql

from log import Logger, Repeated
from pool import DatabaseError, words
from resp import RedisError

# Longest time that the page takes, in seconds.
DEADLINE_SECONDS = 2.5
# How long the page waits for a connection of the pool, in seconds.
POOL_WAIT_SECONDS = 0.5


class Health:
    """Asks database, cache and pool."""

    def __init__(self, redis, pool):
        self._redis = redis
        self._pool = pool
        self._troubles = {name: Repeated(Logger(name), name) for name in ("db", "redis", "pool")}

    def ask(self):
        """Whether all is well, and the page."""
        looks = {"cache": self._cache, "db": self._db, "pool": self._pool_state}
        found = {}
        threads = [threading.Thread(target=self._look, args=(name, look, found), daemon=True) for name, look in looks.items()]
        deadline = time.monotonic() + DEADLINE_SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        page = {name: found.get(name, {"ok": False, "detail": f"no answer within {DEADLINE_SECONDS:g} s"}) for name in looks}
        well = all(part["ok"] for part in page.values())
        # `redis` in words is what the page said before it spoke of more than Redis.
        return well, {"status": "ok" if well else "degraded", "redis": page["cache"]["detail"], **page}

    def _look(self, name, look, found):
        started = time.monotonic()
        ok, detail, more = look()
        trouble = self._troubles["redis" if name == "cache" else name]
        trouble.well() if ok else trouble.ill(detail)
        found[name] = {"ok": ok, "detail": detail, "duration_ms": round(1000 * (time.monotonic() - started), 1), **more}

    def _cache(self):
        try:
            self._redis.call("PING")
            return True, "ok", {}
        except RedisError as error:
            return False, str(error), {}

    def _db(self):
        """Over a connection of its own, so that a full pool is not taken for a dead database."""
        if self._pool is None:
            return True, "not configured", {}
        try:
            connection = self._pool.connect()
            try:
                connection.ping(reconnect=False)
            finally:
                connection.close()
            return True, "ok", {}
        except (pymysql.MySQLError, OSError) as error:
            return False, words(error), {}

    def _pool_state(self):
        if self._pool is None:
            return True, "not configured", {}
        try:
            with self._pool.lend(POOL_WAIT_SECONDS):
                pass
            return True, "ok", self._pool.state()
        except DatabaseError as error:
            state = self._pool.state()
            if state["in_use"] < state["size"]:
                return True, "ok, but no connection can be opened", state  # the database's trouble, said there
            return False, str(error), state
