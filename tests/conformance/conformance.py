#!/usr/bin/python3
"""Holds a client to what every client must do, whatever its language.

    conformance.py DRIVER… [--tls | --http] [-k WORD]  DRIVER is the command that starts the driver of one
                                                       language; with -k only the cases whose name holds WORD

With --tls the client speaks TLS wherever a case lets it connect: to the service itself at TCP, to a front
(front.py) before unix sockets and scripted peers; and cases about TLS alone run as well (`tls_case_`).
With --http it speaks HTTP to the service and to scripted peers, except in the cases of a stream alone
(OF_STREAMS); and those about HTTP run (`http_case_`).

JUMELAGE and JUMELAGED name the programs, JUMELAGE_SHARE the data. The same cases run for each client; a
driver is a small program on it that reads one command a line and writes one answer a line, as JSON:

    {"open": {"address": …, "token": …, "token_file": …, "language": …, "timeout_ms": …,
              "max_frame_bytes": …, "ca_file": …, "server_name": …}}      makes a client, connects and greets: its role
    {"call": {"method": …, "params": …}}  one call: its result
    {"pipeline": [{"method": …}, …]}      calls that don't wait for one another: their answers, in order
    {"erase": {"id": …, "if_version": …, "erase": …}}   profile.delete by the client's own word: its seq
    {"watch": {"programme": …, …}}        standing matches, as of match.watch: what it answers
    {"heard": true}                       what comes next of that watch; null where nothing will
    {"unwatch": true}                     ends it
    {"close": true}

    {"ok": result}    {"error": {"code", "name", "message", "field", "details"}}

What JSON lacks is marked: {"$bin": "00ff"} bytes, {"$int": "18446744073709551615"} a whole number (a driver
may mark any). Cases are the functions below whose name begins with `case_`; their name is a sentence that is
true.
"""
import base64
import json
import os
import re
import select
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import traceback

import msgpack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "replay"))
from fake import HELLO, RAW, http_answer  # noqa: E402
from fake import FakeService as PlainFakeService  # noqa: E402
from front import Certificates, Fronts  # noqa: E402
from service import DEADLINE_S, Failure, Peer  # noqa: E402
from service import Service as PlainService  # noqa: E402

OWN = {"timeout": -1, "lost": -2, "unreachable": -3, "bad_answer": -4, "no_memory": -5,
       "bad_option": -6, "closed": -7, "misuse": -8}
PING = {"method": "system.ping"}
WRITE = {"method": "profile.delete", "params": {"id": "demo-startup-009"}}
HEAVY = {"method": "match.top", "params": {
    "programme": "bilocation", "pairing": "hosting", "id": "demo-startup-001", "k": 40,
    "explain": True, "lang": "fr"}}


def check(is_so, what):
    if not is_so:
        raise Failure(what)


def equal(got, want, what):
    check(got == want, f"{what}\n    expected {want!r:.1500}\n    got      {got!r:.1500}")


def as_tool(value):
    """Bytes as the tool writes them in JSON."""
    if isinstance(value, dict):
        if set(value) == {"$bin"}:
            return base64.b64encode(bytes.fromhex(value["$bin"])).decode()
        return {key: as_tool(inner) for key, inner in value.items()}
    return [as_tool(inner) for inner in value] if isinstance(value, list) else value


def plain(value):
    """An answer of a driver, its marked whole numbers as numbers."""
    if isinstance(value, dict):
        if set(value) == {"$int"}:
            return int(value["$int"])
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


class Secure:
    """How what listens in plain text is reached in TLS; none of it without --tls."""

    def __init__(self):
        self.certificates = Certificates()
        self.fronts = Fronts(self.certificates.context("right"))
        self.own = {}  # services' addresses of TLS, by those of TCP

    def options(self, argument):
        """An `open` in plain text as one in TLS; one that is no good, or of TLS, as it is."""
        address = argument["address"]
        if not re.fullmatch(r"unix:.+|tcp:127\.0\.0\.1:\d+", address):
            return argument
        return {"ca_file": self.certificates.path("ca.pem"), **argument,
                "address": self.own.get(address) or self.fronts.address(address)}

    def stop(self):
        self.fronts.stop()
        self.certificates.stop()


SECURE = None  # made by main where it is asked for


class Http:
    """How a service is reached over HTTP; who would be its admin by the socket alone shows a token."""

    def __init__(self):
        self.own = {}  # by the address of a stream: that of HTTP, and a token
        self.certificates = Certificates()

    def options(self, argument):
        address, token = self.own.get(argument["address"], (argument["address"], None))
        if token is None or "token_file" in argument:
            return {**argument, "address": address}
        return {"token": token, **argument, "address": address}

    def stop(self):
        self.certificates.stop()


HTTP = None  # likewise


def FakeService(script, context=None, scheme=None):
    """Over HTTP with --http."""
    return PlainFakeService(script, context, scheme or ("http" if HTTP is not None else None))


class Service(PlainService):
    """With --tls or --http it listens there too."""

    def __init__(self, options):
        more = []
        if SECURE is not None:
            path = SECURE.certificates.path
            more = ["--listen", "tls:127.0.0.1:0", "--tls-cert", path("right.pem"), "--tls-key",
                    path("right.key")]
        if HTTP is not None:
            path = HTTP.certificates.path
            more = ["--listen", "http:127.0.0.1:0", "--listen", "https:127.0.0.1:0", "--tls-cert",
                    path("right.pem"), "--tls-key", path("right.key")]
        super().__init__([*options, *more])

    def start(self):
        token = os.path.join(self.dir.name, "token-of-http")
        if HTTP is not None and not os.path.exists(token):
            subprocess.run([os.environ["JUMELAGE"], "--data", self.store, "token", "create", "admin",
                            "of-http", "--out", token], check=True, stdout=subprocess.DEVNULL)
        super().start()
        self.reached = self.tcp  # where the client is, that asks for tcp
        if SECURE is not None:
            found = re.search(r"address=(tls:\S+)", self.tail())
            check(found, "the service does not listen in TLS")
            self.reached = SECURE.own[self.tcp] = found[1]
        if HTTP is not None:
            found = re.search(r"address=(http:(\S+))", self.tail())
            check(found, "the service does not listen in HTTP")
            self.options = [found[1] if one.startswith("http:") else one for one in self.options]
            self.reached = "http://" + found[2]
            self.https = re.search(r"address=https:(\S+)", self.tail())[1]
            HTTP.own[self.tcp] = (self.reached, None)
            with open(token, encoding="ascii") as file:
                HTTP.own[self.unix] = (self.reached, file.read().strip())


class Driver:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.data = b""

    def tell(self, verb, argument):
        way = SECURE or HTTP
        if verb == "open" and way is not None:
            argument = way.options(argument)
        line = json.dumps({verb: argument}).encode() + b"\n"
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failure("the driver has ended") from None

    def answer(self):
        deadline = time.monotonic() + 3 * DEADLINE_S
        pieces = [self.data]
        while b"\n" not in pieces[-1]:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, left))
            check(ready, "the driver did not answer in time")
            pieces.append(os.read(self.process.stdout.fileno(), 1 << 20))
            check(pieces[-1], "the driver has ended")
        line, _, self.data = b"".join(pieces).partition(b"\n")
        return plain(json.loads(line))

    def ask(self, verb, argument=True):
        self.tell(verb, argument)
        return self.answer()

    def open(self, address, **options):
        answer = self.ask("open", {"address": address, **options})
        check("ok" in answer, f"open {address}: {answer}")
        return answer["ok"]["role"]

    def call(self, method, params=None):
        """The result of a call that must succeed."""
        answer = self.ask("call", {"method": method, "params": params or {}})
        check("ok" in answer, f"{method}: {answer}")
        return answer["ok"]

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        check(status == 0, f"the driver ended with {status}")


