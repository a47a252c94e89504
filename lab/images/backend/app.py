"""The mall's backend: an HTTP server for products, orders, payments and health, with a little traffic of its own.

Settings come from the environment (settings.py). `app.py --check` asks the running server's /live page and exits
0 or 1; the container's health check uses it.

| page | what it gives |
| --- | --- |
| GET /health | database, cache and pool, each with its words; 503 when one of them is ill |
| GET /live | 200 as long as the process answers |
| GET /api/v1/products?page=N, GET /api/v1/products/ID | the list, through the cache; one product |
| GET /api/v1/orders?user_id=N, GET /api/v1/orders/NO | a user's orders; one order |
| POST /api/v1/orders | places one: `{"user_id": 1, "items": [{"sku_id": 1, "quantity": 1}]}` |
| POST /api/v1/payments/notify | WeChat Pay's notification |
| GET, POST /control | the lab (control.py) |
"""

import os
import sys

try:
    import pymysql  # noqa: F401
except ImportError:
    # Debian's packages belong to Debian's Python, which need not be the first one of the search path.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", "-u", *sys.argv])
    raise

import json
import signal
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import traffic
from catalogue import Catalogue
from control import Control
from health import Health
from locks import LockBusy, LocksDown, StockLocks
from log import Logger
from modes import Modes
from orders import Orders, Refused
from payments import Payments
from pool import DatabaseError, Pool, PoolExhausted
from resp import Redis
from settings import Settings
from wechatpay import Client, Keys, WechatPayError

MAX_BODY_BYTES = 1 << 20
# Requests that are worked on at the same time; more are answered with 503 at once.
MAX_REQUESTS = 128

log = Logger("backend")
http_log = Logger("http")


class Shop:
    """Everything that the pages need."""

    def __init__(self, settings):
        self.modes = Modes()
        self.redis = Redis(settings.redis_host, settings.redis_port, settings.redis_password, settings.redis_timeout)
        self.pool = Pool(settings) if settings.has_database else None
        self.catalogue = Catalogue(self.redis, self.pool, self.modes, settings.products_ttl)
        self.health = Health(self.redis, self.pool)
        keys = Keys(settings) if settings.merchant_id else None
        self.wechatpay = Client(settings, keys) if keys and settings.wechatpay_url else None
        locks = StockLocks(self.redis, self.modes, settings.lock_ttl, settings.lock_wait)
        self.orders = Orders(self.pool, locks, self.modes, settings.order_life) if self.pool else None
        self.payments = Payments(self.orders, self.pool, keys, self.modes) if self.pool else None
        self.control = Control(self)

    def buy(self, user_id, items):
        """Places an order and announces it to WeChat Pay; an order that can't be announced can still be paid later."""
        order = self.orders.place(user_id, items)
        if self.wechatpay is not None:
            try:
                order["code_url"] = self.wechatpay.prepay(order["order_no"], order["total_cents"])
            except WechatPayError as error:
                order["payment_error"] = error.code
        return order

    def give_back_leaks(self):
        """Gives back what the mode leak-connections lost."""
        if self.orders is not None:
            self.orders.give_back_leaks()


