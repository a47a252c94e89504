"""The trades that the stand-in knows, in memory."""

import threading
import time

# trade_state, as the order query documents them.
STATES = {
    "SUCCESS": "支付成功",
    "REFUND": "转入退款",
    "NOTPAY": "订单未支付",
    "CLOSED": "订单已关闭",
    "REVOKED": "已撤销",
    "USERPAYING": "用户支付中",
    "PAYERROR": "支付失败",
}
# Most trades that are remembered; the oldest go first.
MAX_TRADES = 50000


def rfc3339(seconds):
    """A time as API v3 writes it, in China's time zone."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(seconds + 8 * 3600))


class Trades:
    """Announced, paid and closed trades by the merchant's order number."""

    def __init__(self, merchant_id, appid):
        self._merchant_id, self._appid = merchant_id, appid
        self._trades = {}
        self._notify_urls = {}
        self._count = 0
        self._lock = threading.Lock()

    def announce(self, order_no, total, notify_url=None, trade_type="NATIVE"):
        """A trade that awaits payment; announcing it again changes nothing but the address."""
        with self._lock:
            self._notify_urls[order_no] = notify_url
            if order_no not in self._trades:
                self._put(order_no, "NOTPAY", total, trade_type)

    def set(self, order_no, state, total=None):
        """Puts a trade into a state, making it when it is not known; gives it."""
        if state not in STATES:
            raise ValueError(f"trade_state {state!r} is none of {', '.join(STATES)}")
        with self._lock:
            known = self._trades.get(order_no)
            total = total if total is not None else known["amount"]["total"] if known else 100
            return self._put(order_no, state, int(total), known["trade_type"] if known else "NATIVE")

    def forget(self, order_no):
        with self._lock:
            self._trades.pop(order_no, None)

    def find(self, number, by_transaction=False):
        """A trade as the order query gives it, or nothing."""
        with self._lock:
            if not by_transaction:
                return self._trades.get(number)
            return next((t for t in self._trades.values() if t.get("transaction_id") == number), None)

    def notify_url(self, order_no):
        return self._notify_urls.get(order_no)

    def clear(self):
        with self._lock:
            self._trades.clear()
            self._notify_urls.clear()

    def __len__(self):
        return len(self._trades)

    def _put(self, order_no, state, total, trade_type):
        trade = {
            "amount": {"currency": "CNY", "total": total},
            "appid": self._appid,
            "attach": "",
            "mchid": self._merchant_id,
            "out_trade_no": order_no,
            "trade_state": state,
            "trade_state_desc": STATES[state],
            "trade_type": trade_type,
        }
        if state in ("SUCCESS", "REFUND"):
            self._count += 1
            known = self._trades.get(order_no, {})
            trade["transaction_id"] = known.get("transaction_id") or f"4200003{int(time.time()):012d}{self._count:09d}"
            trade["success_time"] = known.get("success_time") or rfc3339(time.time())
            trade["bank_type"] = "OTHERS"
            trade["payer"] = {"openid": "o-lab-payer"}
            trade["amount"].update(payer_total=total, payer_currency="CNY")
        self._trades[order_no] = trade
        if len(self._trades) > MAX_TRADES:
            self._trades.pop(next(iter(self._trades)))
        return trade
