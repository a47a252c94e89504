"""Two small DNS servers in one program, over UDP and TCP (RFC 1035), each with a zone of its own from a file.

| variable | meaning | default |
| --- | --- | --- |
| HOST | where both listen | 0.0.0.0 |
| PORTS | the ports of the first and of the second server | 5353,5354 |
| ZONES | the directory of server-1.zone and server-2.zone | this file's |

A zone is written as zone files are: `api.mall.com. 60 IN A 127.0.0.1` with types A, AAAA and CNAME; `;` begins a comment.
It is read again when the file changes; one with a mistake leaves the old one in force and is said on standard output.
A name that has records of other types is answered empty, a name under an `$ORIGIN` of the file that has none with
NXDOMAIN, every other name with REFUSED. A line of its own changes how the server behaves:

    $MODE normal|silent|refused|servfail|nxdomain|empty|slow|truncate

`app.py --check` asks the first server over UDP and exits 0 or 1.
"""

import ipaddress
import os
import signal
import socket
import socketserver
import struct
import sys
import threading
import time

MAX_UDP_BYTES = 512
MAX_CHAIN = 8
TYPES = {"A": 1, "CNAME": 5, "AAAA": 28}
NOERROR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 0, 2, 3, 4, 5
MODES = ("normal", "silent", "refused", "servfail", "nxdomain", "empty", "slow", "truncate")
SLOW_SECONDS = 3.0


class Zone:
    """A zone file."""

    def __init__(self, text):
        self.origins, self.records, self.mode = [], {}, "normal"
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition(";")[0].split()
            if not words:
                continue
            try:
                self._line(words)
            except (ValueError, IndexError) as error:
                raise ValueError(f"line {number}: {error}") from error

    def _line(self, words):
        if words[0] == "$MODE":
            if words[1] not in MODES:
                raise ValueError(f"$MODE is none of {', '.join(MODES)}")
            self.mode = words[1]
        elif words[0] == "$ORIGIN":
            self.origins.append(plain(words[1]))
        else:
            name, ttl, family, kind, value = words
            if family != "IN" or kind not in TYPES:
                raise ValueError("a record is `name ttl IN A|AAAA|CNAME value`")
            if kind != "CNAME" and ipaddress.ip_address(value).version != (4 if kind == "A" else 6):
                raise ValueError(f"{value} is no address for {kind}")
            self.records.setdefault(plain(name), []).append((kind, value, int(ttl)))

    def holds(self, name):
        """Whether the zone is the one to say that a name is not there."""
        return any(name == origin or name.endswith(f".{origin}") for origin in self.origins)


def plain(name):
    return name.lower().rstrip(".")


def packed_name(name):
    parts = [part.encode("idna") for part in name.rstrip(".").split(".") if part]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def packed(kind, value):
    return packed_name(value) if kind == "CNAME" else ipaddress.ip_address(value).packed


