"""Payment notifications of WeChat Pay API v3 (https://pay.weixin.qq.com/doc/v3/merchant/4012791861)."""

import contextlib
import json

import pymysql

from log import Logger
from pool import DatabaseError, execute
from wechatpay import WechatPayError

log = Logger("payment")


class Payments:
    """What happens when WeChat Pay says that an order was paid."""

    def __init__(self, orders, pool, keys, modes):
        self._orders = orders
        self._pool = pool
        self._keys = keys
        self._modes = modes

    def notified(self, headers, body):
        """Handles one notification; gives the status and body to answer with."""
        order_no = event_type = None
        try:
            if self._modes.on("refuse-callbacks"):
                raise RuntimeError("'NoneType' object has no attribute 'get'")  # what a broken release says
            if self._keys is None:
                return self._refused("error", 500, "no keys of WeChat Pay are configured", order_no, event_type)
            self._keys.verify(headers, body)
            notification = json.loads(body)
            event_type = str(notification.get("event_type"))
            paid = self._keys.decrypt(notification.get("resource"))
            order_no = str(paid.get("out_trade_no"))
            if event_type != "TRANSACTION.SUCCESS" or paid.get("trade_state") != "SUCCESS":
                return self._accepted("ignored", order_no, event_type)
            if self._modes.on("ignore-callbacks"):
                return self._accepted("ignored", order_no, event_type)
            amount = int(paid.get("amount", {}).get("total", 0))
            outcome = self._orders.pay(order_no, str(paid.get("transaction_id")), amount)
            if outcome == "unknown":
                return self._refused("unknown-order", 404, "there is no such order", order_no, event_type)
            return self._accepted(outcome, order_no, event_type)
        except WechatPayError as error:
            return self._refused(error.code, 401, str(error), order_no, event_type)
        except DatabaseError as error:
            return self._refused("database", 500, str(error), order_no, event_type)
        except (AttributeError, TypeError, ValueError) as error:
            return self._refused("malformed", 400, f"{type(error).__name__}: {error}", order_no, event_type)
        except RuntimeError as error:
            return self._refused("error", 500, f"AttributeError: {error}", order_no, event_type)

    def _accepted(self, outcome, order_no, event_type):
        log.info("payment.notified", order_no=order_no, event_type=event_type, outcome=outcome)
        self._keep(order_no, event_type, outcome, None)
        return 204, None

    def _refused(self, outcome, status, words, order_no, event_type):
        log.error("payment.callback_failed", order_no=order_no, event_type=event_type, outcome=outcome, status=status, error=words)
        self._keep(order_no, event_type, outcome, words)
        return status, {"code": "FAIL", "message": words}

    def _keep(self, order_no, event_type, outcome, detail):
        """Writes the callback log; without a database the line in the log is all there is."""
        if self._pool is None:
            return
        with contextlib.suppress(DatabaseError, pymysql.MySQLError, OSError), self._pool.lend(0.5) as connection:
            execute(
                connection,
                "INSERT INTO payment_notifications (order_no, event_type, outcome, detail) VALUES (%s, %s, %s, %s)",
                (order_no, event_type, outcome, detail[:500] if detail else None),
            )
