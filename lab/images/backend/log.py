"""Structured logs: one JSON object a line on standard output.

Every record has `ts` (UTC, milliseconds), `level` (debug, info, warning, error), `logger` (http, db, db.pool, redis,
stock, order, payment, wechatpay, backend) and `event`; the rest are the event's own fields. What must stay secret is
never given to this module: no password, key, signature or decrypted payer goes in.
"""

import json
import sys
import threading
import time

# Longest text of one field, in characters: a log line must stay a line.
MAX_TEXT = 600

_lock = threading.Lock()


def _shortened(value):
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[:MAX_TEXT] + "…"
    return value


class Logger:
    """Writes records under one name."""

    def __init__(self, name):
        self._name = name

    def info(self, event, **fields):
        self._write("info", event, fields)

    def warning(self, event, **fields):
        self._write("warning", event, fields)

    def error(self, event, **fields):
        self._write("error", event, fields)

    def _write(self, level, event, fields):
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
        record = {"ts": stamp, "level": level, "logger": self._name, "event": event}
        record.update((key, _shortened(value)) for key, value in fields.items() if value is not None)
        line = json.dumps(record, ensure_ascii=False, default=str)
        with _lock:
            try:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
            except (OSError, ValueError):
                pass  # a full disk under the log must not stop the shop


class Repeated:
    """Says a trouble once when it begins, and once when it is over, however often it is met."""

    def __init__(self, logger, name):
        self._logger = logger
        self._name = name
        self._words = None
        self._lock = threading.Lock()

    def ill(self, words):
        with self._lock:
            new = words != self._words
            self._words = words
        if new:
            self._logger.error(f"{self._name}.failed", error=words)

    def well(self):
        with self._lock:
            was, self._words = self._words, None
        if was is not None:
            self._logger.info(f"{self._name}.recovered")
