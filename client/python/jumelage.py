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

Errors of the service are raised as JumelageError or the subclass of their name (NotFound, Conflict …);
what fails on the way is Unreachable, TimedOut, Lost or BadAnswer. After a failure on the way the next
call connects again and shows the token again. A read that was lost on the way is asked once more; a
write is not, because it may have been carried out: Lost says so.

A Client may be shared by threads; their calls go one after another.
"""
from __future__ import annotations

import os
import socket
import stat
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

import msgpack  # type: ignore[import]

__version__ = "0.1.0"
__all__ = [
    "Client", "JumelageError", "BadFrame", "UnknownMethod", "InvalidParams", "Unauthenticated",
    "Forbidden", "NotFound", "Conflict", "TooLarge", "Busy", "DeadlinePassed", "Draining",
    "StorageFull", "Internal", "Cancelled", "ReadOnly", "Unreachable", "TimedOut", "Lost",
    "BadAnswer", "Match", "Matches", "Explanation", "ProfilePage", "Stored",
]

FRAME_BYTES_MAX = 64 * 1024 * 1024  # the largest answer that is accepted
_READ_BYTES = 256 * 1024


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


class Unreachable(JumelageError):
    """Nobody answers at the address. Nothing was asked."""
    code, name = -1, "unreachable"


class TimedOut(JumelageError):
    """No answer within the time allowed. A write may have been carried out."""
    code, name = -2, "timed_out"


class Lost(JumelageError):
    """The connection ended before the answer. A write may have been carried out."""
    code, name = -3, "lost"


class BadAnswer(JumelageError):
    """What came is no answer of this protocol."""
    code, name = -4, "bad_answer"


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
    kind = _BY_CODE.get(value.get("code"), JumelageError)
    error = kind(value["message"], field=value.get("field", ""), details=value.get("details"))
    if kind is JumelageError:
        error.code = value.get("code", 0)
        error.name = value.get("name", "error")
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
    "backup.list", "journal.list", "journal.verify", "match.explain", "match.top", "match.whatif",
    "outcome.list", "profile.duplicates", "profile.get", "profile.history", "profile.list", "profile.schema",
    "programme.check", "programme.get", "programme.list", "system.hello", "system.methods",
    "system.ping", "system.stats", "token.list",
})


def _read_token_file(path: str) -> str:
    """The token in a file that nobody else may read."""
    with open(path, encoding="utf-8") as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise Unauthenticated(f"others may read {path}; set its mode to 0600")
        return file.read().strip()


def _connect(address: str, timeout_s: float) -> socket.socket:
    kind, _, rest = address.partition(":")
    try:
        if kind == "unix" and rest:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(timeout_s)
                connection.connect(rest)
            except OSError:
                connection.close()
                raise
            return connection
        host, _, port = rest.rpartition(":")
        if kind == "tcp" and host and port.isdigit():
            connection = socket.create_connection((host.strip("[]"), int(port)), timeout_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    except OSError as problem:
        raise Unreachable(f"{address}: {problem.strerror or problem}") from problem
    raise ValueError(f'"{address}" is no address; it is unix:PATH or tcp:HOST:PORT')


class Client:
    """A connection to a service, made when it is first needed and again when it was lost.

    address      unix:PATH or tcp:HOST:PORT
    token        shown after each connecting; or token_file, a file of mode 0600 that holds it
    language     "en" or "fr": sentences of matches and explanations from here on
    timeout_s    seconds that connecting, and an answer, may take
    on_notification  called with (method, params) for what the service sends unasked
    """

    def __init__(self, address: str, *, token: Optional[str] = None,
                 token_file: Optional[str] = None, language: Optional[str] = None,
                 timeout_s: float = 30.0, client: str = f"jumelage.py {__version__}",
                 on_notification: Optional[Callable[[str, List[Any]], None]] = None) -> None:
        if token is not None and token_file is not None:
            raise ValueError("give token or token_file, not both")
        if timeout_s <= 0:
            raise ValueError(f"timeout_s is {timeout_s}; it must be more than 0")
        self.address = address
        self.timeout_s = timeout_s
        self.hello_answer: Mapping[str, Any] = {}
        self._token = token
        self._token_file = token_file
        self._language = language
        self._client = client
        self._on_notification = on_notification
        self._lock = threading.RLock()
        self._socket: Optional[socket.socket] = None
        self._unpacker: Any = None
        self._msgid = 0

    # ---- life ----

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; a later call makes another."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = None

    def connect(self) -> Mapping[str, Any]:
        """Connects and greets, if that is not done; what system.hello answered."""
        with self._lock:
            if self._socket is None:
                self._socket = _connect(self.address, self.timeout_s)
                self._unpacker = msgpack.Unpacker(raw=False, strict_map_key=False,
                                                  max_buffer_size=FRAME_BYTES_MAX)
                self._greet()
            return self.hello_answer

    def _greet(self) -> None:
        params: Dict[str, Any] = {"client": self._client}
        token = _read_token_file(self._token_file) if self._token_file else self._token
        if token is not None:
            params["token"] = token
        if self._language is not None:
            params["language"] = self._language
        try:
            answer = self._exchange([("system.hello", params)])[0]
            if isinstance(answer, JumelageError):
                raise answer
        except JumelageError:
            self.close()
            raise
        self.hello_answer = answer

    # ---- calls ----

    def call(self, method: str, params: Optional[Mapping[str, Any]] = None, /,
             **named: Any) -> Any:
        """Calls a method and waits for its result. Raises JumelageError."""
        result = self.call_many([(method, _merge(params, named))])[0]
        if isinstance(result, JumelageError):
            raise result
        return result

    def call_many(self, calls: Iterable[Tuple[str, Optional[Mapping[str, Any]]]]) -> List[Any]:
        """Sends all calls at once, and returns results in their order; a failed one's place holds its
        JumelageError, not raised. Raises only for what fails on the way."""
        wanted = [(method, dict(params or {})) for method, params in calls]
        with self._lock:
            for attempt in (1, 2):
                self.connect()
                try:
                    return self._exchange(wanted)
                except Lost:
                    self.close()
                    if attempt == 2 or any(method not in _READS for method, _ in wanted):
                        raise
                except JumelageError:
                    self.close()
                    raise
        raise AssertionError("unreachable")

    def notify(self, method: str, params: Optional[Mapping[str, Any]] = None, /,
               **named: Any) -> None:
        """Asks without wanting an answer; whether it was carried out is not told."""
        with self._lock:
            self.connect()
            self._send(msgpack.packb([2, method, [_merge(params, named)]]))

    def iterate(self, method: str, params: Optional[Mapping[str, Any]] = None, /,
                **named: Any) -> Iterator[Any]:
        """The entries of a list, page by page. `limit` is the size of a page."""
        wanted = _merge(params, named)
        while True:
            page = self.call(method, wanted)
            entries = next((value for value in page.values() if isinstance(value, list)), [])
            yield from entries
            if "next" not in page:
                return
            wanted["after"] = page["next"]

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

    def delete_profile(self, id: str, if_version: Optional[int] = None) -> int:
        """The number of the change in the journal."""
        return int(self.call("profile.delete", {"id": id, **_given(if_version=if_version)})["seq"])

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

    # ---- the wire ----

    def _exchange(self, calls: Sequence[Tuple[str, Mapping[str, Any]]]) -> List[Any]:
        places: Dict[int, int] = {}
        request = bytearray()
        for place, (method, params) in enumerate(calls):
            self._msgid = (self._msgid + 1) & 0xFFFFFFFF
            places[self._msgid] = place
            request += msgpack.packb([0, self._msgid, method, [params] if params else []])
        results: List[Any] = [None] * len(calls)
        self._send(request, places, results)
        deadline = time.monotonic() + self.timeout_s
        while places:
            self._take(self._next_frame(deadline), places, results)
        return results

    def _send(self, data: bytes, places: Optional[Dict[int, int]] = None,
              results: Optional[List[Any]] = None) -> None:
        """Writes all; answers that come meanwhile are taken, so that neither side waits for ever."""
        assert self._socket is not None
        deadline = time.monotonic() + self.timeout_s
        view = memoryview(data)
        while len(view) > 0:
            self._allow(deadline)
            try:
                self._socket.setblocking(False)
                try:
                    view = view[self._socket.send(view):]
                    continue
                except BlockingIOError:
                    pass
                if places is not None and results is not None and self._feed():
                    for frame in self._frames():
                        self._take(frame, places, results)
                    continue
                self._wait_writable(deadline)
            except socket.timeout:
                raise TimedOut(f"the service took nothing for {self.timeout_s} s") from None
            except OSError as problem:
                raise Lost(f"the connection ended: {problem.strerror or problem}") from problem

    def _wait_writable(self, deadline: float) -> None:
        import select
        assert self._socket is not None
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | select.POLLOUT)
        if not poll.poll(max(1, int((deadline - time.monotonic()) * 1000))):
            raise socket.timeout()

    def _feed(self) -> bool:
        """Reads what is there without waiting; False if nothing is."""
        assert self._socket is not None
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            raise Lost("the service ended the connection before it answered")
        self._give(data)
        return True

    def _give(self, data: bytes) -> None:
        try:
            self._unpacker.feed(data)
        except ValueError as problem:
            raise BadAnswer(f"an answer is larger than {FRAME_BYTES_MAX} bytes") from problem

    def _frames(self) -> Iterator[Any]:
        while True:
            try:
                yield self._unpacker.unpack()
            except msgpack.OutOfData:
                return
            except (ValueError, RecursionError, msgpack.UnpackException) as problem:
                raise BadAnswer(f"what came is no msgpack: {problem}") from problem

    def _next_frame(self, deadline: float) -> Any:
        assert self._socket is not None
        while True:
            for frame in self._frames():
                return frame
            try:
                self._socket.settimeout(self._allow(deadline))
                data = self._socket.recv(_READ_BYTES)
            except socket.timeout:
                raise TimedOut(f"no answer within {self.timeout_s} s") from None
            except OSError as problem:
                raise Lost(f"the connection ended: {problem.strerror or problem}") from problem
            if not data:
                raise Lost("the service ended the connection before it answered")
            self._give(data)

    def _allow(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"no answer within {self.timeout_s} s")
        return left

    def _take(self, frame: Any, places: Dict[int, int], results: List[Any]) -> None:
        if isinstance(frame, list) and len(frame) == 3 and frame[0] == 2:
            self._notified(frame[1], frame[2])
            return
        if not isinstance(frame, list) or len(frame) != 4 or frame[0] != 1:
            raise BadAnswer("what came is neither an answer nor a notification")
        if frame[1] not in places:
            raise BadAnswer(f"an answer to {frame[1]!r}, which was not asked or is answered")
        results[places.pop(frame[1])] = frame[3] if frame[2] is None else _error_of(frame[2])

    def _notified(self, method: Any, params: Any) -> None:
        if method == "system.error":
            raise _error_of(params[0] if isinstance(params, list) and params else None)
        if self._on_notification is not None:
            self._on_notification(method, params)


def _merge(params: Optional[Mapping[str, Any]], named: Mapping[str, Any]) -> Dict[str, Any]:
    return {**(params or {}), **{key.rstrip("_"): value for key, value in named.items()}}


def _given(**named: Any) -> Dict[str, Any]:
    return {key: value for key, value in named.items() if value is not None}


def _stored(answer: Mapping[str, Any]) -> Stored:
    return Stored(answer["id"], answer["version"], answer["seq"], answer["created"])


def _match(one: Mapping[str, Any]) -> Match:
    return Match(one["id"], one["score"], one.get("name", ""), one.get("from_view"),
                 one.get("to_view"), one.get("coverage"), one)