def question(message):
    """Name, type and the raw question of a query; raises ValueError when it is none."""
    if len(message) < 17 or message[2] & 0x80 or struct.unpack_from("!H", message, 4)[0] != 1:
        raise ValueError("no query")
    labels, at = [], 12
    while message[at]:
        length = message[at]
        if length > 63 or at + 1 + length >= len(message):
            raise ValueError("bad name")
        labels.append(message[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    kind = struct.unpack_from("!H", message, at + 1)[0]
    return ".".join(labels).lower(), kind, message[12 : at + 5]


class Server:
    """One server: its zone, its mode, and its sockets."""

    def __init__(self, host, port, path):
        self._path, self._seen, self._zone = path, None, Zone("$MODE servfail")
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((host, port))
        server = self

        class Stream(socketserver.BaseRequestHandler):
            def handle(self):
                server.stream(self.request)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        socketserver.ThreadingTCPServer.daemon_threads = True
        self._tcp = socketserver.ThreadingTCPServer((host, port), Stream)

    def start(self):
        threading.Thread(target=self._tcp.serve_forever, daemon=True).start()
        threading.Thread(target=self._datagrams, daemon=True).start()

    def zone(self):
        """The zone as the file has it now."""
        try:
            status = os.stat(self._path)
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen != self._seen:
                with open(self._path, encoding="utf-8") as file:
                    self._zone, self._seen = Zone(file.read()), seen
        except (OSError, ValueError) as error:
            print(f"{self._path} is not taken: {error}", flush=True)
        return self._zone

    def stream(self, connection):
        """One client over TCP: each message after its length (RFC 1035, 4.2.2)."""
        connection.settimeout(10)
        try:
            with connection.makefile("rb") as file:
                while len(head := file.read(2)) == 2:
                    answer = self.answer(file.read(struct.unpack("!H", head)[0]), None)
                    if answer is None:
                        time.sleep(10)
                        return
                    connection.sendall(struct.pack("!H", len(answer)) + answer)
        except OSError:
            pass  # the client has left

    def _datagrams(self):
        while True:
            message, client = self._udp.recvfrom(4096)
            threading.Thread(target=self._datagram, args=(message, client), daemon=True).start()

    def _datagram(self, message, client):
        answer = self.answer(message, MAX_UDP_BYTES)
        if answer is not None:
            try:
                self._udp.sendto(answer, client)
            except OSError:
                pass

    def answer(self, message, limit):
        """The answer to a message, or nothing where the server stays silent."""
        try:
            name, kind, raw = question(message)
        except (ValueError, IndexError, struct.error):
            return None
        zone = self.zone()
        mode = zone.mode
        if mode == "silent":
            return None
        if mode == "slow":
            time.sleep(SLOW_SECONDS)
        code, found = self._found(zone, name, kind)
        if (message[2] >> 3) & 0x0F:
            code, found = NOTIMP, []
        answers = b"".join(
            packed_name(owner) + struct.pack("!HHIH", TYPES[what], 1, ttl, len(packed(what, value))) + packed(what, value)
            for owner, what, value, ttl in found
        )
        truncated = limit is not None and (mode == "truncate" or 12 + len(raw) + len(answers) > limit)
        if truncated:
            found, answers = [], b""
        flags = 0x8400 | (message[2] & 0x01) << 8 | (0x0200 if truncated else 0) | code | 0x0080
        return message[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + raw + answers

    @staticmethod
    def _found(zone, name, kind):
        fixed = {"refused": REFUSED, "servfail": SERVFAIL, "nxdomain": NXDOMAIN, "empty": NOERROR}.get(zone.mode)
        if fixed is not None:
            return fixed, []
        chain, owner = [], name
        for _ in range(MAX_CHAIN):
            here = zone.records.get(owner)
            if here is None:
                missing = NXDOMAIN if zone.holds(owner) else REFUSED
                return (NOERROR if chain else missing), chain
            direct = [(owner, what, value, ttl) for what, value, ttl in here if TYPES[what] == kind]
            alias = next(((value, ttl) for what, value, ttl in here if what == "CNAME"), None)
            if direct or alias is None:
                return NOERROR, chain + direct
            chain.append((owner, "CNAME", *alias))
            owner = plain(alias[0])
        return SERVFAIL, []


def check(port):
    """Ends the program: 0 when the first server answers, else 1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(2)
        try:
            asker.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0" + packed_name("api.mall.com") + b"\0\1\0\1", ("127.0.0.1", port))
            sys.exit(0 if asker.recv(512)[:2] == b"\0\1" else 1)
        except OSError as error:
            print(f"no answer: {error}")
            sys.exit(1)


def main():
    """Serves until SIGTERM."""
    environ = os.environ
    host, ports = environ.get("HOST") or "0.0.0.0", [int(port) for port in (environ.get("PORTS") or "5353,5354").split(",")]
    if "--check" in sys.argv[1:]:
        check(ports[0])
    zones = environ.get("ZONES") or os.path.dirname(os.path.abspath(__file__))
    for number, port in enumerate(ports, 1):
        Server(host, port, os.path.join(zones, f"server-{number}.zone")).start()
    stop = threading.Event()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a changed zone is read without being told
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    print(f"two name servers at {host}, ports {ports}", flush=True)
    stop.wait()


if __name__ == "__main__":
    main()