class Handler(BaseHTTPRequestHandler):
    """Pages, in JSON."""

    shop = None
    working = threading.BoundedSemaphore(MAX_REQUESTS)
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def do_GET(self):  # noqa: N802, the name is http.server's
        self._serve(self._get)

    def do_POST(self):  # noqa: N802
        self._serve(self._post)

    def _serve(self, work):
        started = time.monotonic()
        path = self.path.partition("?")[0]
        while self.shop.modes.on("hang") and path != "/control":
            time.sleep(0.2)
        extra = {}
        if not self.working.acquire(blocking=False):
            status, body = 503, {"error": "overloaded"}
        else:
            try:
                status, body = work(path, extra)
            except Exception as error:  # noqa: BLE001, a page that fails is a 500, whatever it failed with
                status, body = self._failed(error)
                extra["error"] = f"{type(error).__name__}: {error}"
            finally:
                self.working.release()
        self._answer(status, body)
        if path not in ("/live", "/control"):
            took = round(1000 * (time.monotonic() - started), 1)
            say = http_log.info if status < 500 else http_log.error
            say("http.request", method=self.command, path=path, status=status, duration_ms=took, **extra)

    @staticmethod
    def _failed(error):
        """Status and body for what went wrong."""
        if isinstance(error, Refused):
            return (404 if error.code == "no-such-sku" else 409), {"error": error.code, "detail": str(error)}
        if isinstance(error, LockBusy):
            return 409, {"error": "stock-locked", "detail": str(error)}
        if isinstance(error, LocksDown):
            return 503, {"error": "locks-down", "detail": str(error)}
        if isinstance(error, PoolExhausted):
            return 503, {"error": "pool-exhausted", "detail": str(error)}
        if isinstance(error, DatabaseError):
            return 503, {"error": "database", "detail": str(error)}
        if isinstance(error, ValueError):
            return 400, {"error": "bad-request", "detail": str(error)}
        return 500, {"error": "internal"}

    def _get(self, path, extra):
        shop = self.shop
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        if path == "/health":
            well, page = shop.health.ask()
            return (200 if well else 503), page
        if path == "/live":
            return 200, {"status": "ok"}
        if path == "/control":
            return 200, shop.control.state()
        if path == "/api/v1/products":
            return self._products(asked, extra)
        if path.startswith("/api/v1/products/"):
            found = shop.catalogue.product(int(path.rpartition("/")[2]))
            return (200, found) if found else (404, {"error": "no such product"})
        if shop.orders is not None and path == "/api/v1/orders":
            orders = shop.orders.of_user(int(asked.get("user_id", ["1"])[0]), shop.modes.on("leak-connections"))
            return 200, {"orders": orders}
        if shop.orders is not None and path.startswith("/api/v1/orders/"):
            extra["order_no"] = path.rpartition("/")[2][:32]
            found = shop.orders.find(extra["order_no"])
            return (200, found) if found else (404, {"error": "no such order"})
        return 404, {"error": "not found"}

    def _products(self, asked, extra):
        modes = self.shop.modes
        if modes.on("errors") and time.monotonic_ns() // 1000 % 100 < int(modes.get("errors", "percent", 100)):
            raise KeyError("price_cents")  # what a broken release says
        page, size = (int(asked.get(name, [default])[0]) for name, default in (("page", "1"), ("size", "20")))
        products, cache = self.shop.catalogue.products(page, size)
        extra["cache"] = cache
        return 200, {"products": products, "cache": cache}

    def _post(self, path, extra):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            return 413, {"error": "too large"}
        body = self.rfile.read(length)
        if path == "/control":
            return 200, self.shop.control.ask(json.loads(body or b"{}"))
        if self.shop.orders is None:
            return 404, {"error": "not found"}
        if path == "/api/v1/orders":
            request = json.loads(body or b"{}")
            order = self.shop.buy(int(request.get("user_id", 0)), request.get("items", []))
            extra["order_no"] = order["order_no"]
            return 201, order
        if path == "/api/v1/payments/notify":
            return self.shop.payments.notified(self.headers, body)
        return 404, {"error": "not found"}

    def _answer(self, status, body):
        raw = b"" if body is None else json.dumps(body, default=str).encode()
        try:
            self.send_response(status)
            if body is not None:
                self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            self.close_connection = True  # the client has left

    def log_message(self, *_):
        """Quiet: _serve logs by itself."""


class Server(ThreadingHTTPServer):
    """One thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that left in the middle is no news."""


def check(port):
    """Ends the program: 0 when the running server answers, else 1."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=2) as answer:
            sys.exit(0 if answer.status == 200 else 1)
    except OSError as error:
        print(f"no answer: {error}")
        sys.exit(1)


def main():
    """Serves until SIGTERM."""
    if "--check" in sys.argv[1:]:
        check(int(os.environ.get("PORT") or "8000"))
    settings = Settings.from_environment()
    shop = Handler.shop = Shop(settings)
    stop = threading.Event()
    server = Server((settings.host, settings.port), Handler)

    def leave(*_):
        stop.set()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    if settings.load > 0:
        traffic.run(shop, settings.port, settings.load, stop)
    if shop.orders is not None:
        threading.Thread(target=traffic.sweep, args=(shop, stop), daemon=True).start()
    log.info("backend.started", port=settings.port, redis=shop.redis.address, pool_size=settings.pool_size)
    server.serve_forever()
    log.info("backend.stopped")


if __name__ == "__main__":
    main()
