#!/usr/bin/python3
"""HTTP and TLS at a running service: calls, pages, refusals, and what a bad peer may try.

Requests are written by hand, byte by byte where it matters, so that nothing is hidden by a library.
"""
import contextlib
import http.client
import os
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

import msgpack

from service import DEADLINE_S, Failure, Service

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def expect(condition, what):
    if not condition:
        raise Failure(what)


class Site:
    """A service with every kind of address, a certificate of its own, and two files to serve."""

    def __init__(self, *options):
        self.work = tempfile.TemporaryDirectory(prefix="jml-http")
        self.certificate = os.path.join(self.work.name, "cert.pem")
        self.key = os.path.join(self.work.name, "key.pem")
        self.make_certificate("localhost")
        self.pages = os.path.join(self.work.name, "pages")
        os.mkdir(self.pages)
        with open(os.path.join(self.pages, "index.html"), "w", encoding="utf-8") as page:
            page.write("<h1>Jumelage</h1>")
        with open(os.path.join(self.pages, "large.js"), "w", encoding="utf-8") as page:
            page.write("x" * 3_000_000)
        self.service = Service(
            ["--listen", "http:127.0.0.1:0", "--listen", "https:127.0.0.1:0", "--listen",
             "tls:127.0.0.1:0", "--tls-cert", self.certificate, "--tls-key", self.key,
             "--console", self.pages, "--http-host", "matchmaking.example", *options])
        with open(self.service.log_path, encoding="utf-8") as log:
            text = log.read()
        self.ports = {kind: int(re.search(rf"address={kind}:127\.0\.0\.1:(\d+)", text).group(1))
                      for kind in ("http", "https", "tls")}
        self.token = self.service.make_token("anna", "officer")

    def make_certificate(self, name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", self.key, "-out", self.certificate, "-days", "2", "-subj",
             f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"],
            check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.key, 0o600)

    def connect(self, kind="http"):
        connection = socket.create_connection(("127.0.0.1", self.ports[kind]))
        connection.settimeout(DEADLINE_S)
        if kind != "http":
            context = ssl.create_default_context(cafile=self.certificate)
            connection = context.wrap_socket(connection, server_hostname="localhost")
        return connection

    def stop(self):
        self.service.stop()
        self.work.cleanup()


def read_answer(stream):
    """Status, headers and body of one answer."""
    line = stream.readline()
    if not line:
        return None
    status = int(line.split()[1])
    headers = {}
    while True:
        line = stream.readline().decode().strip()
        if not line:
            break
        name, _, value = line.partition(":")
        expect(name.lower() not in headers, f"{name} twice")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    return status, headers, stream.read(length)


def post(site, frame, token=None, extra="", target="/rpc", media="application/msgpack"):
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (f"POST {target} HTTP/1.1\r\nHost: localhost:{site.ports['http']}\r\n{bearer}{extra}"
            f"Content-Type: {media}\r\nContent-Length: {len(frame)}\r\n\r\n")
    return head.encode() + frame


def get(site, target, extra="", verb="GET"):
    return f"{verb} {target} HTTP/1.1\r\nHost: localhost:{site.ports['http']}\r\n{extra}\r\n".encode()


def request(method, *params, msgid=7):
    return msgpack.packb([0, msgid, method, list(params)])


def ask(site, data, kind="http"):
    """The one answer to `data`, and whether the connection ended behind it."""
    with contextlib.closing(site.connect(kind)) as connection:
        if kind == "http":
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        else:  # a name goes with its port; the end would be the end of encryption too
            head, mark, body = data.partition(b"\r\n\r\n")
            head = head.replace(b":%d" % site.ports["http"], b":%d" % site.ports[kind])
            connection.sendall(head + b"\r\nConnection: close" + mark + body)
        with connection.makefile("rb") as stream:
            answer = read_answer(stream)
            return answer, stream.read(1) == b""


# ---- calls ----

@check
def a_call_is_answered_with_200_also_where_it_fails(site):
    (status, headers, body), _ = ask(site, post(site, request("system.ping")))
    expect(status == 200 and msgpack.unpackb(body) == [1, 7, None, "pong"], f"{status} {body!r}")
    expect(headers["content-type"] == "application/msgpack", headers)
    expect("content-security-policy" in headers and headers["cache-control"] == "no-store", headers)
    (status, _, body), _ = ask(site, post(site, request("profile.get", {"id": "yc"})))
    expect(status == 200 and msgpack.unpackb(body)[2]["name"] == "unauthenticated", body)
    (status, _, body), _ = ask(site, post(site, request("profile.get", {"id": "nobody"}), site.token))
    expect(status == 200 and msgpack.unpackb(body)[2]["name"] == "not_found", body)


