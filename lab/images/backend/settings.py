"""Settings of the backend, all from the environment. Lengths of time are in seconds.

| variable | meaning | default |
| --- | --- | --- |
| HOST, PORT | where it listens | 0.0.0.0, 8000 |
| REDIS_HOST, REDIS_PORT, REDIS_PASSWORD_FILE, REDIS_TIMEOUT | the cache and the locks | 127.0.0.1, 6379, none, 2 |
| DB_HOST, DB_PORT or DB_SOCKET | MySQL 8/9 or MariaDB; without either the shop runs from memory | none, 3306 |
| DB_USER, DB_PASSWORD_FILE, DB_NAME | the login | mall, none, mall |
| DB_POOL_SIZE, DB_POOL_TIMEOUT | the most connections, and how long a request waits for one | 10, 2 |
| DB_CONNECT_TIMEOUT, DB_READ_TIMEOUT | of one connection | 2, 10 |
| PRODUCTS_TTL | how long the product list stays in the cache | 15 |
| LOCK_TTL, LOCK_WAIT | a stock lock's life; how long a request waits for one | 10, 2 |
| ORDER_LIFE | after how long an unpaid order is cancelled | 1800 |
| WECHATPAY_URL, WECHATPAY_CONNECT, WECHATPAY_CA | the address of WeChat Pay; host:port to connect to instead of resolving it; its CA | none |
| MERCHANT_ID, APPID | the merchant's numbers; without MERCHANT_ID nothing is paid through WeChat Pay | none, wxlab0000000000001 |
| MERCHANT_KEY_FILE, MERCHANT_CERT_FILE | what requests are signed with, and the certificate whose serial number says so | none |
| PUBLIC_KEY_ID, PLATFORM_PUBLIC_KEY_FILE | WeChat Pay's public key, which answers and notifications are verified with | none |
| API_V3_KEY_FILE | what notifications are decrypted with | none |
| WECHATPAY_NOTIFY_URL | where WeChat Pay is told to send its notifications | none |
| WECHATPAY_TIMEOUT | of one request | 3 |
| LOAD | visits a second that the shop makes by itself; 0 is none | 5 |
"""

import os
from dataclasses import dataclass


def _number(environ, name, default):
    text = environ.get(name, "")
    try:
        return type(default)(text) if text else default
    except ValueError as error:
        raise SystemExit(f"{name} must be a number, but is {text!r}") from error


def read_secret(path):
    """The file's first line, or nothing where no file is named."""
    if not path:
        return ""
    with open(path, encoding="utf-8") as file:
        return file.readline().strip()


@dataclass(frozen=True)
class Settings:
    """What the table above says."""

    host: str
    port: int
    redis_host: str
    redis_port: int
    redis_password: str
    redis_timeout: float
    db_host: str
    db_port: int
    db_socket: str
    db_user: str
    db_password: str
    db_name: str
    pool_size: int
    pool_timeout: float
    connect_timeout: int
    read_timeout: int
    products_ttl: int
    lock_ttl: int
    lock_wait: float
    order_life: int
    wechatpay_url: str
    wechatpay_connect: str
    wechatpay_ca: str
    merchant_id: str
    appid: str
    merchant_key_file: str
    merchant_cert_file: str
    public_key_id: str
    platform_public_key_file: str
    api_v3_key_file: str
    notify_url: str
    wechatpay_timeout: float
    load: float

    def __repr__(self):
        return f"Settings(port={self.port})"  # no password by accident

    @property
    def has_database(self):
        return bool(self.db_host or self.db_socket)

    @classmethod
    def from_environment(cls, environ=os.environ):
        """Reads everything; ends the program in words where something cannot be."""
        get = environ.get
        return cls(
            host=get("HOST", "0.0.0.0"),
            port=_number(environ, "PORT", 8000),
            redis_host=get("REDIS_HOST", "127.0.0.1"),
            redis_port=_number(environ, "REDIS_PORT", 6379),
            redis_password=read_secret(get("REDIS_PASSWORD_FILE")),
            redis_timeout=_number(environ, "REDIS_TIMEOUT", 2.0),
            db_host=get("DB_HOST", ""),
            db_port=_number(environ, "DB_PORT", 3306),
            db_socket=get("DB_SOCKET", ""),
            db_user=get("DB_USER", "mall"),
            db_password=read_secret(get("DB_PASSWORD_FILE")),
            db_name=get("DB_NAME", "mall"),
            pool_size=_number(environ, "DB_POOL_SIZE", 10),
            pool_timeout=_number(environ, "DB_POOL_TIMEOUT", 2.0),
            connect_timeout=_number(environ, "DB_CONNECT_TIMEOUT", 2),
            read_timeout=_number(environ, "DB_READ_TIMEOUT", 10),
            products_ttl=_number(environ, "PRODUCTS_TTL", 15),
            lock_ttl=_number(environ, "LOCK_TTL", 10),
            lock_wait=_number(environ, "LOCK_WAIT", 2.0),
            order_life=_number(environ, "ORDER_LIFE", 1800),
            wechatpay_url=get("WECHATPAY_URL", ""),
            wechatpay_connect=get("WECHATPAY_CONNECT", ""),
            wechatpay_ca=get("WECHATPAY_CA", ""),
            merchant_id=get("MERCHANT_ID", ""),
            appid=get("APPID") or "wxlab0000000000001",
            merchant_key_file=get("MERCHANT_KEY_FILE", ""),
            merchant_cert_file=get("MERCHANT_CERT_FILE", ""),
            public_key_id=get("PUBLIC_KEY_ID", ""),
            platform_public_key_file=get("PLATFORM_PUBLIC_KEY_FILE", ""),
            api_v3_key_file=get("API_V3_KEY_FILE", ""),
            notify_url=get("WECHATPAY_NOTIFY_URL", ""),
            wechatpay_timeout=_number(environ, "WECHATPAY_TIMEOUT", 3.0),
            load=_number(environ, "LOAD", 5.0),
        )
