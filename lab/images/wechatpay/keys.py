"""Makes the keys and certificates of one lab: for the merchant, for the WeChat Pay stand-in, and for TLS.

    keys.py make DIR                       everything, kept where it is there already
    keys.py certificate DIR NAME …         one certificate of the lab's CA for a name, as faults need them:
        --out PATH    writes PATH.pem and PATH.key (default DIR/tls/NAME)
        --from 0d --until 90d              its validity, counted from now: -30d, 0d, 12h, 90d
        --self-signed                      signed by itself and not by the CA
        --also NAME                        another name

    DIR/merchant   what a merchant has: apiclient_key.pem, apiclient_cert.pem, apiv3.key, wechatpay_public_key.pem
                   (public-key mode), wechatpay_platform.pem (certificate mode), merchant.json (the numbers that go with them)
    DIR/platform   what WeChat Pay has: platform.key, platform.pem, merchant.pem, apiv3.key, merchant.json
    DIR/tls        ca.pem, ca.key; NAME.pem and NAME.key for api.mall.com and api.mch.weixin.qq.com

All of it is for the lab alone: made anew for each, worth nothing elsewhere. Files can be read by everybody, since the
containers' users are others than the one who makes them; the directory itself is closed by who makes it.
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

import argparse
import datetime
import ipaddress
import json
import secrets

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

BITS = 2048
MERCHANT_ID = "1900000109"
APPID = "wxlab0000000000001"
# A public key's id at WeChat Pay: PUB_KEY_ID_, the merchant's number, and more digits.
PUBLIC_KEY_ID = f"PUB_KEY_ID_0{MERCHANT_ID}2026110100000000000001"
TLS_NAMES = ("api.mall.com", "api.mch.weixin.qq.com")
# How long the certificates of `make` are good, in days.
GOOD_DAYS = 365
CA_NAME = "Handbell lab CA"


def write(path, raw):
    """Writes a file in one step."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    unfinished = f"{path}.new"
    with open(unfinished, "wb") as file:
        file.write(raw)
    os.chmod(unfinished, 0o644)
    os.replace(unfinished, path)


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=BITS)


def private_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def serial(certificate):
    """As WeChat Pay writes serial numbers: upper-case hexadecimal."""
    return f"{certificate.serial_number:X}"


def certify(name, key, issuer, issuer_key, since, until, names=(), authority=False):
    """A certificate; `issuer` is its issuer's certificate, or nothing where it signs itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if authority:
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
            False,
        )
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([alternative(one) for one in names]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def now():
    return datetime.datetime.utcnow().replace(microsecond=0)


def span(text):
    """`-30d`, `12h`, `90d`, `5m` as a length of time."""
    text = text.strip()
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    try:
        return datetime.timedelta(**{units[text[-1]]: float(text[:-1])})
    except (KeyError, IndexError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time such as -30d, 12h or 90d") from error


def authority(directory):
    """The lab's CA, made when it is missing."""
    path = os.path.join(directory, "tls", "ca")
    if not os.path.exists(f"{path}.pem"):
        key = new_key()
        day = datetime.timedelta(days=1)
        certificate = certify(CA_NAME, key, None, key, now() - 400 * day, now() + 3650 * day, authority=True)
        write(f"{path}.key", private_pem(key))
        write(f"{path}.pem", pem(certificate))
    with open(f"{path}.key", "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    with open(f"{path}.pem", "rb") as file:
        return x509.load_pem_x509_certificate(file.read()), key


def certificate(directory, name, out=None, since=None, until=None, self_signed=False, also=()):
    """Writes one TLS certificate and its key."""
    issuer, issuer_key = authority(directory)
    key = new_key()
    made = certify(
        name,
        key,
        None if self_signed else issuer,
        key if self_signed else issuer_key,
        now() + (since if since is not None else datetime.timedelta(days=-1)),
        now() + (until if until is not None else datetime.timedelta(days=GOOD_DAYS)),
        names=(name, *also),
    )
    out = out or os.path.join(directory, "tls", name)
    write(f"{out}.key", private_pem(key))
    write(f"{out}.pem", pem(made))


def pay(directory):
    """The keys of merchant and platform, which belong together."""
    if os.path.exists(os.path.join(directory, "platform", "merchant.json")):
        return
    since, until = now() - datetime.timedelta(days=1), now() + datetime.timedelta(days=1825)
    merchant, platform, issuer = new_key(), new_key(), new_key()
    root = certify("Tenpay.com Root CA (lab)", issuer, None, issuer, since, until, authority=True)
    merchant_certificate = certify(MERCHANT_ID, merchant, root, issuer, since, until)
    platform_certificate = certify("Tenpay.com sign (lab)", platform, root, issuer, since, until)
    api_v3_key = secrets.token_hex(16).encode()
    about = {
        "merchant_id": MERCHANT_ID,
        "appid": APPID,
        "merchant_serial": serial(merchant_certificate),
        "platform_serial": serial(platform_certificate),
        "public_key_id": PUBLIC_KEY_ID,
    }
    numbers = json.dumps(about, indent=2).encode() + b"\n"
    files = {
        "merchant/apiclient_key.pem": private_pem(merchant),
        "merchant/apiclient_cert.pem": pem(merchant_certificate),
        "merchant/wechatpay_public_key.pem": public_pem(platform),
        "merchant/wechatpay_platform.pem": pem(platform_certificate),
        "merchant/apiv3.key": api_v3_key + b"\n",
        "merchant/merchant.json": numbers,
        "platform/platform.key": private_pem(platform),
        "platform/platform.pem": pem(platform_certificate),
        "platform/merchant.pem": pem(merchant_certificate),
        "platform/apiv3.key": api_v3_key + b"\n",
        "platform/merchant.json": numbers,
    }
    for name, raw in files.items():
        write(os.path.join(directory, name), raw)


def make(directory):
    """Everything that is missing."""
    pay(directory)
    authority(directory)
    for name in TLS_NAMES:
        if not os.path.exists(os.path.join(directory, "tls", f"{name}.pem")):
            also = ("127.0.0.1", "wechatpay") if name != "api.mall.com" else ()
            certificate(directory, name, also=also)


def main(arguments):
    parser = argparse.ArgumentParser(description="Makes the lab's keys and certificates.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make").add_argument("directory")
    one = commands.add_parser("certificate")
    one.add_argument("directory")
    one.add_argument("name")
    one.add_argument("--out")
    one.add_argument("--from", dest="since", type=span)
    one.add_argument("--until", type=span)
    one.add_argument("--self-signed", action="store_true")
    one.add_argument("--also", action="append", default=[])
    asked = parser.parse_args([text if not text.startswith("-") or text.startswith("--") else f" {text}" for text in arguments])
    if asked.command == "make":
        make(asked.directory)
    else:
        certificate(asked.directory, asked.name, asked.out, asked.since, asked.until, asked.self_signed, asked.also)


if __name__ == "__main__":
    main(sys.argv[1:])
