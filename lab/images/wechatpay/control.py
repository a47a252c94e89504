"""The lab's interface: POST /control.

| request | what it does |
| --- | --- |
| `{}` | tells the state: mischief, deliveries of notifications |
| `{"do": "set", "order_no": …, "trade_state": "SUCCESS", "total": 100}` | puts a trade into a state, without telling the merchant |
| `{"do": "forget", "order_no": …}` | the trade was never known |
| `{"do": "notify", "order_no": …, "url": …}` | tells the merchant that the trade is paid; once, and waits for the answer |
| `{"do": "pay", "order_no": …, "total": 100}` | set and notify: what a customer does |
| `{"mode": NAME, "on": true, "seconds": 5}` | mischief, see MISCHIEF |
| `{"auto_pay": 0.3}` or `{"auto_pay": null}` | when announced orders are paid |
| `{"do": "settle"}` | sends at once every notification that waits to be sent again; gives how many still wait |
| `{"do": "reset"}` | no mischief, no trades, automatic payment as at the start |

A notification that is not answered with 200 or 204 is sent again after RETRY_SECONDS, as WeChat Pay does (there over a day).
"""

import contextlib
import http.client
import json
import secrets
import socket
import ssl
import threading
import time
import urllib.parse

from trades import rfc3339

# Pauses between two tries to notify, in seconds.
RETRY_SECONDS = (2.0, 5.0, 10.0, 30.0)
# How long a merchant may take to answer, in seconds (WeChat Pay waits five).
NOTIFY_TIMEOUT_SECONDS = 5.0
# Answers of a merchant that has understood.
OK = (200, 204)
# Deliveries that are told.
MAX_DELIVERIES = 50

MISCHIEF = {
    "slow": "answers after `seconds`",
    "hang": "accepts and never answers",
    "close": "closes the connection without an answer",
    "system-error": "answers 500 SYSTEM_ERROR",
    "frequency-limited": "answers 429 FREQUENCY_LIMITED",
    "wrong-signature": "answers and notifications carry a signature that does not match",
    "stale-signature": "answers and notifications are signed ten minutes ago",
    "unknown-serial": "answers and notifications name a key that nobody knows",
    "wrong-api-v3-key": "notifications are encrypted with another API v3 key",
    "no-notifications": "nobody is told of payments",
}


