"""The mistakes that the lab can put into the shop: what programmers and operators really get wrong, switched on and off.

A mode stays until it is switched off. What it does stands where it is asked for, in the shop's own code.
"""

import threading

MODES = {
    "lock-without-expiry": "stock locks are set without an expiry",
    "keep-lock": "the worker dies after it has taken a stock lock: the lock is never released",
    "skip-lock": "stock is checked and reserved without taking the lock, and by reading first and writing afterwards",
    "skip-stock-check": "orders are taken without looking at the stock",
    "lost-update": "paid orders deduct their stock by reading it and writing it back, without a lock",
    "leak-connections": "the list of a user's orders takes a connection from the pool and never returns it",
    "refuse-callbacks": "the payment callback fails with an exception",
    "ignore-callbacks": "the payment callback is answered with success, and the order is left as it was",
    "errors": "the product list fails with an exception, `percent` times of a hundred",
    "hang": "requests are accepted and never answered",
    "no-cache": "the product list is read from the database each time",
    "burn-cpu": "`threads` threads compute without end",
    "hold-order-rows": "a paid order stays in its transaction for `seconds`, holding its rows",
}


class Modes:
    """Which of them are on, with their parameters."""

    def __init__(self):
        self._on = {}
        self._lock = threading.Lock()

    def set(self, name, on=True, **parameters):
        if name not in MODES:
            raise ValueError(f"there is no mode {name!r}; there are: {', '.join(sorted(MODES))}")
        with self._lock:
            if on:
                self._on[name] = parameters
            else:
                self._on.pop(name, None)

    def clear(self):
        with self._lock:
            self._on.clear()

    def on(self, name):
        return name in self._on

    def get(self, name, parameter, default):
        """A parameter of a mode that is on, or `default`."""
        return self._on.get(name, {}).get(parameter, default)

    def all(self):
        with self._lock:
            return dict(self._on)
