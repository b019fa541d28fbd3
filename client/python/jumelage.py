"""jumelage: a client of the jumelage service for Python 3.9 and later.

One file on the ordinary package `msgpack` (Debian: python3-msgpack); copy it, or put its folder on the
path.

    from jumelage import Client

    with Client("unix:/var/lib/jumelage/jumelage.sock") as service:
        for match in service.top("bilocation", "demo-startup-001", pairing="hosting", k=3).matches:
            print(match.score, match.name)

Any method can be called by its name; what it takes and answers is told by the reference page and by
`service.call("system.methods")`:

    service.call("profile.get", id="yc")
    service.call("match.explain", programme="bilocation", from_="demo-startup-001", to="yc")

A parameter that is a word of Python is written with an underscore behind it. Scores are whole numbers
from 0 to 10000, instants are milliseconds since 1970 UTC, dates are "YYYY-MM-DD".

**Errors.** What the service refuses is raised as JumelageError or the subclass of its name (NotFound,
Conflict …); what fails on the way is TimedOut, Lost, Unreachable or BadAnswer. Codes and names are those
of libjumelage.

**A lost connection.** After a failure on the way the connection is given up, so that a late answer
finds nobody; the next call connects again, at once, and shows the token again. A connection that the
service has ended meanwhile is noticed before a call is sent. A read that was lost on the way is asked
once more; a write is not, because it may have been carried out: Lost says so.

**Time.** A call waits `timeout_s` for its answer. A `deadline_ms` among its parameters is the service's to
keep; where it is longer than `timeout_s`, the call waits that long and a second more.

**HTTP.** `http://HOST:PORT` and `https://HOST:PORT` send each call as one `POST /rpc`, the token and the
language with it: one at a time on a connection that is kept. The service sends nothing unasked there, so that
`on_notification` hears nothing. A call that runs out of time ends its connection; one that ends between two
calls is made again.

**TLS.** `tls:HOST:PORT` and `https://HOST:PORT` are TLS 1.2 or later and always check the certificate: an authority of the system, or
of `ca_file`, has signed it; it holds today; and the host of the address, or `server_name`, is among its
alternative names. What is wrong with it is told by Unreachable.

**Threads and processes.** A Client may be shared by threads; their calls go one after another. After a
fork the child connects for itself.
"""
from __future__ import annotations

import http.client
import io
import keyword
import os
import re
import select
import socket
import ssl
import stat
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import msgpack  # type: ignore[import]

__version__ = "0.1.0"
__all__ = [
    "Client", "JumelageError", "BadFrame", "UnknownMethod", "InvalidParams", "Unauthenticated",
    "Forbidden", "NotFound", "Conflict", "TooLarge", "Busy", "DeadlinePassed", "Draining",
    "StorageFull", "Internal", "Cancelled", "ReadOnly", "TimedOut", "Lost", "Unreachable",
    "BadAnswer", "BadOption", "Closed", "Misuse", "Match", "Matches", "Explanation", "ProfilePage",
    "Stored",
]

_PROTOCOL = 1
_FRAME_ITEMS_MAX = 4_000_000  # values in one answer; about 70 bytes each at worst
_NESTING_MAX = 32
_IN_FLIGHT = 1024  # where the greeting does not tell
_READ_BYTES = 256 * 1024
_DEADLINE_GRACE_S = 1.0