def fails(answer, name):
    """The client's own error of this name and number."""
    check("error" in answer, f"expected {name}, got {answer!r:.300}")
    error = answer["error"]
    equal((error["code"], error["name"]), (OWN[name], name), f"error {error['message']!r}")
    check(error["message"], f"{name} without a sentence")


class Bench:
    """What a case works with: the driver, and one service for those that don't need their own."""

    def __init__(self, driver):
        self.driver = driver
        self._service = None

    @property
    def service(self):
        if self._service is None:
            self._service = Service([])
        return self._service

    def reader(self):
        service = self.service
        return service.tokens.get("reader") or service.make_token("reader", "reader")

    def refused(self, method, params, address=None, raw=None, name=None):
        """A call is refused, with exactly what the service says to a bare peer."""
        peer = raw or Peer(address or self.service.unix)
        peer.send(msgpack.packb([0, 7, method, [params]]))
        said = peer.next()[2]
        answer = self.driver.ask("call", {"method": method, "params": params})
        check("error" in answer, f"{method} was not refused: {answer!r:.300}")
        told = answer["error"]
        equal((told["code"], told["name"], told["message"], told["field"], told["details"]),
              (said["code"], said["name"], said["message"], said.get("field", ""),
               said.get("details", {})), f"{method} {params!r:.200}")
        equal(told["name"], name, f"{method} {params!r:.200}")
        return told

    def stop(self):
        if self._service is not None:
            self._service.stop()


# ---- who is there ----


def case_a_unix_peer_of_the_same_user_is_admin(t):
    equal(t.driver.open(t.service.unix), "admin", "role")
    equal(t.driver.call("system.ping"), "pong", "ping")


def case_a_token_gives_its_role_at_unix_and_tcp(t):
    for address in (t.service.unix, t.service.tcp):
        equal(t.driver.open(address, token=t.reader()), "reader", address)
        t.refused("profile.delete", {"id": "yc"}, raw=stranger_with(t, address, t.reader()),
                  name="forbidden")


def stranger_with(t, address, token):
    peer = Peer(address)
    peer.send(msgpack.packb([0, 1, "system.hello", [{"token": token}]]))
    check(peer.next()[2] is None, "the token does not hold")
    return peer


def case_a_token_file_must_be_private(t):
    path = os.path.join(t.service.dir.name, "token")
    with open(path, "w", encoding="ascii") as file:
        file.write(t.reader() + "\n")
    os.chmod(path, 0o600)
    equal(t.driver.open(t.service.tcp, token_file=path), "reader", "role")
    os.chmod(path, 0o644)
    fails(t.driver.ask("open", {"address": t.service.tcp, "token_file": path}), "bad_option")
    fails(t.driver.ask("open", {"address": t.service.tcp, "token_file": path + "-not"}),
          "bad_option")


def case_a_wrong_token_is_refused_at_once(t):
    wrong = t.reader()[:-4] + "AAAA"
    answer = t.driver.ask("open", {"address": t.service.tcp, "token": wrong})
    peer = Peer(t.service.tcp)
    peer.send(msgpack.packb([0, 1, "system.hello", [{"token": wrong}]]))
    said = peer.next()[2]
    told = answer["error"]
    equal((told["code"], told["name"], told["message"]),
          (4, "unauthenticated", said["message"]), "open")


def case_without_a_token_little_is_allowed(t):
    t.driver.open(t.service.tcp)
    equal(t.driver.call("system.ping"), "pong", "ping")
    t.refused("profile.get", {"id": "yc"}, address=t.service.tcp, name="unauthenticated")


def case_addresses_are_checked(t):
    for address in ("", "yc", "unix:", "tcp:localhost", "tcp:localhost:70000", "localhost:7421",
                    "http:", "http://", "http://:80", "http://localhost:70000", "http://localhost:0",
                    "http://localhost/rpc", "http://anna@localhost", "http://localhost?a", "http://::1",
                    "http://local host", "https://localhost:", "ftp://localhost"):
        fails(t.driver.ask("open", {"address": address}), "bad_option")


def case_nobody_listening_is_unreachable(t):
    fails(t.driver.ask("open", {"address": f"unix:{t.service.dir.name}/nobody"}), "unreachable")
    own = Service([])
    gone = own.tcp
    own.stop()
    fails(t.driver.ask("open", {"address": gone}), "unreachable")


def case_the_language_of_the_greeting_gives_sentences(t):
    pair = {"programme": "bilocation", "pairing": "hosting", "from": "demo-startup-001",
            "to": "yc"}
    t.driver.open(t.service.unix, language="fr")
    by_default = t.driver.call("match.explain", pair)
    equal(by_default, t.driver.call("match.explain", {**pair, "lang": "fr"}), "sentences")
    check("sentence" in by_default["from_reasons"][0], "no sentence")


# ---- results ----

WRITING = ("put", "patch", "delete", "merge", "unmerge", "create", "revoke", "put_many",
           "watch", "unwatch")  # these two need a service
VOLATILE = {"system.hello": ["time"]}


def case_every_read_gives_what_the_tool_gives_on_a_copy(t):
    own = Service([])
    try:
        copy = os.path.join(own.dir.name, "copy")
        shutil.copytree(own.store, copy, ignore=shutil.ignore_patterns("*.sock"))
        t.driver.open(own.unix)
        methods = [one for one in t.driver.call("system.methods")
                   if one["name"].partition(".")[2] not in WRITING]
        check(len(methods) >= 15, "there are few reads")
        for one in methods:
            example = one.get("example") or "{}"
            said = subprocess.run([os.environ["JUMELAGE"], "--data", copy, "call", one["name"],
                                   example], check=True, stdout=subprocess.PIPE).stdout
            told = as_tool(t.driver.call(one["name"], json.loads(example)))
            want = json.loads(said)
            if one["name"] == "system.stats":  # figures of another process
                of_service = {"service", "watches"}
                told, want = sorted(set(told) - of_service), sorted(set(want) - of_service)
            for key in VOLATILE.get(one["name"], []):
                told.pop(key), want.pop(key)
            if one["name"] == "token.list":
                for token in told["tokens"]:
                    token.pop("last_used_at", None)
            equal(told, want, one["name"])
    finally:
        own.stop()


def case_profiles_are_put_changed_and_deleted(t):
    t.driver.open(t.service.unix)
    profile = {"id": "conformance-1", "kind": "startup", "name": "One", "metro": "paris"}
    put = t.driver.call("profile.put", {"profile": profile, "if_version": 0})
    equal((put["id"], put["version"], put["created"]), ("conformance-1", 1, True), "put")
    t.refused("profile.put", {"profile": {**profile, "name": "Other"}, "if_version": 0},
              name="conflict")
    patched = t.driver.call("profile.patch", {"id": "conformance-1", "changes": {"team": 12},
                                              "if_version": 1})
    equal((patched["version"], patched["created"]), (2, False), "patch")
    got = t.driver.call("profile.get", {"id": "conformance-1"})
    equal((got["name"], got["team"], got["version"]), ("One", 12, 2), "get")
    t.refused("profile.patch", {"id": "conformance-1", "changes": {"team": 3}, "if_version": 1},
              name="conflict")
    deleted = t.driver.call("profile.delete", {"id": "conformance-1", "if_version": 2})
    check(deleted["seq"] > patched["seq"], "seq grows")
    t.refused("profile.get", {"id": "conformance-1"}, name="not_found")


