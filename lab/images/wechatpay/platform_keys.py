"""The platform's side of API v3's signatures and encryption."""

import base64
import re
import secrets
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SCHEMA = "WECHATPAY2-SHA256-RSA2048"
# How old or young a signed request may be, in seconds.
MAX_SKEW_SECONDS = 300
# Nonces that are remembered, so that a request can't be sent twice.
MAX_NONCES = 20000

FIELD = re.compile(r'\s*([a-z_]+)="([^"]*)"\s*(?:,|$)')


def serial(certificate):
    """A certificate's number as WeChat Pay writes it."""
    return f"{certificate.serial_number:X}"


class SignError(Exception):
    """A request's signature is missing or wrong; the words say what."""


class PlatformKeys:
    """Verifies merchants, signs answers and notifications."""

    def __init__(self, environ):
        def read(name):
            with open(environ[name], "rb") as file:
                return file.read()

        merchant = x509.load_pem_x509_certificate(read("MERCHANT_CERT_FILE"))
        self._certificate = read("PLATFORM_CERT_FILE")
        self.merchant_id = environ["MERCHANT_ID"]
        self._merchant, self._merchant_serial = merchant.public_key(), serial(merchant)
        self._platform_serial = serial(x509.load_pem_x509_certificate(self._certificate))
        self._public_key_id = environ["PUBLIC_KEY_ID"]
        self._private = serialization.load_pem_private_key(read("PLATFORM_KEY_FILE"), None)
        self._api_v3_key = read("API_V3_KEY_FILE").strip()
        self._nonces = {}

    def authenticate(self, method, target, headers, body):
        """Raises SignError unless the merchant signed exactly this request just now."""
        schema, _, rest = headers.get("Authorization", "").partition(" ")
        if schema != SCHEMA:
            raise SignError(f"Authorization must begin with {SCHEMA}")
        fields = dict(FIELD.findall(rest))
        missing = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"} - fields.keys()
        if missing:
            raise SignError(f"Authorization has no {', '.join(sorted(missing))}")
        if fields["mchid"] != self.merchant_id:
            raise SignError("mchid is not known")
        if fields["serial_no"] != self._merchant_serial:
            raise SignError("serial_no is not the merchant's certificate")
        stamp = fields["timestamp"]
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > MAX_SKEW_SECONDS:
            raise SignError("timestamp is more than five minutes from now")
        message = f"{method}\n{target}\n{stamp}\n{fields['nonce_str']}\n{body}\n".encode()
        try:
            self._merchant.verify(base64.b64decode(fields["signature"], validate=True), message, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature) as error:
            raise SignError("the signature does not match method, address, timestamp, nonce and body") from error
        if fields["nonce_str"] in self._nonces:
            raise SignError("nonce_str was used before")
        self._nonces[fields["nonce_str"]] = True
        if len(self._nonces) > MAX_NONCES:
            self._nonces.pop(next(iter(self._nonces)))

    def signed(self, raw, wanted=None, mischief=()):
        """The headers that sign a body: with the public key's id where that was asked for, else the certificate's serial."""
        stamp, nonce = str(int(time.time())), secrets.token_hex(16)
        if "stale-signature" in mischief:
            stamp = str(int(stamp) - 2 * MAX_SKEW_SECONDS)
        message = f"{stamp}\n{nonce}\n".encode() + raw + b"\n"
        if "wrong-signature" in mischief:
            message += b"tampered"
        by_id = wanted is not None and wanted.startswith("PUB_KEY_ID_")
        signer = self._public_key_id if by_id else self._platform_serial
        if "unknown-serial" in mischief:
            signer = "PUB_KEY_ID_0000000000000000000000000000" if by_id else "0" * 40
        signature = self._private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": signer,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Signature-Type": SCHEMA,
        }

    def sealed(self, plaintext, original_type, mischief=()):
        """A resource as only the merchant can read it."""
        nonce, associated = secrets.token_hex(6), original_type
        key = secrets.token_hex(16).encode() if "wrong-api-v3-key" in mischief else self._api_v3_key
        sealed = AESGCM(key).encrypt(nonce.encode(), plaintext, associated.encode())
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "associated_data": associated,
            "nonce": nonce,
        }

    def certificate(self):
        """The platform's certificate, as /v3/certificates lists it."""
        parsed = x509.load_pem_x509_certificate(self._certificate)
        return {
            "serial_no": self._platform_serial,
            "effective_time": parsed.not_valid_before.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "expire_time": parsed.not_valid_after.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "encrypt_certificate": self.sealed(self._certificate, "certificate"),
        }
