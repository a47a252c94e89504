"""A stand-in for WeChat Pay's API v3: verifies every request's real signature and signs every answer.

What it follows: https://pay.weixin.qq.com/doc/v3/merchant/4012365342 (signed requests), 4013053249 (signed answers),
4012791900 (order query), 4012791861 (notifications), 4012551764 (certificates).

| variable | meaning | default |
| --- | --- | --- |
| HOST, PORT | where it listens, with TLS | 0.0.0.0, 8443 |
| TLS_CERT_FILE, TLS_KEY_FILE | the server's certificate and key; read again on SIGHUP | |
| MERCHANT_ID, MERCHANT_CERT_FILE | the merchant that it knows | |
| PLATFORM_KEY_FILE, PLATFORM_CERT_FILE, PUBLIC_KEY_ID | what it signs answers with, and how that is called in either mode | |
| API_V3_KEY_FILE | what it encrypts notifications with | |
| APPID | the application that trades belong to | wxlab0000000000001 |
| NOTIFY_URL | where notifications go when an order names no address | none |
| NOTIFY_CA_FILE | the CA for notifications over https | the system's |
| NOTIFY_CONNECT | host:port to connect to for notifications, whatever the address says | none |
| AUTO_PAY | after how many seconds an announced order is paid; empty is never | 0.3 |

`app.py --check` asks the running server and exits 0 or 1. The lab's interface is /control (control.py).
"""

import os
import sys

try:
    import cryptography  # noqa: F401
except ImportError:
    # Debian's packages belong to Debian's Python, which need not be the first one of the search path.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", "-u", *sys.argv])
    raise

import json
import secrets
import signal
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from control import Control
from platform_keys import PlatformKeys, SignError
from trades import Trades

MAX_BODY_BYTES = 1 << 20
NATIVE = "/v3/pay/transactions/native"
JSAPI = "/v3/pay/transactions/jsapi"
BY_ORDER = "/v3/pay/transactions/out-trade-no/"
BY_TRANSACTION = "/v3/pay/transactions/id/"


def log(event, **fields):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"ts": stamp, "event": event, **fields}, ensure_ascii=False), flush=True)