def case_profiles_are_deleted_and_erased(t):
    """By the word that each client has for it."""
    t.driver.open(t.service.unix)
    profile = {"id": "conformance-9", "kind": "startup", "name": "CanaryOfConformance"}
    t.driver.call("profile.put", {"profile": profile})
    deleted = t.driver.ask("erase", {"id": "conformance-9", "if_version": 1, "erase": False})
    check(plain(deleted["ok"])["seq"] > 0, f"deleted: {deleted!r}")
    kept = t.driver.call("profile.get", {"id": "conformance-9", "version": 1})
    equal(kept["name"], "CanaryOfConformance", "its history stays")
    t.driver.call("profile.put", {"profile": profile})
    answer = t.driver.ask("erase", {"id": "conformance-9", "if_version": 1, "erase": True})
    equal(answer["error"]["name"], "conflict", "a version that is no more")
    erased = t.driver.ask("erase", {"id": "conformance-9", "erase": True})
    check(plain(erased["ok"])["seq"] > plain(deleted["ok"])["seq"], f"erased: {erased!r}")
    t.refused("profile.get", {"id": "conformance-9", "version": 1}, name="not_found")
    with open(os.path.join(t.service.store, "data.mdb"), "rb") as file:
        check(b"CanaryOfConformance" not in file.read(), "its bytes stand in the store's file")
    t.driver.open(t.service.tcp, token=t.reader())
    answer = t.driver.ask("erase", {"id": "yc", "erase": True})
    equal(answer["error"]["name"], "forbidden", "a reader")