class JumelageError(Exception):
    """A failure: `code` and `name` as in the reference's table of errors, a sentence, where, and more.

    Codes below 0 are this client's own.
    """

    code = 0
    name = "error"

    def __init__(self, message: str, *, field: str = "",
                 details: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.details: Mapping[str, Any] = details if details is not None else {}

    def __str__(self) -> str:
        where = f" ({self.field})" if self.field else ""
        return f"{self.message}{where}"


class BadFrame(JumelageError):
    code, name = 1, "bad_frame"


class UnknownMethod(JumelageError):
    """There is no such method; `details["close"]` names the nearest."""
    code, name = 2, "unknown_method"


class InvalidParams(JumelageError):
    """A parameter has another type, is out of range, unknown or missing; `field` says which."""
    code, name = 3, "invalid_params"


class Unauthenticated(JumelageError):
    """A token is needed, or the one shown does not hold."""
    code, name = 4, "unauthenticated"


class Forbidden(JumelageError):
    code, name = 5, "forbidden"


class NotFound(JumelageError):
    code, name = 6, "not_found"


class Conflict(JumelageError):
    code, name = 7, "conflict"


class TooLarge(JumelageError):
    code, name = 8, "too_large"


class Busy(JumelageError):
    """A limit is reached; `retry_ms` says when to come again."""
    code, name = 9, "busy"

    @property
    def retry_ms(self) -> int:
        return int(self.details.get("retry_ms", 1000))


class DeadlinePassed(JumelageError):
    code, name = 10, "deadline"


class Draining(JumelageError):
    code, name = 11, "draining"


class StorageFull(JumelageError):
    code, name = 12, "storage_full"


class Internal(JumelageError):
    code, name = 13, "internal"


class Cancelled(JumelageError):
    code, name = 14, "cancelled"


class ReadOnly(JumelageError):
    code, name = 15, "read_only"


class TimedOut(JumelageError):
    """No answer within the time allowed. A write may have been carried out."""
    code, name = -1, "timeout"


class Lost(JumelageError):
    """The connection ended before the answer. A write may have been carried out."""
    code, name = -2, "lost"


class Unreachable(JumelageError):
    """No connection could be made. Nothing was asked."""
    code, name = -3, "unreachable"


class BadAnswer(JumelageError):
    """What came is no answer of this protocol. A write may have been carried out."""
    code, name = -4, "bad_answer"


class BadOption(JumelageError, ValueError):
    """An option or argument is wrong; `field` says which. Nothing was asked."""
    code, name = -6, "bad_option"


class Closed(JumelageError):
    """Another thread closed the client while the call was under way."""
    code, name = -7, "closed"


class Misuse(JumelageError):
    """A call from inside `on_notification`."""
    code, name = -8, "misuse"


_BY_CODE = {
    kind.code: kind
    for kind in (BadFrame, UnknownMethod, InvalidParams, Unauthenticated, Forbidden, NotFound,
                 Conflict, TooLarge, Busy, DeadlinePassed, Draining, StorageFull, Internal,
                 Cancelled, ReadOnly)
}


def _error_of(value: Any) -> JumelageError:
    """The protocol's error map as an exception; an unknown code keeps its number and name."""
    if not isinstance(value, dict) or not isinstance(value.get("message"), str):
        return BadAnswer(f"an error is {type(value).__name__}, not a map with a message")
    code, name, details = value.get("code"), value.get("name"), value.get("details")
    if type(code) is not int or code <= 0 or not isinstance(name, str):
        return BadAnswer("an error is without a code above 0 and a name")
    kind = _BY_CODE.get(code, JumelageError)
    error = kind(value["message"], field=str(value.get("field", "")),
                 details=details if isinstance(details, dict) else None)
    if kind is JumelageError:
        error.code, error.name = code, name
    return error


# ---- what the common methods answer ----


@dataclass(frozen=True)
class Match:
    """A counterpart. Scores in basis points, 0 to 10000; a view is None where nobody was asked."""
    id: str
    score: int
    name: str = ""
    from_view: Optional[int] = None
    to_view: Optional[int] = None
    coverage: Optional[int] = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Matches:
    """Best first. `why` names the rule if the profile itself may not be matched."""
    matches: Sequence[Match]
    considered: int
    eligible: int
    why: Any = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Explanation:
    """Why a pair scores what it scores; `raw` holds everything, want by want."""
    score: Optional[int]
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class ProfilePage:
    profiles: Sequence[Mapping[str, Any]]
    total: int
    next: Optional[str]


@dataclass(frozen=True)
class Stored:
    id: str
    version: int
    seq: int
    created: bool


# Asked again after a lost connection, since asking twice changes nothing.
_READS = frozenset({
    "backup.list", "journal.list", "journal.verify", "match.each", "match.explain", "match.top", "match.whatif",
    "outcome.list", "profile.duplicates", "profile.get", "profile.history", "profile.list", "profile.schema",
    "programme.check", "programme.get", "programme.list", "system.hello", "system.methods",
    "system.ping", "system.stats", "token.list",
})


def _read_token_file(path: str) -> str:
    """The token in a file that nobody else may read."""
    try:
        with open(path, encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise BadOption(f"others may read {path}; set its mode to 0600", field="token_file")
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise BadOption(f"cannot read {path}: {problem}", field="token_file") from problem


_HTTP = re.compile(r"(https?):(?://)?(\[[^\]/?#@\s]+\]|[^:/?#@\[\]\s]+)(?::([0-9]{1,5}))?/?")


def _parse_address(address: str) -> Tuple[str, str, int]:
    """`unix`, path and -1; or `tcp`, `tls`, `http` or `https`, host and port."""
    kind, _, rest = address.partition(":")
    url = _HTTP.fullmatch(address)
    if url and int(url[3] or 1) in range(1, 65536) and address.isascii():
        return url[1], url[2].strip("[]"), int(url[3] or (443 if url[1] == "https" else 80))
    host, _, port = rest.rpartition(":")
    if kind == "unix" and rest:
        return kind, rest, -1
    if kind in ("tcp", "tls") and host and port.isdecimal() and int(port) < 65536:
        return kind, host.strip("[]"), int(port)
    raise BadOption(f'"{address}" is no address; it is unix:PATH, tcp:HOST:PORT, tls:HOST:PORT, '
                    "http://HOST:PORT or https://HOST:PORT", field="address")


def _connect(address: str, timeout_s: float) -> socket.socket:
    kind, place, port = _parse_address(address)
    try:
        if kind == "unix":
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(timeout_s)
                connection.connect(place)
            except OSError:
                connection.close()
                raise
        else:
            connection = socket.create_connection((place, port), timeout_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    except OSError as problem:
        raise Unreachable(f"{address}: {problem.strerror or problem}") from problem


# ---- TLS ----

_FOREIGN = ("is of an issuer that is not trusted here; name the file of its authority", "ca_file")
_OTHER = ("is for another name; say a name that it bears", "server_name")
_CERTIFICATE_FAULTS = {  # by OpenSSL's verdict: a sentence's end, and the option that may help
    2: _FOREIGN, 20: _FOREIGN, 19: _FOREIGN, 21: _FOREIGN,
    18: ("is signed by itself alone and not trusted here; if it is the right one, name its file",
         "ca_file"),
    9: ("is not valid yet; see that this machine's clock is right", ""),
    10: ("has expired; have it renewed where the service is, and see that this machine's clock is "
         "right", ""),
    62: _OTHER, 64: _OTHER,
}


def _trust(ca_file: Optional[str]) -> ssl.SSLContext:
    """Whom to believe; its preset is to check certificate and name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    if ca_file is None:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError as problem:
        raise BadOption(f'the file of authorities "{ca_file}" holds no certificate in the form PEM',
                        field="ca_file") from problem
    except OSError as problem:
        raise BadOption(f'the file of authorities "{ca_file}" cannot be read: {problem.strerror}',
                        field="ca_file") from problem
    return context


def _handshake_fault(address: str, name: str, problem: OSError) -> Unreachable:
    """What a failed handshake tells of the service."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        what, where = _CERTIFICATE_FAULTS.get(
            problem.verify_code, (f"does not hold: {problem.verify_message}", ""))
        return Unreachable(f'the certificate that {address} shows for "{name}" {what}', field=where)
    reason = getattr(problem, "reason", None)
    if reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG"):
        return Unreachable(f"what listens at {address} does not speak TLS; if it is the service's "
                           "plain port, the address begins with "
                           + ("http://" if address.startswith("https:") else "tcp:"), field="address")
    if reason in ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"):
        return Unreachable(f"{address} speaks no version of TLS from 1.2 on; nothing older is safe")
    if isinstance(problem, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Unreachable(f"the TLS handshake was broken off by {address}")
    if isinstance(problem, socket.timeout):
        return Unreachable(f"no TLS handshake within timeout_s with {address}")
    return Unreachable(f"the TLS handshake with {address} failed: {reason or problem.strerror}")


def _secure(connection: socket.socket, context: ssl.SSLContext, address: str, name: str,
            timeout_s: float) -> ssl.SSLSocket:
    """The connection in TLS; closed where that fails."""
    try:
        connection.settimeout(max(timeout_s, 0.001))
        return context.wrap_socket(connection, server_hostname=name.partition("%")[0])
    except OSError as problem:
        connection.close()
        raise _handshake_fault(address, name, problem) from problem
    except ValueError as problem:  # no name that TLS could ask for
        connection.close()
        raise BadOption(f'"{name}" is no name of a host: {problem}', field="server_name") from problem


# ---- frames ----


def _heads() -> List[Optional[Tuple[int, int, int]]]:
    """By first byte: bytes of a length that follows, bytes of the body (the length is added to it),
    children (the length times them, if there is one). None: a byte that msgpack does not have."""
    heads: List[Optional[Tuple[int, int, int]]] = [(0, 0, 0)] * 256
    for n in range(16):
        heads[0x80 + n] = (0, 0, 2 * n)  # map
        heads[0x90 + n] = (0, 0, n)      # array
    for n in range(32):
        heads[0xA0 + n] = (0, n, 0)      # str
    for first, bodies in ((0xCA, (4, 8)), (0xCC, (1, 2, 4, 8)), (0xD0, (1, 2, 4, 8)),
                          (0xD4, (2, 3, 5, 9, 17))):  # floats, uints, ints, ext of a fixed size
        for i, body in enumerate(bodies):
            heads[first + i] = (0, body, 0)
    for first, body in ((0xC4, 0), (0xC7, 1), (0xD9, 0)):  # bin, ext with its type, str
        for i in range(3):
            heads[first + i] = (1 << i, body, 0)
    for first, each in ((0xDC, 1), (0xDE, 2)):  # array, map
        for i in range(2):
            heads[first + i] = (2 << i, 0, each)
    heads[0xC1] = None
    return heads


_HEADS = _heads()


class _Scan:
    """Where does the next msgpack value end? Looks at the heads alone and builds nothing, so that
    depth, values and length are within their bounds before msgpack allocates what the heads announce.

    Give it the same growing bytes again and again; it goes on where it stopped."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pos = 0
        self._items = 0
        self._left = [1]  # children still to come, by open container

    def end(self, data: bytearray) -> int:
        """Where the value ends; 0 if it is not whole yet. Raises BadAnswer."""
        pos, items, left, n = self._pos, self._items, self._left, len(data)
        while left and pos < n:
            head = _HEADS[data[pos]]
            if head is None:
                raise BadAnswer("what came is no msgpack: byte 0xc1")
            width, body, kids = head
            at = pos + 1
            if width:
                if at + width > n:
                    break
                length = int.from_bytes(data[at:at + width], "big")
                at += width
                if kids:
                    kids *= length
                else:
                    body += length
            items += 1
            pos = at + body
            if items + kids > _FRAME_ITEMS_MAX:
                raise BadAnswer(f"an answer has more than {_FRAME_ITEMS_MAX} values; ask for less")
            if pos + kids > self._max_bytes:
                raise BadAnswer(f"an answer has more than {self._max_bytes} bytes; ask for less")
            left[-1] -= 1
            if kids:
                left.append(kids)
                if len(left) > _NESTING_MAX + 1:
                    raise BadAnswer(f"an answer is nested more than {_NESTING_MAX} deep")
            while left and left[-1] == 0:
                left.pop()
        self._pos, self._items = pos, items
        return pos if not left and pos <= n else 0


def _decode(frame: bytes) -> Any:
    try:
        return msgpack.unpackb(frame, raw=False, strict_map_key=False)
    except (ValueError, TypeError, msgpack.UnpackException) as problem:
        raise BadAnswer(f"an answer cannot be read: {problem}") from problem


def _encode(value: Any) -> bytes:
    try:
        return bytes(msgpack.packb(value))
    except (ValueError, TypeError, OverflowError) as problem:
        raise BadOption(f"a parameter cannot be sent: {problem}", field="params") from problem


_LISTEN_S = 60.0  # a watch looks about itself at least so often
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class _Wire:
    """One connection: requests out, answers and notifications in. Used by one thread at a time."""

    def __init__(self, connection: socket.socket, max_bytes: int,
                 notified: Callable[[str, List[Any]], None]) -> None:
        self.in_flight = _IN_FLIGHT
        self.is_closed = False  # by the owner, perhaps from another thread
        connection.setblocking(False)
        self._socket = connection
        self._pid = os.getpid()
        self._poll = select.poll()
        self._max_bytes = max_bytes
        self._notified = notified
        self._data = bytearray()
        self._scan = _Scan(max_bytes)
        self._msgid = 0

    def end(self) -> None:
        if isinstance(self._socket, ssl.SSLSocket) and self._pid == os.getpid():
            try:
                self._socket.unwrap()  # says goodbye, and waits for none
            except (OSError, ValueError):
                pass  # the other side has gone, or has not said its own yet
        self._socket.close()

    def interrupt(self) -> None:
        """Wakes a thread that waits for this connection."""
        self.is_closed = True
        try:
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # that of TLS would forget TLS
        except OSError:
            pass  # it has ended already

    def has_ended(self) -> bool:
        """Takes what came since the last call, without waiting: notifications, perhaps the end."""
        try:
            for frame in self._frames():  # behind the last call's answer
                self._take(frame, {}, [])
            while self._read():
                for frame in self._frames():
                    self._take(frame, {}, [])
        except (Lost, BadAnswer):
            return True
        return False

    def exchange(self, left: Dict[int, bytes], results: List[Any], timeout_s: float) -> None:
        """Asks all that is left, by its place, with no more under way than the service takes. A result
        or an error goes to its place in `results`, and is left no more. Reads while it writes: were
        both sides only writing, they would wait for each other for ever. `timeout_s` counts anew
        from each answer."""
        unasked = list(reversed(left.items()))
        places: Dict[int, int] = {}  # of what is under way, by id
        unsent = bytearray()
        deadline = time.monotonic() + timeout_s
        while left:
            while unasked and len(places) < self.in_flight:
                place, frame = unasked.pop()
                self._msgid = (self._msgid + 1) & 0xFFFFFFFF
                places[self._msgid] = place
                unsent += b"\x94\x00\xce" + struct.pack(">I", self._msgid) + frame
            self._move(unsent, deadline, timeout_s)
            for answer in self._frames():
                place = self._take(answer, places, results)
                if place >= 0:
                    del left[place]
                    deadline = time.monotonic() + timeout_s
                if not left:
                    break  # what follows is no part of these calls, whatever it is

    def post(self, frame: bytes, timeout_s: float) -> None:
        """Sends a notification."""
        unsent = bytearray(frame)
        deadline = time.monotonic() + timeout_s
        while unsent:
            self._move(unsent, deadline, timeout_s)
            for answer in self._frames():
                self._take(answer, {}, [])

    def listen(self, timeout_s: float, told: Sequence[Any]) -> None:
        """Waits for notifications, at most so long, and not where those that have come already are laid
        into `told`."""
        has_ended = self.has_ended()  # reads what came behind the last answer
        if told:
            return
        if has_ended:
            raise Lost("the service ended the connection")
        self._poll.register(self._socket, select.POLLIN)
        if self._poll.poll(int(timeout_s * 1000) + 1) and self.has_ended() and not told:
            if self.is_closed:
                raise Closed("the client was closed")
            raise Lost("the service ended the connection")

    def _move(self, unsent: bytearray, deadline: float, timeout_s: float) -> None:
        """Waits until bytes can go or come, and moves them."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"no answer within {timeout_s:g} s")
        self._poll.register(self._socket, select.POLLIN | (select.POLLOUT if unsent else 0))
        self._poll.poll(int(left * 1000) + 1)
        if self.is_closed:
            raise Closed("the client was closed")
        self._read()
        if unsent:
            try:
                del unsent[:self._socket.send(unsent)]
            except _NOT_NOW:
                pass
            except OSError:
                unsent.clear()  # why it ended is still to be read

    def _read(self) -> bool:
        """Reads what is there without waiting; False if nothing is."""
        try:
            data = self._socket.recv(_READ_BYTES)
        except _NOT_NOW:
            return False
        except OSError as problem:
            raise Lost(f"the connection ended: {problem.strerror or problem}") from problem
        if not data:
            if self.is_closed:
                raise Closed("the client was closed")
            raise Lost("the service ended the connection before it answered")
        self._data += data
        return True

    def _frames(self) -> Iterator[Any]:
        end = self._scan.end(self._data)
        while end:
            frame = bytes(self._data[:end])
            del self._data[:end]
            self._scan = _Scan(self._max_bytes)
            yield _decode(frame)
            end = self._scan.end(self._data)

    def _take(self, frame: Any, places: Dict[int, int], results: List[Any]) -> int:
        """The place of what is answered; -1 for a notification."""
        if isinstance(frame, list) and len(frame) == 3 and frame[0] == 2:
            _, method, params = frame
            if not isinstance(method, str) or not isinstance(params, list):
                raise BadAnswer("a notification is without method and parameters")
            if method == "system.error":  # the service's last word on this connection
                error = _error_of(params[0] if params else None)
                raise Lost(error.message, details={"error": error})
            self._notified(method, params)
            return -1
        if not isinstance(frame, list) or len(frame) != 4 or frame[0] != 1:
            raise BadAnswer("what came is neither an answer nor a notification")
        _, msgid, error, result = frame
        if type(msgid) is not int or msgid not in places:
            raise BadAnswer(f"an answer to {msgid!r:.40}, which was not asked or is answered")
        place = places.pop(msgid)
        results[place] = result if error is None else _error_of(error)
        return place


# ---- HTTP ----

_INTERIM_MAX = 8       # answers 1xx before the one that counts
_WORDS_MAX = 400       # bytes of a refusal's sentence that are told
_RETRY_S_MAX = 3600
_REFUSALS = {  # by status; what is said where the peer has no words of its own
    401: (Unauthenticated, "a token is needed, or the one shown does not hold"),
    413: (TooLarge, "the request is larger than it takes"),
    429: (Busy, "it is asked too often; come again later"),
    503: (Busy, "it takes no calls now; come again later"),
}


class _Stream(io.RawIOBase):
    """A connection as http.client wants it, with one deadline for all that is moved."""

    def __init__(self, connection: socket.socket, timeout_s: float) -> None:
        self._socket = connection
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self.has_ended = False

    def _prepare(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"no answer within {self._timeout_s:g} s")
        self._socket.settimeout(left)

    def sendall(self, data: bytes) -> None:
        self._prepare()
        try:
            self._socket.sendall(data)
        except socket.timeout:
            raise TimedOut(f"no answer within {self._timeout_s:g} s") from None

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        self._prepare()
        try:
            n = self._socket.recv_into(room)
        except socket.timeout:
            raise TimedOut(f"no answer within {self._timeout_s:g} s") from None
        self.has_ended = n == 0
        return n

    def makefile(self, *_: Any) -> "_Stream":
        return self

    def close(self) -> None:
        pass  # the connection is the wire's


class _Reader(io.BufferedReader):
    """What is left of an answer's bytes when http.client has done with its head stays readable."""

    def makefile(self, *_: Any) -> "_Reader":
        return self

    def close(self) -> None:
        pass


class _HttpWire:
    """Calls over HTTP, one at a time, as _Wire makes them. A connection is known by what each request says,
    so that one that ended between two of them is made again, and nobody greets."""

    def __init__(self, address: str, reach: Callable[[], socket.socket], max_bytes: int,
                 headers: Mapping[str, str]) -> None:
        self.in_flight = 1
        self.is_closed = False
        self._address = address
        self._reach = reach
        self._max_bytes = max_bytes
        self._headers = {**headers, "Content-Type": "application/msgpack",
                         "User-Agent": f"jumelage.py/{__version__}"}
        self._socket: Optional[socket.socket] = None
        self._pid = os.getpid()
        self._is_refused = False
        self._msgid = 0

    def end(self) -> None:
        if self._socket is not None:
            if isinstance(self._socket, ssl.SSLSocket) and self._pid == os.getpid():
                try:
                    self._socket.settimeout(0)
                    self._socket.unwrap()  # says goodbye, and waits for none
                except (OSError, ValueError):
                    pass
            self._socket.close()
        self._socket = None

    def interrupt(self) -> None:
        """Wakes a thread that waits for this connection."""
        self.is_closed = True
        connection = self._socket
        try:
            if connection is not None:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        except OSError:
            pass

    def has_ended(self) -> bool:
        """A connection that ended, or on which something came that nobody asked for, is given up. True
        where the next call had better greet: the token may be another now."""
        if self._socket is not None:
            try:
                self._socket.settimeout(0)
                self._socket.recv(1)
                self.end()
            except _NOT_NOW:
                pass
            except OSError:
                self.end()
        return self._is_refused

    def exchange(self, left: Dict[int, bytes], results: List[Any], timeout_s: float) -> None:
        """As _Wire.exchange. A refusal by a status is the answer to one call."""
        for place, frame in list(left.items()):
            self._msgid = (self._msgid + 1) & 0xFFFFFFFF
            body = b"\x94\x00\xce" + struct.pack(">I", self._msgid) + frame
            answer = self._turn(body, 200, timeout_s)
            if isinstance(answer, JumelageError):
                results[place] = answer
            else:
                results[place] = self._result(answer)
            del left[place]

    def post(self, frame: bytes, timeout_s: float) -> None:
        """Sends a notification."""
        answer = self._turn(frame, 204, timeout_s)
        if isinstance(answer, JumelageError):
            raise answer

    def _result(self, frame: Any) -> Any:
        if not isinstance(frame, list) or len(frame) != 4 or frame[0] != 1:
            raise BadAnswer("what came is no answer")
        _, msgid, error, result = frame
        if type(msgid) is not int or msgid != self._msgid:
            raise BadAnswer(f"an answer to {msgid!r:.40}, which was not asked or is answered")
        return result if error is None else _error_of(error)

    def _turn(self, body: bytes, good: int, timeout_s: float) -> Any:
        """One request and its answer: its frame, None for 204, or the error that a status means."""
        if self._socket is None:
            self._socket = self._reach()
            self._socket.setblocking(True)
        if self.is_closed:
            raise Closed("the client was closed")
        stream = _Stream(self._socket, timeout_s)
        try:
            self._send(stream, body)
            response = self._head(stream)
            answer = self._answer(response, good)
        except OSError as problem:
            raise self._lost(f"the connection ended: {problem.strerror or problem}") from problem
        if isinstance(answer, JumelageError):
            self._is_refused = True
            self.end()
        elif response.will_close:
            self.end()
        return answer

    def _lost(self, why: str) -> JumelageError:
        return Closed("the client was closed") if self.is_closed else Lost(why)

    def _send(self, stream: _Stream, body: bytes) -> None:
        request = http.client.HTTPConnection("unused")
        request.sock = stream
        try:
            request.request("POST", "/rpc", body, self._headers)
        except OSError:
            pass  # why it ended is still to be read

    def _head(self, stream: _Stream) -> http.client.HTTPResponse:
        """The head of the answer that counts, and nothing in it that could be read in two ways."""
        reader = _Reader(stream, _READ_BYTES)
        for _ in range(_INTERIM_MAX + 1):
            response = http.client.HTTPResponse(reader, method="POST")  # type: ignore[arg-type]
            try:
                response.begin()
            except http.client.RemoteDisconnected:
                raise self._lost("the service ended the connection before it answered") from None
            except http.client.BadStatusLine as problem:
                line = str(problem.args[0])
                if stream.has_ended and line[:5] == "HTTP/"[:len(line)]:
                    raise self._lost("the service ended the connection in an answer") from problem
                raise BadAnswer(f"what listens at {self._address} does not speak HTTP"
                                f"{self._hint(line)}", field="address") from problem
            except http.client.HTTPException as problem:
                raise self._bad(f"has no head of HTTP/1.1: {problem!r:.80}") from problem
            if stream.has_ended:  # before the empty line
                raise self._lost("the service ended the connection in an answer")
            if not 100 <= response.status < 200:
                return response
            if response.status == 101:
                raise self._bad("changes the protocol (101), which nobody asked for")
        raise self._bad(f"does not come behind {_INTERIM_MAX} of status 1xx")

    def _hint(self, line: str) -> str:
        if not self._address.startswith("https") and line[:1] == "\x15":  # an alert of TLS
            return "; it speaks TLS: begin the address with https://"
        if line[:1] and line[0] in "\x91\x92\x93\x94":  # an array of msgpack
            kind = "tls:" if self._address.startswith("https") else "tcp:"
            return f"; if it is the service's port of {kind}, begin the address with that"
        return ""

    def _bad(self, why: str) -> BadAnswer:
        return BadAnswer(f"{self._address} does not answer as a jumelage service: its answer {why}")

    def _length(self, response: http.client.HTTPResponse) -> int:
        """-1: none is told."""
        lengths = response.msg.get_all("content-length") or []
        if response.msg.defects:
            raise self._bad("has a header line that is none")
        if response.msg.get("transfer-encoding") is not None:
            raise self._bad("comes in a transfer coding (chunked), which is not taken here; a proxy in "
                            "between must pass Content-Length on")
        if response.msg.get("content-encoding", "identity").lower() != "identity":
            raise self._bad("is compressed, which nobody asked for")
        if len(lengths) > 1:
            raise self._bad("gives its Content-Length twice")
        if not all(re.fullmatch("[0-9]{1,18}", one) for one in lengths):
            raise self._bad("has a Content-Length that is no number of digits only")
        return int(lengths[0]) if lengths else -1

    def _answer(self, response: http.client.HTTPResponse, good: int) -> Any:
        media = response.msg.get("content-type", "").partition(";")[0].strip().lower()
        length = self._length(response)
        if response.status == good == 204:
            return None
        if response.status != good:
            is_told = media == "text/plain" and 0 <= length <= _WORDS_MAX
            words = self._body(response, length, None) if is_told else b""
            return self._refusal(response, words.decode("ascii", "replace").strip())
        if media != "application/msgpack":
            raise self._bad("has not the Content-Type application/msgpack; is /rpc there its own?")
        if length < 0:
            raise self._bad("has no Content-Length")
        if length > self._max_bytes:
            raise BadAnswer(f"an answer has more than {self._max_bytes} bytes; ask for less")
        return _decode(self._body(response, length, _Scan(self._max_bytes)))

    def _body(self, response: http.client.HTTPResponse, length: int,
              scan: Optional[_Scan]) -> bytes:
        """All of it; with a scan it is one frame, which is found out as it comes."""
        data = bytearray()
        while len(data) < length:
            piece = response.read1(min(_READ_BYTES, length - len(data)))
            if not piece:
                raise self._lost("the service ended the connection in an answer")
            data += piece
            if scan is not None and 0 < scan.end(data) < length:
                raise self._bad("has more in its body than one frame")
        if scan is not None and (length == 0 or scan.end(data) != length):
            raise self._bad("has less in its body than one frame")
        return bytes(data)

    def _refusal(self, response: http.client.HTTPResponse, words: str) -> JumelageError:
        said = f"{response.status} {response.reason}".strip()
        if response.status in _REFUSALS:
            kind, otherwise = _REFUSALS[response.status]
            retry = response.msg.get("retry-after", "")
            seconds = int(retry) if re.fullmatch("[0-9]{1,9}", retry) else 1
            details = {"retry_ms": min(seconds, _RETRY_S_MAX) * 1000} if kind is Busy else None
            return kind(words or f"{self._address} answers with {said}: {otherwise}", details=details)
        if 300 <= response.status < 400:
            location = response.msg.get("location")
            points = f" and points to {location:.200}" if location else ""
            return BadAnswer(f"{self._address} answers a call with {said}{points}; no redirection is "
                             "followed: give the address of the service itself", field="address")
        return BadAnswer(f"{self._address} answers a call with {said}"
                         + (f": {words}" if words else "; is it a jumelage service?"))


# ---- the client ----


class Client:
    """A connection to a service, made when it is first needed and again when it was lost.

    address          unix:PATH, tcp:HOST:PORT, tls:HOST:PORT, http://HOST:PORT or https://HOST:PORT
    token            shown after each connecting; or token_file, a file of mode 0600 that holds it
    language         "en" or "fr": sentences of matches and explanations from here on
    timeout_s        seconds that connecting, and an answer, may take
    client           name and version of the program, for the service's log
    max_frame_bytes  the largest answer that is accepted
    ca_file          with TLS: a PEM file of the authorities to trust instead of the system's; read once
    server_name      with TLS: what the certificate must bear, where the address has another name
    on_notification  called with (method, params) for what the service sends unasked, while a call
                     waits; it may not call, and what it raises ends the call and the connection
    """

    def __init__(self, address: str, *, token: Optional[str] = None,
                 token_file: Optional[str] = None, language: Optional[str] = None,
                 timeout_s: float = 30.0, client: str = f"jumelage.py {__version__}",
                 max_frame_bytes: int = 64 * 1024 * 1024, ca_file: Optional[str] = None,
                 server_name: Optional[str] = None,
                 on_notification: Optional[Callable[[str, List[Any]], None]] = None) -> None:
        kind, host, port = _parse_address(address)
        is_tls = kind in ("tls", "https")
        if not is_tls and (ca_file is not None or server_name is not None):
            where = "ca_file" if ca_file is not None else "server_name"
            raise BadOption(f'{where} is for TLS, which the address "{address}" does not ask for; give '
                            "tls:HOST:PORT or https://HOST:PORT, or leave it out", field=where)
        if token is not None and token_file is not None:
            raise BadOption("give token or token_file, not both", field="token_file")
        if not 0 < timeout_s < 1e6:
            raise BadOption(f"timeout_s is {timeout_s}; it is more than 0 and less than a million",
                            field="timeout_s")
        if not max_frame_bytes >= 1024:
            raise BadOption(f"max_frame_bytes is {max_frame_bytes}; it is at least 1024",
                            field="max_frame_bytes")
        self.address = address
        self.timeout_s = timeout_s
        self.hello: Mapping[str, Any] = {}  # what system.hello answered last: role, limits …
        self._greeting = _given(client=client, token=token, language=language)
        self._token_file = token_file
        self._context = _trust(ca_file) if is_tls else None
        self._authority = f"[{host.partition('%')[0]}]" if ":" in host else host
        if (kind, port) not in (("http", 80), ("https", 443)):
            self._authority += f":{port}"
        self._is_http = kind in ("http", "https")
        self._server_name = server_name if server_name is not None else host
        self._max_frame_bytes = max_frame_bytes
        self._on_notification = on_notification
        self._watches: Dict[int, List[Mapping[str, Any]]] = {}  # what was told of each, and not yet taken
        self._lock = threading.RLock()
        self._is_busy = False
        self._wire: Optional[Union[_Wire, _HttpWire]] = None
        self._pid = os.getpid()

    # ---- life ----

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; a call of another thread that waits raises Closed. A later call makes
        another connection."""
        wire = self._wire
        if wire is not None and self._pid == os.getpid():
            wire.interrupt()
        with self._lock:
            if self._wire is wire and not self._is_busy:
                self._drop()

    def connect(self) -> Mapping[str, Any]:
        """Connects and greets, if that is not done; what system.hello answered."""
        with self._turn():
            self._connected()
            return self.hello

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One call at a time. Whatever breaks off inside, the connection goes with it: an answer
        that comes too late must not be taken for the next call's."""
        if self._pid != os.getpid():  # a forked child: the connection is the parent's, the lock
            self._pid = os.getpid()   # perhaps held by a thread that is not here
            self._lock = threading.RLock()
            self._is_busy = False
            self._drop()
        with self._lock:
            if self._is_busy:
                raise Misuse("on_notification may not call; note what came and call later")
            self._is_busy = True
            try:
                yield
            except BadOption:
                raise  # told before anything was sent
            except BaseException:
                self._drop()
                raise
            finally:
                self._is_busy = False

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.end()
        self._wire = None

    def _connected(self) -> Union[_Wire, _HttpWire]:
        if self._wire is not None and (self._wire.is_closed or self._wire.has_ended()):
            self._drop()
        if self._wire is None:
            greeting = dict(self._greeting)
            if self._token_file is not None:
                greeting["token"] = _read_token_file(self._token_file)
            self._wire = (self._http_wire(greeting) if self._is_http else
                          _Wire(self._reach(), self._max_frame_bytes, self._notified))
            self._greet(self._wire, greeting)
        return self._wire

    def _http_wire(self, greeting: Dict[str, Any]) -> _HttpWire:
        """What a stream is told in the greeting is told with each request."""
        token, language = greeting.pop("token", None), greeting.pop("language", None)
        if token is not None and not re.fullmatch("[!-~]{1,200}", token):
            raise BadOption("give the token alone, as token.create showed it", field="token")
        if language not in (None, "en", "fr"):
            raise BadOption(f'the language is "{language}"; give en or fr', field="language")
        headers = {"Host": self._authority, "Authorization": f"Bearer {token}" if token else None,
                   "Accept-Language": language}
        return _HttpWire(self.address, self._reach, self._max_frame_bytes, _given(**headers))

    def _reach(self) -> socket.socket:
        begun = time.monotonic()
        connection = _connect(self.address, self.timeout_s)
        if self._context is None:
            return connection
        return _secure(connection, self._context, self.address, self._server_name,
                       begun + self.timeout_s - time.monotonic())

    def _greet(self, wire: Union[_Wire, _HttpWire], greeting: Mapping[str, Any]) -> None:
        try:
            results: List[Any] = [None]
            wire.exchange({0: _request("system.hello", greeting)}, results, self.timeout_s)
        except Lost as lost:  # nothing but the greeting was sent
            raise lost.details.get("error", Unreachable(f"{self.address}: {lost}")) from lost
        answer = results[0]
        if isinstance(answer, JumelageError):
            raise answer
        if not isinstance(answer, dict) or answer.get("protocol") != _PROTOCOL:
            raise BadAnswer(f"{self.address} does not greet as a service of protocol {_PROTOCOL}")
        self.hello = answer
        limits = answer.get("limits")
        in_flight = limits.get("in_flight") if isinstance(limits, dict) else None
        if type(in_flight) is int and in_flight > 0:
            wire.in_flight = in_flight

    def _notified(self, method: str, params: List[Any]) -> None:
        if method == "match.changed" and params and isinstance(params[0], dict):
            told = self._watches.get(params[0].get("watch", 0))
            if told is not None:
                told.append(params[0])
        if self._on_notification is not None:
            self._on_notification(method, params)

    # ---- calls ----

    def call(self, method: str, params: Optional[Mapping[str, Any]] = None, /,
             **named: Any) -> Any:
        """Calls a method and waits for its result. Raises JumelageError."""
        result = self.call_many([(method, _merge(params, named))])[0]
        if isinstance(result, JumelageError):
            raise result
        return result

    def call_many(self, calls: Iterable[Tuple[str, Optional[Mapping[str, Any]]]]) -> List[Any]:
        """Sends the calls without waiting in between, and returns results in their order; a failed
        one's place holds its JumelageError, which is not raised."""
        wanted = [(method, dict(params or {})) for method, params in calls]
        left = {place: _request(*one) for place, one in enumerate(wanted)}
        results: List[Any] = [None] * len(wanted)
        timeout_s = max((self._timeout_of(params) for _, params in wanted), default=self.timeout_s)
        with self._turn():
            problem = self._ask(left, results, timeout_s)
            if isinstance(problem, Lost):
                again = {place: left[place] for place in left if wanted[place][0] in _READS}
                still = self._ask(again, results, timeout_s)
                left = {place: frame for place, frame in left.items() if wanted[place][0] not in _READS}
                results = [still if place in again else one for place, one in enumerate(results)]
        return [problem if place in left else one for place, one in enumerate(results)]

    def _ask(self, left: Dict[int, bytes], results: List[Any],
             timeout_s: float) -> Optional[JumelageError]:
        """What kept those that are still left from being answered."""
        try:
            if left:
                self._connected().exchange(left, results, timeout_s)
            return None
        except (BadOption, Misuse):
            raise
        except JumelageError as problem:
            self._drop()
            return problem

    def notify(self, method: str, params: Optional[Mapping[str, Any]] = None, /,
               **named: Any) -> None:
        """Asks without wanting an answer; whether it was carried out is not told."""
        merged = _merge(params, named)
        frame = _encode([2, method, [merged] if merged else []])
        with self._turn():
            self._connected().post(frame, self.timeout_s)

    def iterate(self, method: str, params: Optional[Mapping[str, Any]] = None, /,
                **named: Any) -> Iterator[Any]:
        """The entries of a list, page by page. `limit` is the size of a page."""
        wanted = _merge(params, named)
        while True:
            page = self.call(method, wanted)
            entries = [value for value in page.values() if isinstance(value, list)]
            if len(entries) != 1:
                raise BadOption(f"{method} gives no list that comes in pages", field="method")
            yield from entries[0]
            if "next" not in page:
                return
            wanted["after"] = page["next"]

    def watch(self, programme: str, /, *, timeout_s: Optional[float] = None,
              **named: Any) -> Iterator[Mapping[str, Any]]:
        """Standing matches: what match.watch answers, then each `match.changed` as it comes, for ever;
        with `timeout_s` until nothing has come for so long. Keywords as of match.watch: pairing, side,
        id, k, min_score, snapshot.

        Where a notification has `missed`, or the connection was lost and is made again (then
        {"lost": True, "complete": False} comes, and the answer of another match.watch), lists that were
        kept by what was told are to be asked for anew. Ends with one that has `ended`. Leaving the
        loop and closing the iterator ends the watch. Other calls may be made in between, by one thread."""
        wanted = _merge({"programme": programme}, named)
        number = 0
        try:
            while True:
                answer = self.call("match.watch", wanted)
                wire, number = self._wire, answer["watch"]
                told = self._watches.setdefault(number, [])
                yield answer
                try:
                    yield from self._told(wire, told, timeout_s)
                    return
                except Lost:
                    self._watches.pop(number, None)
                    number = 0
                    yield {"lost": True, "complete": False}
        finally:
            if number and self._watches.pop(number, None) is not None and self._wire is not None:
                self._unwatch(number)

    def _unwatch(self, number: int) -> None:
        try:
            self.call("match.unwatch", watch=number)
        except (NotFound, Lost, Unreachable, Closed):
            pass  # it has ended by itself

    def _told(self, wire: Optional["_Wire"], told: List[Mapping[str, Any]],
              timeout_s: Optional[float]) -> Iterator[Mapping[str, Any]]:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            while told:
                news = told.pop(0)
                yield news
                if news.get("ended"):
                    return
                deadline = None if timeout_s is None else time.monotonic() + timeout_s
            left = _LISTEN_S if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return
            if wire is None or self._wire is not wire:  # another call found it lost, and made another
                raise Lost("the connection was lost")
            with self._turn():
                wire.listen(min(left, _LISTEN_S), told)

    def _timeout_of(self, params: Mapping[str, Any]) -> float:
        deadline_ms = params.get("deadline_ms")
        if not isinstance(deadline_ms, (int, float)) or not 0 < deadline_ms < 1e9:
            return self.timeout_s
        return max(self.timeout_s, deadline_ms / 1000 + _DEADLINE_GRACE_S)

    # ---- the common methods ----

    def ping(self) -> str:
        return str(self.call("system.ping"))

    def get_profile(self, id: str, version: Optional[int] = None) -> Dict[str, Any]:
        return dict(self.call("profile.get", {"id": id, **_given(version=version)}))

    def put_profile(self, profile: Mapping[str, Any],
                    if_version: Optional[int] = None) -> Stored:
        return _stored(self.call("profile.put",
                                 {"profile": dict(profile), **_given(if_version=if_version)}))

    def patch_profile(self, id: str, changes: Mapping[str, Any],
                      if_version: Optional[int] = None) -> Stored:
        return _stored(self.call("profile.patch", {"id": id, "changes": dict(changes),
                                                   **_given(if_version=if_version)}))

    def delete_profile(self, id: str, if_version: Optional[int] = None, *,
                       erase: bool = False) -> int:
        """The number of the change in the journal. With erase (admin) all that was ever stored of the
        profile goes, also of one that was deleted before; nothing brings it back."""
        return int(self.call("profile.delete", {"id": id, **_given(
            if_version=if_version, erase=True if erase else None)})["seq"])

    def list_profiles(self, **filters: Any) -> ProfilePage:
        page = self.call("profile.list", filters)
        return ProfilePage(page["profiles"], page["total"], page.get("next"))

    def top(self, programme: str, id: str, **more: Any) -> Matches:
        """The best counterparts of a profile: pairing, side, k, min_score, explain, day, lang."""
        answer = self.call("match.top", {"programme": programme, "id": id, **more})
        return Matches([_match(one) for one in answer["matches"]], answer["considered"],
                       answer["eligible"], answer.get("why"), answer)

    def explain(self, programme: str, from_: str, to: str, **more: Any) -> Explanation:
        answer = self.call("match.explain",
                           {"programme": programme, "from": from_, "to": to, **more})
        return Explanation(answer.get("score"), answer)

    def get_programme(self, id: str, version: Optional[int] = None) -> Dict[str, Any]:
        return dict(self.call("programme.get", {"id": id, **_given(version=version)}))

    def put_programme(self, programme: Mapping[str, Any],
                      if_version: Optional[int] = None) -> Dict[str, Any]:
        return dict(self.call("programme.put", {"programme": dict(programme),
                                                **_given(if_version=if_version)}))

    def put_outcome(self, from_: str, to: str, kind: str, at: str, **more: Any) -> int:
        """The number of the change in the journal."""
        return int(self.call("outcome.put", {"from": from_, "to": to, "kind": kind, "at": at,
                                             **more})["seq"])


def _request(method: str, params: Mapping[str, Any]) -> bytes:
    """What follows the id in a request's frame."""
    if not isinstance(method, str) or not method:
        raise BadOption(f"{method!r} is no name of a method", field="method")
    return _encode(method) + _encode([params] if params else [])


def _merge(params: Optional[Mapping[str, Any]], named: Mapping[str, Any]) -> Dict[str, Any]:
    plain = {key[:-1] if key.endswith("_") and keyword.iskeyword(key[:-1]) else key: value
             for key, value in named.items()}
    return {**(params or {}), **plain}


def _given(**named: Any) -> Dict[str, Any]:
    return {key: value for key, value in named.items() if value is not None}


def _stored(answer: Mapping[str, Any]) -> Stored:
    return Stored(answer["id"], answer["version"], answer["seq"], answer["created"])


def _match(one: Mapping[str, Any]) -> Match:
    return Match(one["id"], one["score"], one.get("name", ""), one.get("from_view"),
                 one.get("to_view"), one.get("coverage"), one)
