"""The merchant's side of WeChat Pay API v3: signs requests, verifies answers and notifications, decrypts resources.

Rules: https://pay.weixin.qq.com/doc/v3/merchant/4012365342 (signing), 4013053249 (verifying), 4012071382 (decrypting).
Keys come from files; no key, signature or plaintext is ever logged.
"""

import base64
import contextlib
import http.client
import json
import secrets
import socket
import ssl
import time
import urllib.parse

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from log import Logger

SCHEMA = "WECHATPAY2-SHA256-RSA2048"
# How old or young a signed message may be, in seconds (WeChat Pay asks for five minutes).
MAX_SKEW_SECONDS = 300
MAX_ANSWER_BYTES = 1 << 20

log = Logger("wechatpay")


class WechatPayError(Exception):
    """WeChat Pay could not be asked, refused, or what came is not to be trusted; `code` says which in one word."""

    def __init__(self, code, words):
        super().__init__(words)
        self.code = code


class Keys:
    """The merchant's keys and numbers."""

    def __init__(self, settings):
        def read(path):
            with open(path, "rb") as file:
                return file.read()

        self.merchant_id = settings.merchant_id
        self.appid = settings.appid
        certificate = x509.load_pem_x509_certificate(read(settings.merchant_cert_file))
        self.serial = f"{certificate.serial_number:X}"
        self.public_key_id = settings.public_key_id
        self._private = serialization.load_pem_private_key(read(settings.merchant_key_file), None)
        self._trusted = {settings.public_key_id: serialization.load_pem_public_key(read(settings.platform_public_key_file))}
        self._api_v3_key = read(settings.api_v3_key_file).strip()

    def __repr__(self):
        return f"Keys(merchant_id={self.merchant_id})"

    def authorization(self, method, target, body):
        """The Authorization header of one request; `target` is path and query."""
        stamp, nonce = str(int(time.time())), secrets.token_hex(16)
        message = f"{method}\n{target}\n{stamp}\n{nonce}\n{body}\n".encode()
        signature = base64.b64encode(self._private.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
        return (
            f'{SCHEMA} mchid="{self.merchant_id}",nonce_str="{nonce}",timestamp="{stamp}",'
            f'serial_no="{self.serial}",signature="{signature}"'
        )

    def verify(self, headers, body):
        """Raises WechatPayError unless WeChat Pay itself signed this body just now."""
        serial, stamp, nonce = (headers.get(f"Wechatpay-{name}", "") for name in ("Serial", "Timestamp", "Nonce"))
        key = self._trusted.get(serial)
        if key is None:
            raise WechatPayError("unknown-serial", f"signed with an unknown key (Wechatpay-Serial {serial[:60]!r})")
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > MAX_SKEW_SECONDS:
            raise WechatPayError("stale", f"signed at {stamp[:20]!r}, more than {MAX_SKEW_SECONDS} s from now")
        try:
            signature = base64.b64decode(headers.get("Wechatpay-Signature", ""), validate=True)
            key.verify(signature, f"{stamp}\n{nonce}\n".encode() + body + b"\n", padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature) as error:
            raise WechatPayError("bad-signature", "the signature does not match the body") from error

    def decrypt(self, resource):
        """The plaintext of a notification's resource."""
        try:
            if resource["algorithm"] != "AEAD_AES_256_GCM":
                raise WechatPayError("unknown-algorithm", f"encrypted with {str(resource['algorithm'])[:40]!r}")
            sealed = base64.b64decode(resource["ciphertext"], validate=True)
            associated = resource.get("associated_data", "").encode()
            return json.loads(AESGCM(self._api_v3_key).decrypt(resource["nonce"].encode(), sealed, associated))
        except (InvalidTag, KeyError, TypeError, ValueError) as error:
            raise WechatPayError("undecryptable", "the resource can't be decrypted with the API v3 key") from error


class _Elsewhere(http.client.HTTPSConnection):
    """HTTPS to a host by its name, at an address of its own."""

    def __init__(self, host, port, address, context, timeout):
        super().__init__(host, port, context=context, timeout=timeout)
        self._address = address or (host, port)
        self._own_context = context

    def connect(self):
        raw = socket.create_connection(self._address, self.timeout)
        try:
            self.sock = self._own_context.wrap_socket(raw, server_hostname=self.host)
        except BaseException:
            raw.close()
            raise


class Client:
    """Asks WeChat Pay."""

    def __init__(self, settings, keys):
        parts = urllib.parse.urlsplit(settings.wechatpay_url)
        self._host, self._port = parts.hostname, parts.port or 443
        host, _, port = settings.wechatpay_connect.rpartition(":")
        self._address = (host, int(port)) if host else None
        self._context = ssl.create_default_context(cafile=settings.wechatpay_ca or None)
        self._timeout = settings.wechatpay_timeout
        self._notify_url = settings.notify_url
        self.keys = keys

    def prepay(self, order_no, amount_cents):
        """Announces an order that shall be paid (Native), and gives its code URL."""
        body = {
            "appid": self.keys.appid,
            "mchid": self.keys.merchant_id,
            "description": "Mall order",
            "out_trade_no": order_no,
            "notify_url": self._notify_url,
            "amount": {"total": amount_cents, "currency": "CNY"},
        }
        return self._ask("POST", "/v3/pay/transactions/native", order_no, body)["code_url"]

    def query(self, order_no):
        """What WeChat Pay knows of an order."""
        return self._ask("GET", f"/v3/pay/transactions/out-trade-no/{order_no}?mchid={self.keys.merchant_id}", order_no)

    def _ask(self, method, target, order_no, body=None):
        started = time.monotonic()
        status, code, error = None, None, None
        try:
            status, answer = self._exchange(method, target, json.dumps(body) if body is not None else "")
            if status >= 300:
                code = str(answer.get("code"))
                raise WechatPayError(code, f"HTTP {status} {code}: {answer.get('message')}")
            return answer
        except (OSError, http.client.HTTPException) as failure:
            code, error = "unreachable", f"{type(failure).__name__}: {failure}"
            raise WechatPayError(code, error) from failure
        except WechatPayError as failure:
            code, error = failure.code, str(failure)
            raise
        finally:
            took = round(1000 * (time.monotonic() - started), 1)
            say = log.info if error is None else log.error
            path = target.partition("?")[0]
            name = "wechatpay.request" if error is None else "wechatpay.failed"
            say(name, method=method, path=path, order_no=order_no, status=status, code=code, error=error, duration_ms=took)

    def _exchange(self, method, target, body):
        connection = _Elsewhere(self._host, self._port, self._address, self._context, self._timeout)
        with contextlib.closing(connection):
            headers = {
                "Authorization": self.keys.authorization(method, target, body),
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": "mall-backend",
                "Wechatpay-Serial": self.keys.public_key_id,
            }
            connection.request(method, target, body.encode() if body else None, headers)
            response = connection.getresponse()
            raw = response.read(MAX_ANSWER_BYTES)
            self.keys.verify(response.headers, raw)
            try:
                return response.status, json.loads(raw) if raw else {}
            except ValueError as error:
                raise WechatPayError("not-json", f"HTTP {response.status} without JSON") from error