@check
def the_same_bytes_as_over_a_stream(site):
    frames = [request("profile.get", {"id": "yc"}), request("profile.list", {"limit": 1000}),
              request("match.top", {"programme": "bilocation", "pairing": "hosting",
                                    "id": "demo-startup-042", "explain": True, "lang": "fr"}),
              request("programme.get", {"id": "bilocation"}), request("nobody.knows"),
              request("profile.schema")]
    host, port = site.service.tcp[4:].rsplit(":", 1)
    with socket.create_connection((host, int(port))) as stream:
        stream.settimeout(DEADLINE_S)
        unpacker = msgpack.Unpacker(max_buffer_size=1 << 30)

        def over_stream(frame):
            stream.sendall(frame)
            data = b""
            while True:
                part = stream.recv(1 << 20)
                data += part
                unpacker.feed(part)
                for _ in unpacker:
                    return data

        over_stream(request("system.hello", {"token": site.token}))
        for frame in frames:
            wanted = over_stream(frame)
            for kind in ("http", "https"):
                (status, _, body), _ = ask(site, post(site, frame, site.token), kind)
                expect(status == 200 and body == wanted, f"{kind}: {body[:80]!r}, not {wanted[:80]!r}")


@check
def a_notification_is_carried_out_and_answered_with_204(site):
    frame = msgpack.packb([2, "profile.patch", [{"id": "yc", "changes": {"city": "Elsewhere"}}]])
    (status, headers, body), _ = ask(site, post(site, frame, site.token))
    expect(status == 204 and body == b"" and "content-length" not in headers, headers)
    (_, _, body), _ = ask(site, post(site, request("profile.get", {"id": "yc"}), site.token))
    expect(msgpack.unpackb(body)[3]["city"] == "Elsewhere", body)


@check
def requests_may_follow_one_another_and_are_answered_in_order(site):
    match = request("match.top", {"programme": "bilocation", "pairing": "hosting",
                                  "id": "demo-startup-042"}, msgid=1)
    data = b"".join([post(site, match, site.token), get(site, "/healthz"),
                     post(site, request("system.ping", msgid=2)), post(site, match, site.token),
                     get(site, "/readyz", "Connection: close\r\n")])
    for step in (len(data), 1000, 7):
        with contextlib.closing(site.connect()) as connection:
            for at in range(0, len(data), step):
                connection.sendall(data[at:at + step])
            with connection.makefile("rb") as stream:
                answers = [read_answer(stream) for _ in range(5)]
                expect(stream.read(1) == b"", "more than was asked for")
        ids = [msgpack.unpackb(answers[i][2])[1] for i in (0, 2, 3)]
        expect(ids == [1, 2, 1] and answers[1][2] == b"alive\n" and answers[4][2] == b"ready\n",
               f"{ids} {answers[1]} {answers[4]}")