class Control:
    """Mischief, payments and notifications."""

    def __init__(self, trades, keys, log, notify_url, notify_connect, ca, auto_pay_seconds):
        self._trades, self._keys, self._log = trades, keys, log
        self._notify_url, self._notify_connect, self._ca = notify_url, notify_connect, ca
        self._auto_pay = self._usual_auto_pay = auto_pay_seconds
        self._mischief = {}
        self._deliveries = []
        self._waiting = set()
        self._lock = threading.Lock()
        self._round = 0

    def mischief(self):
        """What is on: name to parameter."""
        return dict(self._mischief)

    def ask(self, request):
        """Does what is asked; raises ValueError when it is not understood."""
        if "mode" in request:
            return self._mode(request)
        if "auto_pay" in request:
            self._auto_pay = None if request["auto_pay"] is None else float(request["auto_pay"])
            return {"ok": True, "said": f"auto_pay {self._auto_pay}"}
        do, order_no = request.get("do"), request.get("order_no")
        if do is None:
            return {"ok": True, "mischief": self._mischief, "trades": len(self._trades), "deliveries": self._deliveries[-10:]}
        if do == "reset":
            self._mischief, self._auto_pay, self._round = {}, self._usual_auto_pay, self._round + 1
            self._trades.clear()
            self._deliveries.clear()
            with self._lock:
                self._waiting.clear()
            return {"ok": True, "said": "as at the start"}
        if do == "settle":
            return self._settle()
        if not isinstance(order_no, str):
            raise ValueError("order_no is missing, or `do` is none of set, forget, notify, pay, settle, reset")
        if do == "forget":
            self._trades.forget(order_no)
            return {"ok": True, "said": "forgotten"}
        if do in ("set", "pay"):
            state = request.get("trade_state", "SUCCESS") if do == "set" else "SUCCESS"
            trade = self._trades.set(order_no, state, request.get("total"))
            if do == "set":
                return {"ok": True, "trade": trade}
        if do in ("pay", "notify"):
            return {"ok": True, "delivery": self._deliver(order_no, request.get("url"))}
        raise ValueError(f"`do` {do!r} is none of set, forget, notify, pay, settle, reset")

    def auto_pay(self, order_no):
        """The customer pays after a moment."""
        if self._auto_pay is None:
            return
        self._later(self._auto_pay, lambda: (self._trades.set(order_no, "SUCCESS"), self._notify(order_no, 0)))

    def _mode(self, request):
        name = request["mode"]
        if name not in MISCHIEF:
            raise ValueError(f"there is no mode {name!r}; there are: {', '.join(MISCHIEF)}")
        changed = dict(self._mischief)
        if request.get("on", True):
            changed[name] = float(request.get("seconds", 5.0))
        else:
            changed.pop(name, None)
        self._mischief = changed
        return {"ok": True, "said": f"{name} is {'on' if name in changed else 'off'}", "mischief": changed}

    def _notify(self, order_no, tries):
        """Tells the merchant, again and again until it understands."""
        if "no-notifications" in self._mischief:
            return
        with self._lock:
            self._waiting.add(order_no)
        delivery = self._deliver(order_no, None)
        if delivery["status"] in OK:
            with self._lock:
                self._waiting.discard(order_no)
        elif tries < len(RETRY_SECONDS):
            self._later(RETRY_SECONDS[tries], lambda: self._retry(order_no, tries + 1))

    def _retry(self, order_no, tries):
        with self._lock:
            waits = order_no in self._waiting
        if waits:
            self._notify(order_no, tries)

    def _settle(self):
        with self._lock:
            waiting = sorted(self._waiting)
        for order_no in waiting:
            # A trade that is known no more needs no notification.
            if self._trades.find(order_no) is None or self._deliver(order_no, None)["status"] in OK:
                with self._lock:
                    self._waiting.discard(order_no)
        with self._lock:
            return {"ok": True, "waiting": len(self._waiting)}

    def _later(self, seconds, work):
        """Does it later, unless a reset came between."""
        begun = self._round

        def run():
            if self._round == begun:
                work()

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        timer.start()

    def _deliver(self, order_no, url):
        trade = self._trades.find(order_no)
        if trade is None:
            raise ValueError(f"there is no trade {order_no}")
        url = url or self._trades.notify_url(order_no) or self._notify_url
        if not url:
            raise ValueError("no address to notify is known")
        mischief = self.mischief()
        raw = json.dumps(self._notification(trade, mischief), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0", **self._keys.signed(raw, "PUB_KEY_ID_", mischief)}
        started = time.monotonic()
        status, said = None, None
        try:
            status, said = self._post(url, headers, raw)
        except (OSError, http.client.HTTPException) as error:
            said = f"{type(error).__name__}: {error}"
        took = round(1000 * (time.monotonic() - started), 1)
        delivery = {"order_no": order_no, "url": url, "status": status, "said": said, "duration_ms": took, "at": rfc3339(time.time())}
        self._log("notified", **delivery)
        with self._lock:
            self._deliveries = [*self._deliveries[-MAX_DELIVERIES:], delivery]
        return delivery

    def _notification(self, trade, mischief):
        plaintext = json.dumps(trade, ensure_ascii=False).encode()
        resource = {"original_type": "transaction", **self._keys.sealed(plaintext, "transaction", mischief)}
        return {
            "id": secrets.token_hex(16),
            "create_time": rfc3339(time.time()),
            "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS",
            "summary": "支付成功",
            "resource": resource,
        }

    def _post(self, url, headers, raw):
        parts = urllib.parse.urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host, _, other_port = self._notify_connect.rpartition(":")
        where = (host, int(other_port)) if host else (parts.hostname, port)
        stream = socket.create_connection(where, NOTIFY_TIMEOUT_SECONDS)
        try:
            if parts.scheme == "https":
                stream = ssl.create_default_context(cafile=self._ca).wrap_socket(stream, server_hostname=parts.hostname)
            connection = http.client.HTTPConnection(parts.hostname, port, timeout=NOTIFY_TIMEOUT_SECONDS)
            connection.sock = stream
            with contextlib.closing(connection):
                connection.request("POST", parts.path or "/", raw, headers)
                response = connection.getresponse()
                return response.status, response.read(500).decode("utf-8", "replace")
        finally:
            stream.close()
