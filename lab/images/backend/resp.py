"""A small client for Redis, speaking RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""

import socket
import threading

MAX_REPLY_BYTES = 4 << 20
# Connections that are kept between two commands.
MAX_KEPT = 8


class RedisError(Exception):
    """Redis answered with an error, or could not be asked."""


class Redis:
    """A few connections, opened as they are needed and thrown away after any failure of the transport."""

    def __init__(self, host, port, password, timeout):
        self.address = f"{host}:{port}"
        self._target = (host, port)
        self._password = password
        self._timeout = timeout
        self._kept = []
        self._lock = threading.Lock()

    def call(self, *arguments):
        """Sends one command and returns its reply; raises RedisError in every other case."""
        with self._lock:
            connection = self._kept.pop() if self._kept else None
        reused = connection is not None
        try:
            connection = connection or Connection(self._target, self._password, self._timeout)
            try:
                reply = connection.exchange(arguments)
            except (ConnectionError, BrokenPipeError):
                # The server was started anew since this connection was last used; a second try is a first try for it.
                connection.close()
                if not reused:
                    raise
                connection = Connection(self._target, self._password, self._timeout)
                reply = connection.exchange(arguments)
        except (OSError, ValueError) as error:
            if connection is not None:
                connection.close()
            raise RedisError(f"{type(error).__name__}: {error}") from error
        with self._lock:
            if len(self._kept) < MAX_KEPT:
                self._kept.append(connection)
                connection = None
        if connection is not None:
            connection.close()
        if isinstance(reply, RedisError):
            raise reply
        return reply


class Connection:
    """One logged-in connection."""

    def __init__(self, target, password, timeout):
        self._socket = socket.create_connection(target, timeout=timeout)
        self._file = self._socket.makefile("rb")
        commands = [("AUTH", password)] if password else []
        for command in [*commands, ("CLIENT", "SETNAME", "mall_backend_1")]:
            try:
                reply = self.exchange(command)
            except (OSError, ValueError):
                self.close()
                raise
            if isinstance(reply, RedisError):
                self.close()
                raise reply

    def close(self):
        for thing in (self._file, self._socket):
            try:
                thing.close()
            except OSError:
                pass

    def exchange(self, arguments):
        """The reply to one command; an error that Redis answered with is returned, not raised."""
        parts = [f"*{len(arguments)}\r\n".encode()]
        for argument in arguments:
            raw = argument if isinstance(argument, bytes) else str(argument).encode()
            parts += [f"${len(raw)}\r\n".encode(), raw, b"\r\n"]
        self._socket.sendall(b"".join(parts))
        return self._reply()

    def _reply(self):
        line = self._file.readline(MAX_REPLY_BYTES)
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"-":
            return RedisError(rest.decode("utf-8", "replace"))
        if kind == b"$":
            length = int(rest)
            if length < 0:
                return None
            if length > MAX_REPLY_BYTES:
                raise ValueError("reply too long")
            return self._file.read(length + 2)[:-2]
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        raise ValueError("not RESP")