def case_texts_numbers_and_bytes_survive(t):
    vector = bytes(range(256)).hex()
    profile = {"id": "conformance-2", "kind": "startup", "name": "Café 日本 🚀 e\u0301té",
               "description": {"fr": "« œuvre » – naïve", "en": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 " + "é日🚀" * 100},
               "raising": {"min": 1 << 33, "max": 10 ** 12, "currency": "EUR"},
               "embedding": {"$bin": vector}}
    t.driver.open(t.service.unix)
    t.driver.call("profile.put", {"profile": profile})
    got = t.driver.call("profile.get", {"id": "conformance-2"})
    peer = Peer(t.service.unix)
    peer.send(msgpack.packb([0, 1, "profile.get", [{"id": "conformance-2"}]]))
    bare = peer.next()[3]
    equal(got["name"], bare["name"], "name")
    equal(got["description"], bare["description"], "description")
    check("日本 🚀" in got["name"], "name lost characters")
    equal(got["raising"]["max"], 10 ** 12, "raising.max")
    equal(got["raising"]["min"], 1 << 33, "raising.min")
    equal(got["embedding"], {"$bin": vector}, "embedding")
    equal(got["updated_at"], bare["updated_at"], "updated_at")


def case_a_result_of_ten_thousand_rows_arrives_whole(t):
    t.driver.open(t.service.unix)
    rows = [{"id": f"row-{i}", "kind": "no-such-kind", "name": "é"} for i in range(10000)]
    answer = t.driver.call("profile.put_many", {"profiles": rows, "dry_run": True})
    equal([one["index"] for one in answer["failed"]], list(range(10000)), "rows")
    check(all(one["error"]["name"] == "invalid_params" for one in answer["failed"]), "errors")


# ---- refusals ----


def case_refusals_arrive_as_the_service_says_them(t):
    t.driver.open(t.service.unix)
    told = t.refused("profile.gte", {}, name="unknown_method")
    equal(told["details"]["close"], "profile.get", "close")
    told = t.refused("profile.put", {"profile": {
        "id": "conformance-3", "kind": "startup", "name": "x",
        "raising": {"min": -5, "max": 3, "currency": "EUR"}}}, name="invalid_params")
    equal(told["field"], "profile.raising.min", "field")
    t.refused("profile.get", {}, name="invalid_params")
    t.refused("profile.get", {"id": "yc", "colour": 1}, name="invalid_params")
    t.refused("profile.get", {"id": "no-such-profile"}, name="not_found")
    t.refused("profile.put", {"profile": {"id": "yc", "kind": "incubator", "name": "Y"},
                              "if_version": 77}, name="conflict")
    t.refused("match.top", {"programme": "bilocation", "id": "demo-startup-001"},
              name="invalid_params")
    t.refused("profile.put_many", {"profiles": [{}] * 10001}, name="too_large")
    equal(t.driver.call("system.ping"), "pong", "the connection lives")


def case_a_request_over_the_frame_limit_is_too_large_and_the_next_one_works(t):
    t.driver.open(t.service.unix)
    answer = t.driver.ask("call", {"method": "profile.list",
                                   "params": {"text": "x" * (9 << 20)}})
    check("error" in answer, "it was taken")
    equal((answer["error"]["code"], answer["error"]["name"]), (8, "too_large"),
          answer["error"]["message"])
    equal(t.driver.call("system.ping"), "pong", "ping")


def case_a_deadline_of_its_own_passes(t):
    own = Service(["--workers", "1"])
    try:
        t.driver.open(own.unix)
        hurried = {"method": HEAVY["method"], "params": {**HEAVY["params"], "deadline_ms": 1}}
        *_, last = t.driver.ask("pipeline", [HEAVY] * 50 + [hurried])["ok"]
        equal((last["error"]["code"], last["error"]["name"]), (10, "deadline"), "the last")
    finally:
        own.stop()


def case_a_full_service_is_busy_and_says_when_to_come_again(t):
    own = Service(["--limit", "connections=2"])
    try:
        other = Peer(own.unix)  # with the service's own admin, two
        other.send(msgpack.packb([0, 1, "system.ping", []]))
        equal(other.next()[3], "pong", "ping")
        answer = t.driver.ask("open", {"address": own.unix})
        equal((answer["error"]["code"], answer["error"]["name"]), (9, "busy"), "open")
    finally:
        own.stop()


def case_a_draining_service_answers_what_it_took(t):
    own = Service(["--workers", "1", "--drain-s", "60"])
    try:
        t.driver.open(own.unix)
        t.driver.tell("pipeline", [HEAVY] * 60)
        deadline, n_taken = time.monotonic() + DEADLINE_S, 0
        while n_taken < 2:  # this question is under way too
            n_taken = own.call("system.stats", {})["service"]["in_flight"]
            check(time.monotonic() < deadline, "the requests do not come")
        own.process.send_signal(signal.SIGTERM)
        told = t.driver.answer()["ok"]
        names = [one["error"]["name"] if "error" in one else "ok" for one in told]
        check(names.count("ok") >= n_taken - 1, f"of {n_taken}, {names.count('ok')} were answered")
        check(set(names) <= {"ok", "draining", "lost", "unreachable"}, f"others: {set(names)}")
    finally:
        own.stop()


# ---- many at once ----


def case_three_thousand_pipelined_calls_get_each_its_own_answer(t):
    t.driver.open(t.service.unix)
    ids = [f"demo-startup-{i % 40 + 1:03}" for i in range(3000)]
    t.driver.call("profile.get", {"id": ids[39]})
    told = t.driver.ask("pipeline", [{"method": "profile.get", "params": {"id": one}}
                                     for one in ids])["ok"]
    equal([one["ok"]["id"] for one in told], ids, "ids")


def case_a_refused_call_in_a_pipeline_refuses_no_other(t):
    t.driver.open(t.service.unix)
    told = t.driver.ask("pipeline", [PING, {"method": "nope"}, PING])["ok"]
    equal([one.get("ok") for one in told], ["pong", None, "pong"], "results")
    equal(told[1]["error"]["name"], "unknown_method", "the middle")


# ---- connections that end ----


def case_after_a_restart_a_call_connects_again_and_shows_the_token(t):
    own = Service([])
    try:
        token = own.make_token("anna", "reader")
        t.driver.open(own.unix, token=token)
        equal(t.driver.call("system.ping"), "pong", "before")
        own.end()
        own.start()
        equal(t.driver.call("profile.get", {"id": "yc"})["id"], "yc", "a read after it")
        own.end()
        own.start()
        answer = t.driver.ask("call", WRITE)  # as admin it would have gone through
        equal(answer["error"]["name"], "forbidden", "a write after it")
    finally:
        own.stop()


def unread_bytes(port):
    """Bytes that wait to be read at this port of the service."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(int(row[4].split(":")[1], 16) for row in rows
               if int(row[1].split(":")[1], 16) == port and row[3] == "01")


def case_a_service_killed_during_a_write_leaves_it_lost(t):
    own = Service([])
    try:
        token = own.make_token("anna", "officer")
        t.driver.open(own.tcp, token=token)
        own.process.send_signal(signal.SIGSTOP)
        t.driver.tell("call", WRITE)
        deadline = time.monotonic() + DEADLINE_S
        while unread_bytes(int(own.reached.rpartition(":")[2])) == 0:
            check(time.monotonic() < deadline, "the request was not sent")
        own.end()
        fails(t.driver.answer(), "lost")
        fails(t.driver.ask("call", WRITE), "unreachable")
    finally:
        own.stop()


# ---- peers that are no service, or a sick one ----


def replies(data):
    """Greets, then answers each request with these bytes and ends."""
    def script(connection):
        connection.greet()
        frame = connection.next()
        connection.send(data(frame[1]) if callable(data) else data)
    return script


def answers_to(t, script, command=None, **options):
    with FakeService(script) as address:
        t.driver.open(address, **options)
        return t.driver.ask("call", command or WRITE)


def case_no_answer_is_a_timeout_and_a_late_one_finds_nobody(t):
    def script(connection):
        connection.greet()
        kept = []
        while True:
            _, msgid, method, _ = connection.next()
            if method == "profile.delete":
                kept.append(msgid)
                continue
            for late in kept:
                connection.answer(late, "late")
            connection.answer(msgid, "fresh")
            kept.clear()

    with FakeService(script) as address:
        t.driver.open(address, timeout_ms=300)
        fails(t.driver.ask("call", WRITE), "timeout")
        equal(t.driver.call("system.ping"), "fresh", "the next call")
        equal(t.driver.call("system.ping"), "fresh", "and the next")


def case_a_greeting_that_is_not_answered_is_a_timeout(t):
    with FakeService(lambda connection: connection.until_end()) as address:
        fails(t.driver.ask("open", {"address": address, "timeout_ms": 300}), "timeout")


def case_an_end_during_the_greeting_is_unreachable(t):
    with FakeService(lambda connection: connection.next()) as address:
        fails(t.driver.ask("open", {"address": address}), "unreachable")


def case_a_greeting_of_another_protocol_is_a_bad_answer(t):
    for other in ({"protocol": 2}, {"protocol": None}, {"protocol": "1"}):
        with FakeService(lambda connection: connection.greet(**other)) as address:
            fails(t.driver.ask("open", {"address": address}), "bad_answer")


def case_what_no_service_sends_is_a_bad_answer(t):
    for data in (b"HTTP/1.1 400 Bad Request\r\n\r\n",
                 b"\xc1",
                 b"\x94\x01\xc1",
                 msgpack.packb([3, 1, None, None]),
                 msgpack.packb([1, 1, None]),
                 msgpack.packb({"a": 1}),
                 msgpack.packb([1, "x", None, None]),
                 msgpack.packb([2, 5, []]),
                 b"\x91" * 100000):
        fails(answers_to(t, replies(data)), "bad_answer")
        fails(answers_to(t, replies(data), PING), "bad_answer")


def case_an_answer_to_nobody_is_a_bad_answer(t):
    fails(answers_to(t, replies(lambda msgid: msgpack.packb([1, msgid ^ 0x5555, None, 1]))),
          "bad_answer")


def case_an_error_that_is_none_is_a_bad_answer(t):
    for error in ("boom", 0, False, {}, {"message": "x"}, {"code": 0, "name": "x", "message": "x"}):
        fails(answers_to(t, replies(lambda msgid: msgpack.packb([1, msgid, error, None]))),
              "bad_answer")


ERRORS = ["bad_frame", "unknown_method", "invalid_params", "unauthenticated", "forbidden",
          "not_found", "conflict", "too_large", "busy", "deadline", "draining", "storage_full",
          "internal", "cancelled", "read_only"]


def case_every_error_of_this_and_later_services_arrives_as_it_was_sent(t):
    for code, name in [*enumerate(ERRORS, 1), (77, "of_a_later_service")]:
        sent = {"code": code, "name": name, "message": f"Why: {name} – é.", "field": "a.b[3]",
                "details": {"retry_ms": 250, "list": [1, "é"]}}
        answer = answers_to(t, replies(lambda msgid: msgpack.packb([1, msgid, sent, None])))
        equal(answer["error"], sent, name)


def case_lengths_that_no_answer_has_are_refused_before_they_cost_memory(t):
    before = None
    for head in (b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff",
                 b"\xdf\xff\xff\xff\xff", b"\xdd\x00\x3d\x09\x00" * 31, b"\xc9\xff\xff\xff\xff\x01"):
        def script(connection):
            connection.greet()
            frame = connection.next()
            connection.send(b"\x94\x01" + msgpack.packb(frame[1]) + b"\xc0" + head)
            connection.until_end()  # it is the client that must end it
        fails(answers_to(t, script), "bad_answer")
        before = before or t.driver.resident_kib()
    check(t.driver.resident_kib() < before + 32 * 1024, "memory followed the announcement")


def case_an_answer_over_the_limit_asked_for_is_refused(t):
    def sized(n):
        return replies(lambda msgid: msgpack.packb([1, msgid, None, "x" * n]))
    answer = answers_to(t, sized(60000), max_frame_bytes=65536)
    equal(len(answer["ok"]), 60000, "within it")
    fails(answers_to(t, sized(70000), max_frame_bytes=65536), "bad_answer")


def case_half_an_answer_and_an_end_is_lost(t):
    fails(answers_to(t, replies(lambda msgid: msgpack.packb([1, msgid, None, "pong"])[:-3])), "lost")
    fails(answers_to(t, replies(b"")), "lost")


def case_a_lost_read_is_asked_once_more_and_a_lost_write_is_not(t):
    asked = []

    def script(connection):
        connection.greet()
        _, msgid, method, _ = connection.next()
        asked.append(method)
        if len(asked) % 2 == 0:
            connection.answer(msgid, "second")
            connection.until_end()

    with FakeService(script) as address:
        t.driver.open(address)
        equal(t.driver.call("system.ping"), "second", "the read")
        equal(asked, ["system.ping"] * 2, "asked")
        t.driver.open(address)
        fails(t.driver.ask("call", WRITE), "lost")
        equal(asked[2:], ["profile.delete"], "asked")


def case_the_last_word_of_a_service_is_told(t):
    word = {"code": 1, "name": "bad_frame", "message": "I did not understand."}
    answer = answers_to(t, replies(msgpack.packb([2, "system.error", [word]])))
    fails(answer, "lost")
    check("I did not understand." in answer["error"]["message"], answer["error"]["message"])


def case_a_second_answer_spoils_neither_the_first_nor_the_next_call(t):
    def script(connection):
        connection.greet()
        while True:
            _, msgid, _, params = connection.next()
            connection.send(2 * msgpack.packb([1, msgid, None, params[0]["id"]]))

    with FakeService(script) as address:
        t.driver.open(address)
        for one in ("a", "b", "c"):
            equal(t.driver.call("profile.delete", {"id": one}), one, "answer")


def case_answers_may_come_in_any_order(t):
    def script(connection):
        connection.greet()
        asked = [connection.next() for _ in range(200)]
        for _, msgid, _, params in reversed(asked):
            connection.answer(msgid, params[0]["id"])
        connection.until_end()

    with FakeService(script) as address:
        t.driver.open(address)
        told = t.driver.ask("pipeline", [{"method": "profile.get", "params": {"id": f"p-{i}"}}
                                         for i in range(200)])["ok"]
        equal([one["ok"] for one in told], [f"p-{i}" for i in range(200)], "answers")


def case_answers_may_come_byte_by_byte_with_notifications_between(t):
    def script(connection):
        connection.greet()
        while True:
            _, msgid, _, _ = connection.next()
            data = (msgpack.packb([2, "match.changed", [{"id": "é"}]]) +
                    msgpack.packb([1, msgid, None, ["é日🚀", "x" * 300]]))
            for i in range(len(data)):
                connection.send(data[i:i + 1])

    with FakeService(script) as address:
        t.driver.open(address)
        for _ in range(3):
            equal(t.driver.call("system.ping"), ["é日🚀", "x" * 300], "answer")


def case_whole_numbers_of_64_bits_are_exact(t):
    numbers = [0, -1, 127, 128, 1 << 31, 1 << 32, (1 << 53) - 1, (1 << 53) + 1, (1 << 63) - 1,
               (1 << 64) - 1, -(1 << 31) - 1, -(1 << 53) - 1, -(1 << 63)]

    def echo(connection):
        connection.greet()
        while True:
            _, msgid, _, params = connection.next()
            check(all(type(one) is int for one in params[0]["n"]), f"a float: {params}")
            connection.answer(msgid, params[0]["n"])

    marked = [one if abs(one) < 1 << 53 else {"$int": str(one)} for one in numbers]
    with FakeService(echo) as address:
        t.driver.open(address)
        equal(t.driver.call("profile.get", {"n": marked}), numbers, "numbers")


def case_both_sides_may_send_much_at_once(t):
    """A pipeline whose requests and answers together overflow every buffer on the way."""
    def script(connection):
        connection.greet()
        while True:
            _, msgid, _, params = connection.next()
            connection.answer(msgid, params[0]["text"])

    with FakeService(script) as address:
        t.driver.open(address)
        text = "x" * 100000
        told = t.driver.ask("pipeline", [{"method": "profile.get", "params": {"text": text}}] * 100)
        check(all(one["ok"] == text for one in told["ok"]), "answers")


# ---- TLS alone ----


def unreachable(t, address, *words, **options):
    """The client cannot be brought to connect; its sentence holds the words."""
    answer = t.driver.ask("open", {"address": address, **options})
    fails(answer, "unreachable")
    for word in words:
        check(word in answer["error"]["message"], f"no \"{word}\" in {answer['error']['message']!r}")


def ca_file():
    return SECURE.certificates.path("ca.pem")


def greets(connection):
    connection.greet()
    connection.until_end()


def tls_case_the_service_itself_is_reached_and_gives_its_role(t):
    check(t.service.reached.startswith("tls:"), t.service.reached)
    for options in ({}, {"server_name": "jumelage.test"}, {"server_name": "127.0.0.1"}):
        role = t.driver.open(t.service.reached, token=t.reader(), ca_file=ca_file(), **options)
        equal(role, "reader", "role")
        equal(t.driver.call("profile.get", {"id": "yc"})["id"], "yc", "a read")
    with FakeService(greets, SECURE.certificates.context("right", ssl.TLSVersion.TLSv1_2)) as address:
        equal(t.driver.open(address, ca_file=ca_file()), "admin", "TLS 1.2")


def tls_case_a_certificate_that_does_not_hold_is_told_as_it_is(t):
    foreign, other = "of an issuer that is not trusted", "is for another name"
    for name, options, word in (
            ("right", {}, foreign),
            ("right", {"ca_file": SECURE.certificates.path("self-signed.pem")}, foreign),
            ("self-signed", {"ca_file": ca_file()}, "is signed by itself"),
            ("expired", {"ca_file": ca_file()}, "has expired"),
            ("early", {"ca_file": ca_file()}, "is not valid yet"),
            ("other-name", {"ca_file": ca_file()}, other),
            ("right", {"ca_file": ca_file(), "server_name": "jumelage.example"}, other),
            ("right", {"ca_file": ca_file(), "server_name": "127.0.0.2"}, other),
            ("common-name", {"ca_file": ca_file(), "server_name": "jumelage.test"}, other)):
        with FakeService(greets, SECURE.certificates.context(name)) as address:
            unreachable(t, address, "the certificate that " + address, word, **options)


def tls_case_one_that_is_its_own_authority_is_trusted_where_it_is_named(t):
    with FakeService(greets, SECURE.certificates.context("self-signed")) as address:
        equal(t.driver.open(address, ca_file=SECURE.certificates.path("self-signed.pem")), "admin",
              "role")


def tls_case_an_old_tls_is_refused(t):
    with FakeService(greets, SECURE.certificates.context("right", ssl.TLSVersion.TLSv1_1)) as address:
        unreachable(t, address, "no version of TLS from 1.2 on", ca_file=ca_file())


def tls_case_a_peer_in_plain_text_is_told_as_such(t):
    word = msgpack.packb([2, "system.error", [{"code": 1, "name": "bad_frame", "message": "x"}]])

    def script(connection):
        connection.send(word)
        connection.socket.recv(1 << 16)
    with FakeService(script, RAW) as address:
        unreachable(t, address, "does not speak TLS", ca_file=ca_file())
    unreachable(t, t.service.tcp.replace("tcp:", "tls:"), "does not speak TLS", ca_file=ca_file())


def tls_case_a_handshake_that_stalls_or_is_cut_is_unreachable(t):
    def stall(connection):
        while connection.socket.recv(1 << 16):
            pass
    with FakeService(stall, RAW) as address:
        unreachable(t, address, ca_file=ca_file(), timeout_ms=300)

    def cut(connection):
        connection.socket.recv(1 << 16)
        connection.send(b"\x16\x03\x03\x00\x7a\x02\x00")  # the beginning of an answer
    with FakeService(cut, RAW) as address:
        unreachable(t, address, ca_file=ca_file())


def tls_case_an_end_with_a_goodbye_or_without_is_lost(t):
    def cut(connection):
        connection.greet()
        connection.next()

    def goodbye(connection):
        cut(connection)
        try:
            connection.socket.unwrap()
        except OSError:
            pass
    for script in (cut, goodbye):
        with FakeService(script, SECURE.certificates.context("right")) as address:
            t.driver.open(address, ca_file=ca_file())
            fails(t.driver.ask("call", WRITE), "lost")


def tls_case_options_are_checked(t):
    key = SECURE.certificates.path("right.key")
    for options in ({"ca_file": key}, {"ca_file": key + "-not"}):
        fails(t.driver.ask("open", {"address": t.service.reached, **options}), "bad_option")
    for options in ({"ca_file": ca_file()}, {"server_name": "jumelage.test"}):
        fails(t.driver.ask("open", {"address": "tcp:localhost:1", **options}), "bad_option")


# ---- HTTP alone ----

# ---- standing matches ----

HOSTING = {"programme": "bilocation", "pairing": "hosting"}
STARTUP = "demo-startup-001"


def told(t, verb="heard", argument=True):
    answer = t.driver.ask(verb, argument)
    check("ok" in answer, f"{verb}: {answer!r:.300}")
    return answer["ok"]


def places(t, address, **more):
    """What match.top says now, asked over a connection of its own: ids and scores by rank."""
    peer = Peer(address)
    peer.send(msgpack.packb([0, 1, "match.top", [{**HOSTING, "id": STARTUP, "k": 3, **more}]]))
    answer = peer.next()
    peer.socket.close()
    return {rank: (one["id"], one["score"]) for rank, one in enumerate(answer[3]["matches"], 1)}


def snapshot(answer):
    return {rank: (one["id"], one["score"])
            for rank, one in enumerate(answer["best"][0]["matches"], 1)}


def laid_over(best, changes):
    """A list with the changes that are told of it."""
    gone = {change["other"] for change in changes}
    best = {rank: one for rank, one in best.items() if one[0] not in gone}
    best.update({change["rank"]: (change["other"], change["score"])
                 for change in changes if change["change"] != "left"})
    return best


def case_a_watch_tells_of_each_change_until_it_is_ended(t):
    service = t.service
    for address, more in ((service.unix, {}), (service.tcp, {"token": t.reader()})):
        t.driver.open(address, **more)
        answer = told(t, "watch", {**HOSTING, "id": STARTUP, "k": 3, "snapshot": True})
        check(answer["watch"] > 0 and answer["lists"] == 1 and answer["side"] == "from", f"{answer}")
        best, seq = snapshot(answer), answer["seq"]
        equal(best, places(t, service.unix), "the list of the beginning")
        first = best[1][0]
        for status in ("paused", None):
            service.call("profile.patch", {"id": first, "changes": {"status": status}})
            news = told(t)
            equal((news["watch"], news["from_seq"], news["complete"], news["programme"],
                   news["pairing"], news["side"]),
                  (answer["watch"], seq, True, "bilocation", "hosting", "from"), "the notification")
            check(news["seq"] > seq, "seq grows")
            words = {change["other"]: change["change"] for change in news["changes"]}
            equal(words[first], "left" if status else "entered", "the one that was changed")
            best, seq = laid_over(best, news["changes"]), news["seq"]
            equal(best, places(t, service.unix), "the list with what was told")
        equal(t.driver.call("system.ping"), "pong", "a call between")
        told(t, "unwatch")
        answer = t.driver.ask("call", {"method": "match.unwatch", "params": {"watch": answer["watch"]}})
        equal(answer["error"]["name"], "not_found", "the watch has ended")


def case_a_watch_of_a_programme_that_goes_ends_and_says_why(t):
    own = Service([])
    try:
        t.driver.open(own.unix)
        told(t, "watch", {**HOSTING, "id": STARTUP})
        own.call("programme.delete", {"id": "bilocation"})
        news = told(t)
        check(news["ended"] and not news["complete"] and "no programme" in news["why"], f"{news}")
        equal(told(t), None, "nothing follows")
        equal(t.driver.call("system.ping"), "pong", "the connection goes on")
    finally:
        own.stop()


def case_what_no_one_may_watch_is_refused(t):
    t.driver.open(t.service.unix)
    for wanted, name, field in (({"programme": "none"}, "not_found", "programme"),
                                ({"programme": "bilocation"}, "invalid_params", "pairing"),
                                ({**HOSTING, "id": "nobody"}, "not_found", "id"),
                                ({**HOSTING, "k": 1001}, "invalid_params", "k")):
        error = t.driver.ask("watch", wanted)["error"]
        equal((error["name"], error["field"]), (name, field), f"{wanted}")
    equal(t.driver.call("system.ping"), "pong", "afterwards")


def case_watches_over_the_limit_are_busy_and_one_that_ends_makes_room(t):
    own = Service(["--limit", "watches=2", "--limit", "watches_total=3"])
    try:
        t.driver.open(own.unix)
        numbers = [t.driver.call("match.watch", {**HOSTING, "id": STARTUP, "k": k + 1})["watch"]
                   for k in range(2)]
        third = {"method": "match.watch", "params": {**HOSTING, "id": STARTUP, "k": 3}}
        error = t.driver.ask("call", third)["error"]
        equal((error["code"], error["name"]), (9, "busy"), "one over the limit")
        check("2 watches" in error["message"] and error["details"]["retry_ms"] > 0, f"{error}")
        equal(t.driver.call("match.unwatch", {"watch": numbers[0]})["watch"], numbers[0], "unwatch")
        check(t.driver.ask("call", third)["ok"]["watch"] > numbers[1], "a number anew")
    finally:
        own.stop()


def case_more_than_may_wait_is_missed_and_says_where_to_go_on(t):
    own = Service(["--limit", "watch_bytes=4096"])
    try:
        t.driver.open(own.unix)
        answer = told(t, "watch", {**HOSTING, "k": 20})
        programme = own.call("programme.get", {"id": "bilocation"})
        document = {key: value for key, value in programme.items()
                    if key in ("id", "name", "pairings")}
        document["pairings"][0]["from_wants"][0]["weight"] += 9  # moves every list
        own.call("programme.put", {"programme": document})
        news = told(t)
        equal((news["watch"], news["complete"], news["missed"], news["changes"]),
              (answer["watch"], False, True, []), "what was missed")
        equal(news["resume_seq"], news["seq"], "where to go on")
        check(news["seq"] > news["from_seq"] == answer["seq"], f"{news}")
        told(t, "unwatch")
        again = told(t, "watch", {**HOSTING, "id": STARTUP, "k": 3, "snapshot": True})
        check(again["seq"] >= news["resume_seq"], "the lists are not older than what was missed")
        equal(snapshot(again), places(t, own.unix), "the list anew")
    finally:
        own.stop()


def case_after_a_restart_a_watch_is_lost_and_made_anew(t):
    own = Service([])
    try:
        t.driver.open(own.unix)
        first = told(t, "watch", {**HOSTING, "id": STARTUP, "k": 3, "snapshot": True})
        own.end()
        own.start()
        news = told(t)
        equal((news["lost"], news["complete"]), (True, False), "the connection")
        again = told(t)
        equal(snapshot(again), snapshot(first), "the list of the new watch")
        host = snapshot(again)[1][0]
        own.call("profile.patch", {"id": host, "changes": {"status": "paused"}})
        news = told(t)
        equal((news["watch"], news["from_seq"]), (again["watch"], again["seq"]), "what comes")
        told(t, "unwatch")
    finally:
        own.stop()


OF_STREAMS = {  # what has no likeness over HTTP: calls beside one another, notifications, halves of frames
    "case_a_deadline_of_its_own_passes", "case_a_draining_service_answers_what_it_took", "case_half_an_answer_and_an_end_is_lost",
    "case_the_last_word_of_a_service_is_told", "case_answers_may_come_in_any_order",
    "case_a_second_answer_spoils_neither_the_first_nor_the_next_call",
    "case_answers_may_come_byte_by_byte_with_notifications_between",
    "case_a_watch_tells_of_each_change_until_it_is_ended",
    "case_a_watch_of_a_programme_that_goes_ends_and_says_why", "case_what_no_one_may_watch_is_refused",
    "case_watches_over_the_limit_are_busy_and_one_that_ends_makes_room",
    "case_more_than_may_wait_is_missed_and_says_where_to_go_on",
    "case_after_a_restart_a_watch_is_lost_and_made_anew",
}


def pong(msgid):
    return msgpack.packb([1, msgid, None, "pong"])


def answering(*raws):
    """Greets, then gives each request the next of these; one of them may want the request's id."""
    def script(connection):
        connection.greet()
        for raw in raws:
            frame = connection.next()
            connection.raw(raw(frame[1]) if callable(raw) else raw)
        connection.until_end()
    return script


def http_case_a_watch_is_refused_and_told_where_to_look(t):
    t.driver.open(t.service.unix)
    error = t.driver.ask("watch", {**HOSTING, "id": STARTUP})["error"]
    equal((error["code"], error["name"]), (3, "invalid_params"), "match.watch over HTTP")
    check("HTTP" in error["message"] and "system.stats" in error["message"], error["message"])
    equal(t.driver.call("system.ping"), "pong", "afterwards")


def http_case_each_request_says_who_asks_and_in_which_language(t):
    heads, hellos = [], []

    def script(connection):
        hellos.append(connection.greet())
        heads.append(connection.head)
        while True:
            _, msgid, _, _ = connection.next()
            heads.append(connection.head)
            connection.send(pong(msgid))
    with FakeService(script) as address:
        t.driver.open(address, token="jml_secret", language="fr")
        t.driver.call("system.ping")
    check("token" not in hellos[0] and hellos[0].get("client"), f"greeting {hellos[0]}")
    equal(len(heads), 2, "requests")
    for head in heads:
        equal(head[""], "POST /rpc HTTP/1.1", "first line")
        equal((head["host"], head["authorization"], head["accept-language"], head["content-type"]),
              (address[7:], "Bearer jml_secret", "fr", "application/msgpack"), "head")


def http_case_calls_go_one_at_a_time_on_one_connection(t):
    opened, too_early = [], []

    def script(connection):
        opened.append(connection)
        connection.greet()
        while True:
            _, msgid, _, _ = connection.next()
            too_early.extend([msgid] if connection.data else [])
            connection.send(pong(msgid))
    with FakeService(script) as address:
        t.driver.open(address)
        told = t.driver.ask("pipeline", [PING] * 200)["ok"]
        equal([one["ok"] for one in told], ["pong"] * 200, "answers")
    equal((len(opened), too_early), (1, []), "connections, and calls before the answer")


def http_case_a_peer_that_closes_behind_each_answer_is_reached_anew(t):
    def script(connection):
        frame = connection.next()
        result = HELLO if frame[2] == "system.hello" else "pong"
        connection.raw(http_answer(msgpack.packb([1, frame[1], None, result]), *headers, version=version))
    for version, headers in (("1.1", ["Connection: close"]), ("1.0", [])):
        with FakeService(script) as address:
            t.driver.open(address)
            told = t.driver.ask("pipeline", [PING, WRITE, PING])["ok"]
            equal([one.get("ok") for one in told], ["pong"] * 3, f"answers {version}")


def http_case_a_connection_that_ended_between_two_calls_costs_none_of_them(t):
    for last_word in (b"", http_answer(b"tired\n", status="408 Request Timeout", media="text/plain")):
        ended = threading.Event()

        def script(connection):
            connection.greet()
            _, msgid, _, _ = connection.next()
            connection.send(pong(msgid))
            if not ended.is_set():
                connection.raw(last_word)
                connection.socket.shutdown(2)
                ended.set()
                return
            connection.until_end()
        with FakeService(script) as address:
            t.driver.open(address)
            equal(t.driver.call("system.ping"), "pong", "the first")
            check(ended.wait(DEADLINE_S), "it does not end")
            equal(t.driver.ask("call", WRITE), {"ok": "pong"}, f"a write after it, {last_word[:16]}")


def http_case_a_second_answer_spoils_neither_the_first_nor_the_next_call(t):
    def script(connection):
        connection.greet()
        while True:
            _, msgid, _, params = connection.next()
            connection.raw(2 * http_answer(msgpack.packb([1, msgid, None, params[0]["id"]])))
    with FakeService(script) as address:
        t.driver.open(address)
        for one in ("a", "b", "c"):
            equal(t.driver.call("profile.delete", {"id": one}), one, "answer")


def http_case_an_answer_may_come_byte_by_byte_behind_others_of_1xx(t):
    def script(connection):
        connection.greet()
        while True:
            _, msgid, _, _ = connection.next()
            data = (b"HTTP/1.1 100 Continue\r\n\r\n" b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" +
                    http_answer(msgpack.packb([1, msgid, None, ["é日🚀", "x" * 300]])))
            for i in range(len(data)):
                connection.raw(data[i:i + 1])
    with FakeService(script) as address:
        t.driver.open(address)
        for _ in range(3):
            equal(t.driver.call("system.ping"), ["é日🚀", "x" * 300], "answer")


def http_case_a_status_is_told_as_what_it_means(t):
    text, html = "text/plain; charset=utf-8", "text/html"
    for status, name, media, body, words in (
            ("401 Unauthorized", "unauthenticated", text, "the token is old\n", ["the token is old"]),
            ("401 Unauthorized", "unauthenticated", html, "<p>", ["401", "token"]),
            ("413 Content Too Large", "too_large", html, "x", ["413"]),
            ("429 Too Many Requests", "busy", html, "x", ["429"]),
            ("503 Service Unavailable", "busy", text, "not now\n", ["not now"]),
            ("400 Bad Request", "bad_answer", text, "no frame\n", ["400", "no frame"]),
            ("404 Not Found", "bad_answer", html, "x" * 100000, ["404 Not Found", "jumelage"]),
            ("421 Misdirected Request", "bad_answer", text, "no such host here\n", ["421", "no such host"]),
            ("500 Internal Server Error", "bad_answer", html, "", ["500"]),
            ("502", "bad_answer", text, "a\x1b[2Jb\n", ["502"]),
            ("204 No Content", "bad_answer", text, "", ["204"])):
        headers = ["Retry-After: 7"] if name == "busy" else []
        raw = http_answer(body.encode(), *headers, status=status, media=media)
        for during in ("the greeting", "a call"):
            def script(connection):
                if during == "a call":
                    connection.greet()
                connection.next()
                connection.raw(raw)
            with FakeService(script) as address:
                answer = t.driver.ask("open", {"address": address})
                if during == "a call":
                    check("ok" in answer, f"{answer}")
                    answer = t.driver.ask("call", WRITE)
            check("error" in answer, f"{status} during {during}: {answer}")
            equal(answer["error"]["name"], name, f"{status} during {during}: {answer['error']['message']}")
            for word in words:
                check(word in answer["error"]["message"], f"no {word!r} in {answer['error']['message']!r}")
            if "retry_ms" in answer["error"]["details"]:
                equal(answer["error"]["details"]["retry_ms"], 7000, "retry_ms")


def http_case_after_a_refusal_the_next_call_goes_on(t):
    def script(connection):
        connection.greet()
        _, msgid, method, _ = connection.next()
        if method == "profile.delete":
            connection.raw(http_answer(b"not now\n", status="503 x", media="text/plain"))
        else:
            connection.send(pong(msgid))
            connection.until_end()
    with FakeService(script) as address:
        t.driver.open(address)
        told = t.driver.ask("pipeline", [WRITE, PING])["ok"]
        equal((told[0]["error"]["name"], told[1]), ("busy", {"ok": "pong"}), "pipeline")


def http_case_a_redirection_is_not_followed(t):
    asked = []

    def elsewhere(connection):
        asked.append(connection.next())
    with FakeService(elsewhere) as other:
        for status in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 x"):
            raw = http_answer(b"", f"Location: {other}/rpc", status=status)
            answer = answers_to(t, answering(raw))
            fails(answer, "bad_answer")
            check(other in answer["error"]["message"] and "redirection" in answer["error"]["message"],
                  answer["error"]["message"])
    equal(asked, [], "asked elsewhere")


def http_case_an_answer_that_could_be_read_in_two_ways_is_refused(t):
    body = pong(1)
    typed = "Content-Type: application/msgpack"

    def raw(*lines):
        return "".join(line + "\r\n" for line in lines).encode("latin-1") + b"\r\n" + body
    first, length = "HTTP/1.1 200 OK", f"Content-Length: {len(body)}"
    chunked = raw(first, typed, "Transfer-Encoding: chunked")[:-len(body)] + (
        b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    for says, data in (
            ("two lengths", raw(first, typed, length, f"Content-Length: {len(body) + 1}")),
            ("the same length twice", raw(first, typed, length, length)),
            ("a signed length", raw(first, typed, f"Content-Length: +{len(body)}")),
            ("a length of words", raw(first, typed, "Content-Length: ten")),
            ("a length beyond all numbers", raw(first, typed, "Content-Length: " + "9" * 30)),
            ("chunked", chunked),
            ("chunked and a length", raw(first, typed, length, "Transfer-Encoding: chunked")),
            ("no length", raw(first, typed, "Connection: close")),
            ("another media type", raw(first, "Content-Type: text/html", length)),
            ("no media type", raw(first, length)),
            ("compressed", raw(first, typed, length, "Content-Encoding: gzip")),
            ("another protocol", raw("HTTP/1.1 101 Switching Protocols", "Upgrade: x", "Connection: upgrade")),
            ("1xx without end", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20),
            ("a line without a colon", raw(first, typed, "nonsense", length)),
            ("two frames", http_answer(2 * body)),
            ("half a frame", http_answer(body[:-1])),
            ("nothing", http_answer(b"")),
            ("a notification", http_answer(msgpack.packb([2, "match.changed", []]))),
            ("no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n"),
            ("HTTP of another kind", b"RTSP/1.0 200 OK\r\n\r\n"),
            ("frames", msgpack.packb([2, "system.error", [{"code": 1}]]) + b"\n")):
        answer = answers_to(t, answering(data))
        check(answer.get("error", {}).get("name") == "bad_answer", f"{says}: {answer!r:.300}")


def http_case_a_head_without_end_is_refused(t):
    def script(connection):
        connection.greet()
        connection.next()
        connection.raw(b"HTTP/1.1 200 OK\r\n")
        while True:  # until the client ends it
            connection.raw(line)
    for line in (b"X: " + b"a" * 1000 + b"\r\n", b"X: 1\r\n", b"a" * 1000):
        with FakeService(script) as address:
            t.driver.open(address)
            fails(t.driver.ask("call", WRITE), "bad_answer")


def http_case_lengths_that_no_answer_has_are_refused_before_they_cost_memory(t):
    before = t.driver.resident_kib()
    for length in (1 << 30, 10 ** 15):
        head = http_answer(b"").replace(b"Length: 0", b"Length: %d" % length)

        def script(connection):
            connection.greet()
            connection.next()
            connection.raw(head + b"\x94\x01")
            connection.until_end()
        fails(answers_to(t, script), "bad_answer")
    check(t.driver.resident_kib() < before + 32 * 1024, "memory followed the announcement")


def http_case_a_cut_answer_is_lost_and_a_read_is_asked_once_more(t):
    whole = http_answer(pong(1))
    for cut in (0, 3, 20, 60, whole.index(b"\r\n\r\n") + 2, len(whole) - 1):
        asked = []

        def script(connection):
            connection.greet()
            _, msgid, method, _ = connection.next()
            asked.append(method)
            if asked.count("system.ping") == 2:
                connection.send(pong(msgid))
                connection.until_end()
            connection.raw(whole[:cut])
        with FakeService(script) as address:
            t.driver.open(address)
            fails(t.driver.ask("call", WRITE), "lost")
            equal(t.driver.call("system.ping"), "pong", f"cut at {cut}")
        equal(asked, ["profile.delete", "system.ping", "system.ping"], f"cut at {cut}")


def http_case_an_answer_that_dribbles_is_a_timeout_and_the_next_call_goes_on(t):
    stalls = threading.Event()

    def script(connection):
        connection.greet()
        _, msgid, method, _ = connection.next()
        data = http_answer(pong(msgid))
        if method == "profile.delete":
            for i in range(len(data) - 1):  # never the last byte
                connection.raw(data[i:i + 1])
                stalls.wait(0.02)
            connection.until_end()
        connection.raw(data)
        connection.until_end()
    with FakeService(script) as address:
        t.driver.open(address, timeout_ms=400)
        fails(t.driver.ask("call", WRITE), "timeout")
        equal(t.driver.call("system.ping"), "pong", "the next call")


def http_case_what_speaks_something_else_is_told_as_such(t):
    port = t.service.tcp.rpartition(":")[2]
    answer = t.driver.ask("open", {"address": f"http://127.0.0.1:{port}"})
    fails(answer, "bad_answer")
    check("does not speak HTTP" in answer["error"]["message"] and "tcp:" in answer["error"]["message"],
          answer["error"]["message"])
    unreachable(t, t.service.reached.replace("http:", "https:"), "does not speak TLS", "http:")


def http_case_the_service_is_reached_over_https_and_its_certificate_checked(t):
    address, ca = "https://" + t.service.https, HTTP.certificates.path("ca.pem")
    for options in ({}, {"server_name": "jumelage.test"}):
        equal(t.driver.open(address, token=t.reader(), ca_file=ca, **options), "reader", "role")
        equal(t.driver.call("profile.get", {"id": "yc"})["id"], "yc", "a read")
        told = t.driver.ask("pipeline", [HEAVY] * 20)["ok"]
        check(all(one["ok"]["matches"] for one in told), "answers")
    unreachable(t, address, "the certificate that " + address, "is for another name", ca_file=ca,
                server_name="jumelage.example")
    unreachable(t, address, "of an issuer that is not trusted")
    fails(t.driver.ask("open", {"address": t.service.reached, "ca_file": ca}), "bad_option")
    wrong = t.driver.ask("open", {"address": address, "ca_file": ca, "token": t.reader()[:-4] + "AAAA"})
    equal(wrong["error"]["name"], "unauthenticated", "a wrong token")


def http_case_over_https_a_scripted_peer_is_none_the_better(t):
    ca = HTTP.certificates.path("ca.pem")
    for raw, name in ((b"", "lost"), (http_answer(pong(1))[:-3], "lost"), (b"nonsense\r\n", "bad_answer")):
        def script(connection):
            connection.greet()
            connection.next()
            connection.raw(raw)
        with FakeService(script, HTTP.certificates.context("right"), "https") as address:
            t.driver.open(address, ca_file=ca)
            fails(t.driver.ask("call", WRITE), name)


# ---- the run ----


def main():
    global SECURE, HTTP
    arguments, word = sys.argv[1:], ""
    if "--tls" in arguments:
        arguments.remove("--tls")
        SECURE = Secure()
    if "--http" in arguments:
        arguments.remove("--http")
        HTTP = Http()
    if "-k" in arguments:
        at = arguments.index("-k")
        word = arguments[at + 1]
        del arguments[at:at + 2]
    kinds = ("case_", "tls_case_") if SECURE else ("case_", "http_case_") if HTTP else "case_"
    cases = [(name, act) for name, act in globals().items()
             if name.startswith(kinds) and word in name and not (HTTP and name in OF_STREAMS)]
    check(cases, "no case has such a name")
    driver = Driver(arguments)
    bench = Bench(driver)
    n_failed = 0
    try:
        for name, act in cases:
            begun = time.monotonic()
            try:
                act(bench)
                driver.ask("close")
            except Exception as problem:
                n_failed += 1
                print(f"FAILED {name}: {problem}")
                if not isinstance(problem, Failure):
                    traceback.print_exc(file=sys.stdout)
                if driver.process.poll() is not None:
                    break
            else:
                print(f"ok {time.monotonic() - begun:6.2f} s  {name}", flush=True)
        if driver.process.poll() is None:
            driver.end()
        else:
            print(f"FAILED: the driver ended with {driver.process.returncode}")
            n_failed += 1
    finally:
        if driver.process.poll() is None:
            driver.process.kill()
            driver.process.wait()
        bench.stop()
        for way in (SECURE, HTTP):
            if way is not None:
                way.stop()
    print(f"{len(cases)} cases, {n_failed} failed")
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
