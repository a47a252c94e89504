"""The mall's backend: a product list that it keeps in Redis, a health page, and a little traffic of its own.

Standard library only, so that it needs no package. Speaks RESP2, Redis' protocol
(https://redis.io/docs/latest/develop/reference/protocol-spec/), by itself.

Settings come from the environment: REDIS_HOST, REDIS_PORT, REDIS_PASSWORD_FILE, HOST, PORT, LOAD (visits a second).
`app.py --check` asks the running server's /live page and exits 0 or 1; the container's health check uses it.
"""

import json
import os
import random
import signal
import socket
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REDIS_TIMEOUT_SECONDS = 2.0
PRODUCTS_TTL_SECONDS = 15
SESSION_TTL_SECONDS = 60
PRODUCTS_KEY = "products:cache:all"
MAX_REPLY_BYTES = 1 << 20


def log(level, event, **fields):
    """One line of JSON per event, for people and machines."""
    record = {"ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": level, "event": event}
    record.update(fields)
    print(json.dumps(record, ensure_ascii=False), flush=True)


class RedisError(Exception):
    """Redis answered with an error, or could not be asked."""


class Redis:
    """One connection, used by one thread at a time, opened again after any failure."""

    def __init__(self, host, port, password):
        self._address = (host, port)
        self._password = password
        self._lock = threading.Lock()
        self._socket = None
        self._file = None

    def call(self, *arguments):
        """Sends one command and returns its reply; raises RedisError in every other case."""
        with self._lock:
            try:
                if self._socket is None:
                    self._open()
                return self._exchange(arguments)
            except (OSError, ValueError) as error:
                self._close()
                raise RedisError(f"{type(error).__name__}: {error}") from error

    def _open(self):
        self._socket = socket.create_connection(self._address, timeout=REDIS_TIMEOUT_SECONDS)
        self._file = self._socket.makefile("rb")
        try:
            if self._password:
                self._exchange(("AUTH", self._password))
            self._exchange(("CLIENT", "SETNAME", "mall_backend_1"))
        except RedisError:
            self._close()
            raise

    def _close(self):
        for thing in (self._file, self._socket):
            if thing is not None:
                try:
                    thing.close()
                except OSError:
                    pass
        self._file = self._socket = None

    def _exchange(self, arguments):
        parts = [f"*{len(arguments)}\r\n".encode()]
        for argument in arguments:
            raw = argument if isinstance(argument, bytes) else str(argument).encode()
            parts += [f"${len(raw)}\r\n".encode(), raw, b"\r\n"]
        self._socket.sendall(b"".join(parts))
        return self._reply()

    def _reply(self):
        line = self._file.readline(MAX_REPLY_BYTES)
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"-":
            raise RedisError(rest.decode("utf-8", "replace"))
        if kind == b"$":
            length = int(rest)
            if length < 0:
                return None
            if length > MAX_REPLY_BYTES:
                raise ValueError("reply too long")
            return self._file.read(length + 2)[:-2]
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        raise ValueError("not RESP")


class Shop:
    """What the mall sells, and how it remembers it."""

    def __init__(self, redis):
        self.redis = redis
        self._trouble = None

    def catalogue(self):
        """The list as the database would give it."""
        return [
            {"id": number, "name": f"Product {number}", "price_cents": 990 + 10 * number, "stock": 100 - number}
            for number in range(1, 51)
        ]

    def products(self):
        """The list, from the cache where it is warm; says which of hit, miss and down it was."""
        try:
            cached = self.redis.call("GET", PRODUCTS_KEY)
            if cached is not None:
                self._well()
                return json.loads(cached), "hit"
            fresh = self.catalogue()
            self.redis.call("SETEX", PRODUCTS_KEY, PRODUCTS_TTL_SECONDS, json.dumps(fresh))
            self._well()
            return fresh, "miss"
        except RedisError as error:
            self._ill(error)
            return self.catalogue(), "down"

    def visit(self):
        """A visitor's session and a stock lock, as the handbook's key names have them."""
        visitor = random.randint(1, 2000)
        try:
            self.redis.call("SETEX", f"user:cache:{visitor}", SESSION_TTL_SECONDS, json.dumps({"cart": visitor % 7}))
            if self.redis.call("SET", f"stock:lock:{visitor % 50}", visitor, "NX", "EX", 2):
                self.redis.call("DEL", f"stock:lock:{visitor % 50}")
        except RedisError as error:
            self._ill(error)

    def health(self):
        """Whether Redis answers, in words."""
        try:
            self.redis.call("PING")
            self._well()
            return True, "ok"
        except RedisError as error:
            self._ill(error)
            return False, str(error)

    def _ill(self, error):
        words = str(error)
        if words != self._trouble:
            log("error", "redis.failed", error=words)
        self._trouble = words

    def _well(self):
        if self._trouble is not None:
            log("info", "redis.recovered")
        self._trouble = None


class Handler(BaseHTTPRequestHandler):
    """GET /health, /live and /api/v1/products."""

    shop = None
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802, the name is http.server's
        started = time.monotonic()
        path = self.path.partition("?")[0]
        extra = {}
        if path == "/health":
            well, words = self.shop.health()
            status, body = (200 if well else 503), {"status": "ok" if well else "degraded", "redis": words}
        elif path == "/live":
            status, body = 200, {"status": "ok"}
        elif path == "/api/v1/products":
            products, cache = self.shop.products()
            status, body, extra = 200, {"products": products, "cache": cache}, {"cache": cache}
        else:
            status, body = 404, {"error": "not found"}
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
        if path != "/live":
            took = round(1000 * (time.monotonic() - started), 1)
            log("info", "http.request", path=path, status=status, duration_ms=took, **extra)

    def log_message(self, *_):
        """Quiet: do_GET logs by itself."""


def load(shop, visits_per_second, stop):
    """A little traffic, so that the cache is never empty."""
    while not stop.wait(1.0 / visits_per_second):
        shop.visit()
        shop.products()


def read_password(path):
    """The file's first line, or nothing where no file is named."""
    if not path:
        return ""
    with open(path, encoding="utf-8") as file:
        return file.readline().strip()


def main():
    """Serves until SIGTERM."""
    host, port = os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8000"))
    if "--check" in sys.argv[1:]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=2) as answer:
            sys.exit(0 if answer.status == 200 else 1)
    redis = Redis(
        os.environ.get("REDIS_HOST", "127.0.0.1"),
        int(os.environ.get("REDIS_PORT", "6379")),
        read_password(os.environ.get("REDIS_PASSWORD_FILE", "")),
    )
    Handler.shop = Shop(redis)
    stop = threading.Event()
    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True

    def leave(*_):
        stop.set()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    visits = float(os.environ.get("LOAD", "5"))
    threading.Thread(target=load, args=(Handler.shop, visits, stop), daemon=True).start()
    log("info", "backend.started", port=port, redis=f"{redis._address[0]}:{redis._address[1]}")
    server.serve_forever()
    log("info", "backend.stopped")


if __name__ == "__main__":
    main()