@check
def a_body_is_invited_where_it_is_waited_for(site):
    data = post(site, request("system.ping"), extra="Expect: 100-continue\r\n")
    head, _, body = data.partition(b"\r\n\r\n")
    with contextlib.closing(site.connect()) as connection:
        connection.sendall(head + b"\r\n\r\n")
        expect(connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n", "no invitation")
        connection.sendall(body)
        with connection.makefile("rb") as stream:
            expect(read_answer(stream)[0] == 200, "no answer")


@check
def the_language_is_that_of_each_request(site):
    """A greeting's is forgotten with its request: behind a proxy the next one may be of somebody else."""
    explain = request("match.explain", {"programme": "bilocation", "pairing": "hosting",
                                        "from": "demo-startup-001", "to": "yc"})
    french = request("match.explain", {"programme": "bilocation", "pairing": "hosting",
                                       "from": "demo-startup-001", "to": "yc", "lang": "fr"})
    with contextlib.closing(site.connect()) as connection, connection.makefile("rb") as stream:
        def said(data):
            connection.sendall(data)
            status, _, body = read_answer(stream)
            expect(status == 200, f"{status} {body!r}")
            return body
        without, with_lang = (said(post(site, one, site.token)) for one in (explain, french))
        expect(without != with_lang, "no sentences")
        said(post(site, request("system.hello", {"language": "fr"}), site.token))
        for language, want in (("fr", with_lang), ("fr-FR,fr;q=0.8,en;q=0.3", without), ("", without)):
            extra = f"Accept-Language: {language}\r\n" if language else ""
            got = said(post(site, explain, site.token, extra=extra))
            expect(got == want, f"{language!r}: {got!r:.300}")


# ---- refusals ----

def refusals(site):
    port = site.ports["http"]
    ping = request("system.ping")
    good = f"Host: localhost:{port}\r\n"
    typed = good + "Content-Type: application/msgpack\r\n"
    return [
        ("another host", b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
        ("two hosts", f"GET / HTTP/1.1\r\n{good}{good}\r\n".encode(), 400),
        ("an absolute target", f"GET http://evil.example/ HTTP/1.1\r\n{good}\r\n".encode(), 400),
        ("another origin", get(site, "/", "Origin: http://evil.example\r\n"), 403),
        ("origin null", get(site, "/", "Origin: null\r\n"), 403),
        ("a page of another site", get(site, "/", "Sec-Fetch-Site: cross-site\r\n"), 403),
        ("a form", post(site, ping, media="application/x-www-form-urlencoded"), 415),
        ("plain text", post(site, ping, media="text/plain"), 415),
        ("elsewhere", post(site, ping, target="/call"), 405),
        ("another verb", get(site, "/", verb="DELETE"), 405),
        ("no length", f"POST /rpc HTTP/1.1\r\n{typed}\r\n".encode(), 411),
        ("chunked", f"POST /rpc HTTP/1.1\r\n{typed}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(), 501),
        ("two lengths", f"POST /rpc HTTP/1.1\r\n{typed}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd".encode(), 400),
        ("a signed length", f"POST /rpc HTTP/1.1\r\n{typed}Content-Length: +4\r\n\r\nabcd".encode(), 400),
        ("a length that nobody has", f"POST /rpc HTTP/1.1\r\n{typed}Content-Length: 99999999999999999\r\n\r\n".encode(), 413),
        ("a length beyond all numbers", f"POST /rpc HTTP/1.1\r\n{typed}Content-Length: 99999999999999999999\r\n\r\n".encode(), 400),
        ("more than a stranger may", f"POST /rpc HTTP/1.1\r\n{typed}Content-Length: 65537\r\n\r\n".encode(), 413),
        ("more than anybody may", post(site, b"", site.token).replace(b"Content-Length: 0", b"Content-Length: 8388609"), 413),
        ("a bare line feed", f"GET / HTTP/1.1\n{good}\n".encode(), 400),
        ("a folded line", f"GET / HTTP/1.1\r\n{good}X: a\r\n b\r\n\r\n".encode(), 400),
        ("a space before the colon", f"GET / HTTP/1.1\r\n{good}X : a\r\n\r\n".encode(), 400),
        ("nine kilobytes of head", get(site, "/", f"X: {'a' * 9000}\r\n"), 431),
        ("dots", get(site, "/../etc/passwd"), 400),
        ("dots in escapes", get(site, "/%2e%2e/etc/passwd"), 400),
        ("no request in the body", post(site, msgpack.packb(7)), 400),
        ("half a request in the body", post(site, ping[:-1]), 400),
        ("two requests in the body", post(site, ping + ping), 400),
        ("an empty body", post(site, b""), 400),
        ("msgpack that is none", post(site, b"\xc1"), 400),
        ("a token that is none", post(site, ping, "nonsense"), 401),
        ("a token that does not hold", post(site, ping, "jml_000000000000_" + "A" * 43), 401),
        ("frames instead of HTTP", ping, 400),
    ]


@check
def what_may_not_be_is_refused_and_ends_its_connection(site):
    for says, data, status in refusals(site):
        answer, has_ended = ask(site, data)
        expect(answer is not None and answer[0] == status, f"{says}: {answer}, not {status}")
        expect(has_ended, f"{says}: the connection goes on")
        expect(b"evil" not in answer[2], f"{says}: the peer's words come back")


@check
def nothing_is_there_by_another_name(site):
    for target in ("/nothing", "/index.htm", "/pages/index.html", "//", "/.hidden"):
        (status, _, _), _ = ask(site, get(site, target))
        expect(status == 404, f"{target}: {status}")


# ---- pages ----

@check
def pages_are_served_and_not_sent_again_while_unchanged(site):
    (status, headers, body), _ = ask(site, get(site, "/"))
    expect(status == 200 and body == b"<h1>Jumelage</h1>", body)
    (status, again, body), _ = ask(site, get(site, "/", f"If-None-Match: {headers['etag']}\r\n"))
    expect(status == 304 and body == b"" and again["etag"] == headers["etag"], again)
    (status, _, body), _ = ask(site, get(site, "/large.js"))
    expect(status == 200 and len(body) == 3_000_000, len(body))
    with contextlib.closing(site.connect()) as connection:
        connection.sendall(get(site, "/large.js", "Connection: close\r\n", verb="HEAD"))
        data = b""
        while True:
            part = connection.recv(65536)
            if not part:
                break
            data += part
    expect(data.endswith(b"\r\n\r\n") and b"Content-Length: 3000000" in data, data[-80:])


@check
def the_metrics_count_what_happens(site):
    def value(name):
        (status, _, body), _ = ask(site, get(site, "/metrics"))
        expect(status == 200, status)
        return float(re.search(rf"^{name} (\S+)$", body.decode(), re.M).group(1))

    before = value("jumelage_http_requests_total")
    ask(site, get(site, "/healthz"))
    expect(value("jumelage_http_requests_total") == before + 2, "not two more")


@check
def a_name_of_http_host_is_known(site):
    data = get(site, "/healthz").replace(f"localhost:{site.ports['http']}".encode(),
                                         b"matchmaking.example")
    expect(ask(site, data)[0][0] == 200, "the name is not known")


# ---- peers that are slow, or gone ----

@check
def a_peer_that_leaves_during_its_call_harms_nobody(site):
    for _ in range(20):
        connection = site.connect()
        connection.sendall(post(site, request("match.top", {
            "programme": "bilocation", "pairing": "hosting", "id": "demo-startup-042"}), site.token))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    expect(ask(site, get(site, "/healthz"))[0][0] == 200, "not alive")


@check
def damaged_requests_do_no_harm(site):
    chance = random.Random(int(os.environ.get("JML_SEED", "7")))
    models = [post(site, request("profile.get", {"id": "yc"}), site.token), get(site, "/large.js"),
              post(site, request("system.ping"), extra="Expect: 100-continue\r\n"),
              get(site, "/metrics", "If-None-Match: \"x\"\r\n") * 2]
    for _ in range(int(os.environ.get("JML_MUTATIONS", "20000")) // 10):
        data = bytearray(chance.choice(models))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            what = chance.randrange(4)
            if what == 0:
                data[at] = chance.randrange(256)
            elif what == 1:
                del data[at:at + chance.randint(1, 20)]
            elif what == 2:
                data[at:at] = chance.choice([b"\r\n", b"\0", b": ", b"Content-Length: 9\r\n", b"\xff"])
            else:
                data[at:at] = data[:chance.randint(0, 60)]
        with contextlib.closing(site.connect()) as connection, contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 20):
                pass
    expect(ask(site, get(site, "/healthz"))[0][0] == 200, "not alive")


# ---- TLS ----

@check
def frames_go_through_tls_many_at_once(site):
    with contextlib.closing(site.connect("tls")) as connection:
        connection.sendall(request("system.hello", {"token": site.token}, msgid=0))
        for i in range(1, 301):
            connection.sendall(request("profile.list", {"limit": 100}, msgid=i))
        unpacker = msgpack.Unpacker(max_buffer_size=1 << 30)
        ids = set()
        while len(ids) < 301:
            unpacker.feed(connection.recv(1 << 20))
            for frame in unpacker:
                expect(frame[2] is None, frame)
                ids.add(frame[1])
        connection.unwrap()  # close_notify both ways


@check
def plain_bytes_and_half_a_handshake_at_tls_end_there(site):
    before = site.service.call("system.stats", {})["service"]["tls_failed"]
    for data in (b"GET / HTTP/1.1\r\n\r\n", request("system.ping"), b"\x16\x03\x01\x02\x00\x01"):
        with socket.create_connection(("127.0.0.1", site.ports["tls"])) as connection:
            connection.settimeout(DEADLINE_S)
            with contextlib.suppress(OSError):  # it may be gone before we have said all
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
    after = site.service.call("system.stats", {})["service"]["tls_failed"]
    expect(after >= before + 2, f"{before} {after}")


@check
def tls_1_1_is_refused(site):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", site.ports["tls"])) as plain:
        plain.settimeout(DEADLINE_S)
        try:
            context.wrap_socket(plain)
        except (ssl.SSLError, ConnectionResetError):
            return
    raise Failure("TLS 1.1 is spoken")


@check
def a_new_certificate_is_shown_after_sighup_and_a_bad_one_is_not(site):
    def shown():
        with contextlib.closing(site.connect("https")) as connection:
            return connection.getpeercert(binary_form=True)

    def wait_for(word, n):
        while True:
            with open(site.service.log_path, encoding="utf-8") as log:
                if log.read().count(f" {word} ") >= n:
                    return
            expect(site.service.process.poll() is None, "it ended")

    first = shown()
    site.make_certificate("localhost")
    site.service.process.send_signal(signal.SIGHUP)
    wait_for("reloaded", 1)
    second = shown()
    expect(second != first, "the old certificate")
    kept = site.certificate + ".kept"
    shutil.copy(site.certificate, kept)
    with open(site.certificate, "w", encoding="ascii") as file:
        file.write("no certificate")
    site.service.process.send_signal(signal.SIGHUP)
    wait_for("reload.failed", 1)
    shutil.copy(kept, site.certificate)
    expect(shown() == second, "another certificate")


@check
def changed_files_are_served_after_sighup_and_a_fault_keeps_the_old_ones(site):
    """All or nothing: what was added is not there either, until all of it can be read."""
    def reload(until):
        """What the log says, as far as these words: an earlier SIGHUP may still have something to say."""
        deadline = time.monotonic() + DEADLINE_S
        with open(site.service.log_path, encoding="utf-8") as log:
            log.seek(0, os.SEEK_END)
            site.service.process.send_signal(signal.SIGHUP)
            said = ""
            while until not in said or not said.endswith("\n"):
                said += log.read()
                expect(site.service.process.poll() is None, "it ended")
                expect(time.monotonic() < deadline, said)
        return said

    def shown(path):
        with contextlib.closing(site.connect()) as connection:
            connection.sendall(get(site, path))
            with connection.makefile("rb") as stream:
                status, headers, body = read_answer(stream)
                return (body, headers["etag"]) if status == 200 else status

    page = os.path.join(site.pages, "index.html")
    added = os.path.join(site.pages, "added.txt")
    too_large = os.path.join(site.pages, "too_large.txt")
    first = shown("/")
    with open(page, "w", encoding="utf-8") as file:
        file.write("<h1>Another</h1>")
    with open(added, "w", encoding="utf-8") as file:
        file.write("added")
    with open(too_large, "wb") as file:
        file.truncate((16 << 20) + 1)  # one byte over the limit of a file
    said = reload("reload.failed part=console")
    expect("too_large.txt is larger" in said, said)
    expect(shown("/") == first and shown("/added.txt") == 404, "half of a set is served")
    os.remove(too_large)
    reload("reloaded part=console files=3")
    body, etag = shown("/")
    expect(body == b"<h1>Another</h1>" and etag != first[1], body)
    expect(shown("/added.txt")[0] == b"added", "what was added is not served")


# ---- too many connections ----

def who_comes_encrypted_hears_that_there_are_too_many():
    site = Site("--limit", "connections=10", "--threads", "1")
    held = []
    try:
        while len(held) < 9:  # with the admin's own: as many as may be
            held.append(socket.create_connection(("127.0.0.1", site.ports["http"])))
            held[-1].settimeout(DEADLINE_S)
            held[-1].sendall(get(site, "/healthz"))
            expect(held[-1].recv(1), "no answer")
        with contextlib.closing(site.connect("tls")) as connection:
            unpacker = msgpack.Unpacker()
            while data := connection.recv(4096):
                unpacker.feed(data)
            kind, method, (error,) = unpacker.unpack()
            expect((kind, method, error["name"]) == (2, "system.error", "busy"), error)
            expect(error["details"]["retry_ms"] > 0, error)
        with contextlib.closing(site.connect("https")) as connection:
            with connection.makefile("rb") as stream:
                status, headers, _ = read_answer(stream)
                expect(status == 503 and headers["retry-after"] == "1", headers)
        # handshakes are few at once; who is over that sees the end, and so do they, soon
        silent = [socket.create_connection(("127.0.0.1", site.ports["tls"])) for _ in range(40)]
        for connection in silent:
            connection.settimeout(DEADLINE_S)
            try:
                expect(connection.recv(1) == b"", "words without a handshake")
            except ConnectionResetError:
                pass
            connection.close()
        # all places are free again by now: the last of them was kept as long as any
        with contextlib.closing(site.connect("tls")) as connection:
            expect(b"busy" in connection.recv(4096), "not told")
    finally:
        for connection in held:
            connection.close()
        site.stop()


# ---- limits on wrong tokens ----

def wrong_tokens_are_few():
    site = Site("--limit", "bad_tokens=3", "--limit", "bad_tokens_a_second=4")
    try:
        wrong = request("system.hello", {"token": "jml_000000000000_" + "A" * 43})
        host, port = site.service.tcp[4:].rsplit(":", 1)
        with socket.create_connection((host, int(port))) as connection:
            connection.settimeout(DEADLINE_S)
            connection.sendall(wrong * 5)
            unpacker = msgpack.Unpacker()
            answers = []
            while True:
                data = connection.recv(65536)
                if not data:
                    break
                unpacker.feed(data)
                answers += list(unpacker)
        expect([a[2]["name"] for a in answers] == ["unauthenticated"] * 3, answers)
        with socket.create_connection((host, int(port))) as connection:
            connection.settimeout(DEADLINE_S)
            connection.sendall(wrong * 2)
            unpacker = msgpack.Unpacker()
            answers = []
            while len(answers) < 2:
                unpacker.feed(connection.recv(65536))
                answers += list(unpacker)
        names = [a[2]["name"] for a in answers]
        # within the same second the fifth is not looked at; a slow machine may be in the next one
        expect(names in (["unauthenticated", "busy"], ["unauthenticated"] * 2), names)
    finally:
        site.stop()


def what_is_begun_must_be_finished():
    site = Site("--limit", "frame_s=1")
    try:
        whole = post(site, request("system.ping"))
        for data in (whole[:30], whole[:-1]):  # half a head, half a body
            with contextlib.closing(site.connect()) as connection:
                connection.sendall(data)
                with connection.makefile("rb") as stream:
                    answer = read_answer(stream)
                    expect(answer is not None and answer[0] == 408, answer)
                    expect(stream.read(1) == b"", "it goes on")
        with socket.create_connection(("127.0.0.1", site.ports["tls"])) as connection:
            connection.settimeout(DEADLINE_S)
            connection.sendall(b"\x16\x03\x01")  # the beginning of a handshake
            expect(connection.recv(100) == b"", "half a handshake is waited for")
    finally:
        site.stop()


def a_key_that_others_may_read_is_refused():
    site = Site()
    try:
        site.service.end(signal.SIGTERM)
        os.chmod(site.key, 0o644)
        done = subprocess.run(
            [os.environ["JUMELAGED"], "--data", site.service.store, "--listen", "tls:127.0.0.1:0",
             "--tls-cert", site.certificate, "--tls-key", site.key], capture_output=True, text=True,
            timeout=DEADLINE_S)
        expect(done.returncode == 77 and "0644" in done.stderr, f"{done.returncode} {done.stderr}")
        done = subprocess.run(
            [os.environ["JUMELAGED"], "--data", site.service.store, "--listen", "http:0.0.0.0:0"],
            capture_output=True, text=True, timeout=DEADLINE_S)
        expect(done.returncode == 77 and "https:" in done.stderr, f"{done.returncode} {done.stderr}")
    finally:
        site.stop()


def main():
    site = Site()
    try:
        for function in CHECKS:
            try:
                function(site)
            except (Failure, OSError, http.client.HTTPException) as failure:
                print(f"{function.__name__}: {failure!s:.1500}\n    log: {site.service.tail()}")
                return 1
    finally:
        site.stop()
    try:
        who_comes_encrypted_hears_that_there_are_too_many()
        wrong_tokens_are_few()
        what_is_begun_must_be_finished()
        a_key_that_others_may_read_is_refused()
    except (Failure, OSError) as failure:
        print(failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
