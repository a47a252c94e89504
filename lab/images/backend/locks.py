"""Stock locks in Redis: `stock:lock:<sku>` holds the owner's token and expires by itself."""

import contextlib
import secrets
import time

from log import Logger
from resp import RedisError

# Between two tries, in seconds.
RETRY_SECONDS = 0.05
# Deletes the lock only while it is still ours (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/).
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

log = Logger("stock")


class LockBusy(Exception):
    """Somebody else held the lock for as long as we waited."""


class LocksDown(Exception):
    """Redis can't be asked for a lock; without one no stock may be reserved."""


class StockLocks:
    """Takes and releases them."""

    def __init__(self, redis, modes, ttl, wait):
        self._redis = redis
        self._modes = modes
        self._ttl = ttl
        self._wait = wait

    @contextlib.contextmanager
    def held(self, sku_ids):
        """Holds the locks of these SKUs, taken in one order."""
        if self._modes.on("skip-lock") or self._modes.on("skip-stock-check"):
            yield
            return
        token = secrets.token_hex(8)
        taken = []
        try:
            for sku_id in sorted(set(sku_ids)):
                self._take(sku_id, token)
                taken.append(sku_id)
            yield
        finally:
            if not self._modes.on("keep-lock"):
                for sku_id in taken:
                    self._release(sku_id, token)

    def _take(self, sku_id, token):
        key = f"stock:lock:{sku_id}"
        expiry = () if self._modes.on("lock-without-expiry") else ("EX", self._ttl)
        deadline = time.monotonic() + self._wait
        try:
            while not self._redis.call("SET", key, token, "NX", *expiry):
                if time.monotonic() >= deadline:
                    left = self._redis.call("TTL", key)
                    log.warning("stock.lock_busy", sku_id=sku_id, waited_ms=round(self._wait * 1000), ttl_seconds=left)
                    raise LockBusy(f"the stock of SKU {sku_id} is locked by another order (expires in {left} s)")
                time.sleep(RETRY_SECONDS)
        except RedisError as error:
            log.error("stock.lock_failed", sku_id=sku_id, error=str(error))
            raise LocksDown(str(error)) from error

    def _release(self, sku_id, token):
        try:
            self._redis.call("EVAL", RELEASE, 1, f"stock:lock:{sku_id}", token)
        except RedisError as error:
            log.warning("stock.unlock_failed", sku_id=sku_id, error=str(error))
