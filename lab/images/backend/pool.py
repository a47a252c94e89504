"""A pool of MySQL connections, as an application server keeps one: a fixed size, and a bounded wait for a free one."""

import contextlib
import threading
import time

import pymysql

from log import Logger

# How long a transaction of the shop waits for a row lock, in seconds (MySQL's own default is 50).
LOCK_WAIT_SECONDS = 8
# A connection that was free for longer is asked before it is lent, in seconds.
STALE_AFTER_SECONDS = 1.0

log = Logger("db.pool")


class DatabaseError(Exception):
    """The database could not be asked, or refused."""


class PoolExhausted(DatabaseError):
    """Every connection of the pool is lent, and none came back in time."""


def words(error):
    """An error of the driver in one line: MySQL's number and its sentence."""
    if len(error.args) >= 2:
        return f"({error.args[0]}) {error.args[1]}"
    return f"{type(error).__name__}: {error}"


class Pool:
    """Connections that are opened on demand, lent to one thread each, and taken back."""

    def __init__(self, settings):
        self._settings = settings
        self.size = settings.pool_size
        self._free = []
        self._lent = 0
        self._waiting = 0
        self._condition = threading.Condition()

    def connect(self):
        """A connection outside the pool; the caller closes it."""
        s = self._settings
        where = {"unix_socket": s.db_socket} if s.db_socket else {"host": s.db_host, "port": s.db_port}
        connection = pymysql.connect(
            **where,
            user=s.db_user,
            password=s.db_password,
            database=s.db_name,
            charset="utf8mb4",
            connect_timeout=s.connect_timeout,
            read_timeout=s.read_timeout,
            write_timeout=s.read_timeout,
            autocommit=True,
            program_name="mall_backend_1",
            init_command=f"SET time_zone = '+00:00', innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}",
        )
        try:
            # With the default level an order that is being placed and one that is being paid deadlock now and then over
            # the gaps of the orders' index.
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        except BaseException:
            _close(connection)
            raise
        return connection

    def state(self):
        """Size, lent and waiting, for the health page."""
        with self._condition:
            return {"size": self.size, "in_use": self._lent, "free": len(self._free), "waiting": self._waiting}

    @contextlib.contextmanager
    def lend(self, timeout=None):
        """Lends a connection for a block; one that failed is thrown away rather than lent again."""
        connection = self.take(timeout)
        try:
            yield connection
        except BaseException as error:
            broken = isinstance(error, (pymysql.err.OperationalError, pymysql.err.InterfaceError, OSError))
            self.give_back(connection, broken)
            raise
        self.give_back(connection)

    def take(self, timeout=None):
        """Lends a connection until `give_back`; raises PoolExhausted or DatabaseError."""
        timeout = self._settings.pool_timeout if timeout is None else timeout
        deadline = time.monotonic() + timeout
        with self._condition:
            while self._lent >= self.size:
                self._waiting += 1
                left = deadline - time.monotonic()
                came = left > 0 and self._condition.wait(left)
                self._waiting -= 1
                if not came and self._lent >= self.size:
                    self._exhausted(timeout)
            self._lent += 1
            connection, since = self._free.pop() if self._free else (None, 0.0)
        try:
            if connection is not None and time.monotonic() - since > STALE_AFTER_SECONDS:
                connection = self._asked(connection)
            return connection if connection is not None else self.connect()
        except (pymysql.MySQLError, OSError) as error:
            self._returned()
            raise DatabaseError(words(error)) from error
        except BaseException:
            self._returned()
            raise

    def give_back(self, connection, broken=False):
        """Takes a connection back."""
        if broken or not connection.open:
            _close(connection)
            self._returned()
            return
        with self._condition:
            self._free.append((connection, time.monotonic()))
        self._returned()

    def clear(self):
        """Closes every free connection."""
        with self._condition:
            free, self._free = self._free, []
        for connection, _ in free:
            _close(connection)

    def _exhausted(self, timeout):
        log.error(
            "pool.exhausted",
            error=f"QueuePool limit of size {self.size} reached, connection timed out, timeout {timeout:.2f}",
            size=self.size,
            in_use=self._lent,
            waiting=self._waiting,
        )
        raise PoolExhausted(f"all {self.size} connections of the pool are in use, none came back in {timeout:g} s")

    @staticmethod
    def _asked(connection):
        """The connection if it still lives, otherwise nothing."""
        try:
            connection.ping(reconnect=False)
            return connection
        except (pymysql.MySQLError, OSError):
            _close(connection)
            return None

    def _returned(self):
        with self._condition:
            self._lent -= 1
            self._condition.notify()


@contextlib.contextmanager
def transaction(connection):
    """Commits at the end of the block, and rolls back when it fails."""
    connection.begin()
    try:
        yield connection
    except BaseException:
        with contextlib.suppress(pymysql.MySQLError, OSError):
            connection.rollback()
        raise
    connection.commit()


def query(connection, statement, arguments=()):
    """All rows of a query, as dictionaries."""
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall()


def execute(connection, statement, arguments=()):
    """Carries a statement out; gives the number of rows and the last generated id."""
    with connection.cursor() as cursor:
        rows = cursor.execute(statement, arguments)
        return rows, cursor.lastrowid


def _close(connection):
    with contextlib.suppress(pymysql.MySQLError, OSError):
        connection.close()