class Problem(Exception):
    """An error answer as WeChat Pay documents them."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Handler(BaseHTTPRequestHandler):
    """The interface's pages."""

    keys = trades = control = None
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    timeout = 30
    disable_nagle_algorithm = True

    def do_GET(self):  # noqa: N802, the name is http.server's
        self._serve("")

    def do_POST(self):  # noqa: N802
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            return self._answer(413, {"code": "PARAM_ERROR", "message": "too large"})
        return self._serve(self.rfile.read(length).decode("utf-8", "replace"))

    def _serve(self, body):
        path = self.path.partition("?")[0]
        if path.startswith("/control"):
            return self._lab(path, body)
        mischief = self.control.mischief()
        time.sleep(mischief.get("slow", 0))
        while "hang" in self.control.mischief():
            time.sleep(0.2)
        if "close" in mischief:
            self.close_connection = True
            return None
        try:
            self._misbehave(mischief)
            self.keys.authenticate(self.command, self.path, self.headers, body)
            status, answer = self._page(path, body)
        except SignError as error:
            status, answer = 401, {"code": "SIGN_ERROR", "message": "签名错误", "detail": {"issue": str(error)}}
        except Problem as error:
            status, answer = error.status, {"code": error.code, "message": error.message}
        log("request", method=self.command, path=path, status=status, code=answer.get("code"))
        return self._answer(status, answer)

    @staticmethod
    def _misbehave(mischief):
        if "frequency-limited" in mischief:
            raise Problem(429, "FREQUENCY_LIMITED", "频率超限")
        if "system-error" in mischief:
            raise Problem(500, "SYSTEM_ERROR", "系统异常，请稍后重试")

    def _page(self, path, body):
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        if self.command == "GET" and path == "/v3/certificates":
            return 200, {"data": [self.keys.certificate()]}
        if self.command == "POST" and path in (NATIVE, JSAPI):
            return 200, self._announce(path, body)
        if self.command == "POST" and path.startswith(BY_ORDER) and path.endswith("/close"):
            self._merchant(self._json(body).get("mchid"))
            self._trade(path[len(BY_ORDER) : -len("/close")])
            self.trades.set(path[len(BY_ORDER) : -len("/close")], "CLOSED")
            return 204, {}
        if self.command == "GET" and path.startswith((BY_ORDER, BY_TRANSACTION)):
            self._merchant(asked.get("mchid", [None])[0])
            return 200, self._trade(urllib.parse.unquote(path.rpartition("/")[2]), path.startswith(BY_TRANSACTION))
        raise Problem(404, "NOT_FOUND", "接口不存在")

    def _announce(self, path, body):
        request = self._json(body)
        self._merchant(request.get("mchid"))
        order_no, total = request.get("out_trade_no"), request.get("amount", {}).get("total")
        if not isinstance(order_no, str) or not 6 <= len(order_no) <= 32:
            raise Problem(400, "PARAM_ERROR", "out_trade_no: 6 to 32 characters")
        if not isinstance(total, int) or total < 1:
            raise Problem(400, "PARAM_ERROR", "amount.total: at least 1")
        self.trades.announce(order_no, total, request.get("notify_url"), "NATIVE" if path == NATIVE else "JSAPI")
        self.control.auto_pay(order_no)
        if path == NATIVE:
            return {"code_url": f"weixin://wxpay/bizpayurl?pr={secrets.token_hex(6)}"}
        return {"prepay_id": f"wx{secrets.token_hex(16)}"}

    def _trade(self, number, by_transaction=False):
        trade = self.trades.find(number, by_transaction)
        if trade is None:
            raise Problem(404, "ORDER_NOT_EXIST", "订单不存在")
        return trade

    def _merchant(self, merchant_id):
        if merchant_id != self.keys.merchant_id:
            raise Problem(400, "PARAM_ERROR", "mchid 与签名商户不一致")

    @staticmethod
    def _json(body):
        try:
            value = json.loads(body)
        except ValueError as error:
            raise Problem(400, "PARAM_ERROR", "the body is not JSON") from error
        if not isinstance(value, dict):
            raise Problem(400, "PARAM_ERROR", "the body is not an object")
        return value

    def _lab(self, path, body):
        try:
            answer = {"status": "ok"} if path == "/control/health" else self.control.ask(json.loads(body) if body else {})
            return self._answer(200, answer, signed=False)
        except (KeyError, TypeError, ValueError) as error:
            return self._answer(400, {"ok": False, "said": f"{type(error).__name__}: {error}"}, signed=False)

    def _answer(self, status, answer, signed=True):
        raw = b"" if status == 204 else json.dumps(answer, ensure_ascii=False).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("Request-ID", secrets.token_hex(12).upper())
            if signed:
                wanted = self.headers.get("Wechatpay-Serial")
                for name, value in self.keys.signed(raw, wanted, self.control.mischief()).items():
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            self.close_connection = True  # the client has left

    def log_message(self, *_):
        """Quiet: _serve logs by itself."""


class Server(ThreadingHTTPServer):
    """One thread for each connection; TLS is negotiated there, so that a silent client holds nobody up."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, context):
        super().__init__(address, Handler)
        self._context = context

    def finish_request(self, request, client_address):
        request.settimeout(Handler.timeout)
        try:
            secured = self._context.wrap_socket(request, server_side=True)
        except OSError:
            return
        try:
            super().finish_request(secured, client_address)
        finally:
            secured.close()

    def handle_error(self, request, client_address):
        """A client that left in the middle is no news."""


def check(port):
    """Ends the program: 0 when the running server answers, else 1."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it asks itself, on loopback
    try:
        import http.client

        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=2)
        connection.request("GET", "/control/health")
        sys.exit(0 if connection.getresponse().status == 200 else 1)
    except OSError as error:
        print(f"no answer: {error}")
        sys.exit(1)


def main():
    """Serves until SIGTERM."""
    environ = os.environ
    port = int(environ.get("PORT") or "8443")
    if "--check" in sys.argv[1:]:
        check(port)
    certificate = (environ["TLS_CERT_FILE"], environ["TLS_KEY_FILE"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*certificate)
    Handler.keys = PlatformKeys(environ)
    Handler.trades = Trades(Handler.keys.merchant_id, environ.get("APPID") or "wxlab0000000000001")
    auto_pay = environ.get("AUTO_PAY", "0.3")
    Handler.control = Control(
        Handler.trades,
        Handler.keys,
        log,
        notify_url=environ.get("NOTIFY_URL") or "",
        notify_connect=environ.get("NOTIFY_CONNECT") or "",
        ca=environ.get("NOTIFY_CA_FILE") or None,
        auto_pay_seconds=float(auto_pay) if auto_pay else None,
    )
    server = Server((environ.get("HOST") or "0.0.0.0", port), context)

    def leave(*_):
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGHUP, lambda *_: context.load_cert_chain(*certificate))
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    log("started", port=port, merchant_id=Handler.keys.merchant_id)
    server.serve_forever()
    log("stopped")


if __name__ == "__main__":
    main()
