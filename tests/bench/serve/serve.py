#!/usr/bin/python3
"""What a request costs: jumelaged beside Redis and a bare libevent echo, all in one run, as ratios.

    serve.py BUILD_DIR [--smoke] [--only PART …]

Parts: instructions (user instructions a request, counted by valgrind's callgrind, so that other work on
the machine changes nothing), emulated (the same with the kernel's instructions, in an emulated machine
that counts them: emulated.py; whoever is asked finds the sixteen connections' requests together, or each singly), speed (requests a second, CPU a request), writes (durable ones), memory
(of an idle connection). For speed the load has one processor and the servers another. Left to itself
the kernel, waking one for the other's sake, puts both on the same one where the machine has other work
(seen as equal counts of switches on both sides), and then it is the switching that is measured. All
servers are asked in turn, in several rounds, so that what else the machine does falls on all of them;
medians of the rounds are shown, and ratios are medians of the ratios within a round. The unix socket
over TCP is shown for ours and for the bare echo, which does nothing beside the system calls: what is
saved is the way through TCP, and the echo says how much that can be on this kernel. Redis is passed over, by name, where it is not installed (scripts/setup --bench),
and so is the emulated machine where there is no emulator or kernel (scripts/setup --emulated).
Figures are printed; nothing passes or fails by them.
"""
import argparse
import collections
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import msgpack

import emulated as emulation

DATA = pathlib.Path(__file__).resolve().parents[3] / "data"
START_S = 60


def hexa(value):
    return msgpack.packb(value, use_bin_type=True).hex()


def resp(*words):
    return b"".join([b"*%d\r\n" % len(words)] + [b"$%d\r\n%s\r\n" % (len(w), w) for w in words]).hex()


class Server:
    """A program under test: its address, its process, what it takes to ask it."""

    def __init__(self, name, command, find_address, tool=None, processor=None,
                 **popen):
        self.name = name
        self.counts = tempfile.NamedTemporaryFile(prefix="callgrind")
        if tool == "callgrind":
            command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.counts.name}",
                       "-q", *command]
        if processor is not None:
            popen["preexec_fn"] = lambda: os.sched_setaffinity(0, {processor})
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self.log,
                                        stderr=self.log, **popen)
        deadline = time.monotonic() + START_S
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                raise SystemExit(f"{name} did not start: {self.log.read()[-2000:].decode()}")
            self.log.seek(0)
            self.address = find_address(self.log.read().decode(errors="replace"))
            if self.address:
                break
            time.sleep(0.01)

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdin.close()
        self.process.wait(60)
        self.log.close()

    def instructions(self):
        """Total of a run under callgrind, after its end."""
        text = pathlib.Path(self.counts.name).read_text(encoding="ascii", errors="replace")
        return int(re.search(r"^(?:summary|totals): (\d+)", text, re.M).group(1))


class Bench:
    def __init__(self, build, smoke):
        self.build = pathlib.Path(build).resolve()
        self.smoke = smoke
        self.programs = {
            "jumelaged": str(self.build / "engine/server/jumelaged"),
            "jumelage": str(self.build / "client/cli/jumelage"),
            "load": str(self.build / "tests/bench/serve/bench_load"),
            "echo": str(self.build / "tests/bench/serve/bench_echo"),
            "guest": str(self.build / "tests/bench/serve/bench_guest"),
        }
        self.environment = dict(os.environ, JUMELAGE_SHARE=str(DATA))
        self.work = tempfile.TemporaryDirectory(prefix="jml-bench")
        self.store = os.path.join(self.work.name, "store")
        subprocess.run([self.programs["jumelage"], "demo", self.store], check=True,
                       env=self.environment, stdout=subprocess.DEVNULL)
        token = subprocess.run(
            [self.programs["jumelage"], "--data", self.store, "call", "token.create",
             '{"role": "officer", "name": "bench"}', "--format", "json"],
            check=True, env=self.environment, capture_output=True, text=True).stdout
        self.token = re.search(r'"token":\s*"([^"]+)"', token).group(1)
        self.hello = hexa([0, 0, "system.hello", [{"token": self.token}]])

    # ---- servers ----

    @contextlib.contextmanager
    def running(self, server):
        try:
            yield server
        finally:
            server.stop()

    def jumelaged(self, *options, tool=None, processor=None):
        def find(log):
            if " ready " not in log:
                return None
            return re.search(r"address=(tcp:\S+)", log).group(1)

        return self.running(Server(
            "jumelaged",
            [self.programs["jumelaged"], "--data", self.store, "--map-size", "1GiB", "--threads", "1",
             "--workers", "2", "--listen", f"unix:{self.work.name}/s", "--listen", "tcp:127.0.0.1:0",
             "--log-level", "info", *options],
            find, tool, processor, env=self.environment))

    def redis(self, *options, tool=None, processor=None):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        folder = tempfile.mkdtemp(dir=self.work.name)
        return self.running(Server(
            "redis", ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder,
                      "--save", "", *options],
            lambda log: f"tcp:127.0.0.1:{port}" if "Ready to accept" in log else None, tool,
            processor))

    def echo(self, tool=None, processor=None):
        return self.running(Server(
            "echo", [self.programs["echo"], f"{self.work.name}/e"],
            lambda log: f"tcp:127.0.0.1:{log.strip()}" if log.endswith("\n") else None, tool,
            processor))

    # ---- asking ----

    def load(self, address, connections, depth, requests, first, request, *more, processor=None):
        done = subprocess.run(
            [self.programs["load"], address, str(connections), str(depth), str(requests), first,
             request, *more], check=True, capture_output=True, text=True,
            preexec_fn=None if processor is None
            else lambda: os.sched_setaffinity(0, {processor}))
        n, seconds, median, p99 = done.stdout.split()
        return int(n) / float(seconds), int(median), int(p99)

    @staticmethod
    def ask(address, data):
        host, port = address[4:].rsplit(":", 1)
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(data)
            connection.recv(65536)

    def count(self, start, prepare, connections, depth, first, request):
        """User instructions a request: the difference of two runs, so that starting costs nothing."""
        totals = []
        few, many = (500, 1500) if self.smoke else (4000, 14000)
        for requests in (few, many):
            with start(tool="callgrind") as server:
                prepare(server.address)
                self.load(server.address, connections, depth, requests, first, request)
            totals.append(server.instructions())
        return (totals[1] - totals[0]) / (many - few)


def nothing(_address):
    pass


PING = hexa([0, 7, "system.ping", []])


def profile_of(size):
    """A made-up profile whose stored form has about `size` bytes."""
    return {"id": f"bench-{size}", "kind": "startup", "name": "Bench", "metro": "paris",
            "source": "made up for the bench",
            "description": {"en": "x" * (size - 160)}}


def instructions(bench, has_redis):
    print("\nuser instructions a request (callgrind)")
    rows = []

    def put(address):
        with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as c:
            unpacker = msgpack.Unpacker()
            for frame in (bytes.fromhex(bench.hello),
                          msgpack.packb([0, 1, "profile.put", [{"profile": profile_of(1024)}]])):
                c.sendall(frame)
                while True:
                    unpacker.feed(c.recv(65536))
                    try:
                        unpacker.unpack()
                        break
                    except msgpack.OutOfData:
                        pass

    def fill(address):
        bench.ask(address, bytes.fromhex(resp(b"SET", b"key:1", b"x" * 64)))
        bench.ask(address, bytes.fromhex(resp(b"SET", b"key:2", b"x" * 1024)))

    get = hexa([0, 7, "profile.get", [{"id": "bench-1024"}]])
    for connections, depth in ((16, 1), (16, 16)):
        ours = bench.count(bench.jumelaged, nothing, connections, depth, "-", PING)
        echo = bench.count(bench.echo, nothing, connections, depth, "-", PING)
        rows.append((f"ping {connections}x{depth}", ours, "echo", echo))
        if has_redis:
            theirs = bench.count(bench.redis, fill, connections, depth, "-",
                                 resp(b"GET", b"key:1"))
            rows.append((f"ping {connections}x{depth}", ours, "redis GET 64 B", theirs))
        ours = bench.count(bench.jumelaged, put, connections, depth, bench.hello, get)
        if has_redis:
            theirs = bench.count(bench.redis, fill, connections, depth, "-",
                                 resp(b"GET", b"key:2"))
            rows.append((f"profile.get 1 KB {connections}x{depth}", ours, "redis GET 1 KB", theirs))
        else:
            rows.append((f"profile.get 1 KB {connections}x{depth}", ours, "-", ours))
    for what, ours, other, theirs in rows:
        print(f"  {what:<28} {ours:9.0f}   {other:<16} {theirs:9.0f}   ratio {ours / theirs:5.2f}")


# How those that are counted in the emulated machine find what they are asked (guest.c, hurry).
TOGETHER, SINGLY = "found together", "found singly"

Case = collections.namedtuple("Case", "turns way connections depth server what first request")


ADDRESSES = {"jumelaged": {"TCP": "tcp:127.0.0.1:7001", "unix": "unix:/jumelaged.socket"},
             "echo": {"TCP": "tcp:127.0.0.1:7002", "unix": "unix:/echo.socket"},
             "redis": {"TCP": "tcp:127.0.0.1:7003", "unix": "unix:/redis.socket"}}


def servers_there(bench, has_redis):
    """The steps that start and fill them."""
    ask = "run /bin/load {} 1 1 1 {} {}"
    steps = ["start jumelaged /bin/jumelaged --data /store --map-size 256MiB --threads 1 --workers 2 --log-level info "
             "--listen unix:/jumelaged.socket --listen tcp:127.0.0.1:7001", "await jumelaged ready",
             "start echo /bin/echo /echo.socket 7002", "await echo 7002",
             ask.format(ADDRESSES["jumelaged"]["TCP"], bench.hello,
                        hexa([0, 1, "profile.put", [{"profile": profile_of(1024)}]]))]
    if has_redis:
        steps += ["start redis /bin/redis --bind 127.0.0.1 --port 7003 --unixsocket /redis.socket --dir /tmp",
                  "await redis Ready"]
        steps += [ask.format(ADDRESSES["redis"]["TCP"], "-", resp(b"SET", key, b"x" * size))
                  for key, size in ((b"key:1", 64), (b"key:2", 1024))]
    return steps


def cases_there(bench, has_redis):
    get = hexa([0, 7, "profile.get", [{"id": "bench-1024"}]])
    asked = [("jumelaged", "ping", "-", PING), ("echo", "the same bytes", "-", PING),
             ("redis", "GET 64 B", "-", resp(b"GET", b"key:1")),
             ("jumelaged", "profile.get 1 KB", bench.hello, get),
             ("redis", "GET 1 KB", "-", resp(b"GET", b"key:2"))]
    return [Case(turns, way, *shape, *row)
            for turns, shapes in ((TOGETHER, ((16, 1), (16, 16))), (SINGLY, ((16, 1),)))
            for way in ("TCP", "unix") for shape in shapes for row in asked
            if has_redis or row[0] != "redis"]


def emulated(bench, has_redis):
    missing = emulation.what_is_missing()
    if missing is not None:
        print(f"\nemulated: passed over: {missing}")
        return
    archive = emulation.Archive()
    archive.add_program(bench.programs["guest"], "/init")
    for name in ("jumelaged", "echo", "load"):
        archive.add_program(bench.programs[name], f"/bin/{name}")
    if has_redis:
        archive.add_program(shutil.which("redis-server"), "/bin/redis")
    archive.add_tree(DATA, "/share")
    archive.add_tree(bench.store, "/store")
    plan = servers_there(bench, has_redis)
    few, many = (500, 1500) if bench.smoke else (4000, 12000)
    cases = cases_there(bench, has_redis)
    for i, case in enumerate(cases):
        if case.turns == SINGLY and cases[i - 1].turns == TOGETHER:
            plan += [f"hurry {server}" for server in dict.fromkeys(case.server for case in cases)]
        for name, n in (("warm", few), ("few", few), ("many", many)):
            plan.append(f"count {i}-{name} {case.server} /bin/load {ADDRESSES[case.server][case.way]} "
                        f"{case.connections} {case.depth} {n} {case.first} {case.request}")
    counts = emulation.follow(archive, plan)
    print_emulated({case: [(m - f) / (many - few)
                           for f, m in zip(counts[f"{i}-few"], counts[f"{i}-many"])]
                    for i, case in enumerate(cases)})


def print_emulated(costs):
    print(f"\ninstructions a request, kernel included (emulated; {emulation.find_kernel().name})")
    print("  " + " " * 54 + "".join(head.rjust(10) for head in ("server", "asker", "switches")))
    for case, cost in costs.items():
        name = f"{case.server} {case.what}, {case.way} {case.connections}x{case.depth}, {case.turns}"
        print(f"  {name:<54}{cost[0]:10.0f}{cost[1]:10.0f}{cost[2]:10.3f}")
    print()
    for ours, theirs in (("ping", "the same bytes"), ("ping", "GET 64 B"), ("profile.get 1 KB", "GET 1 KB")):
        for case, cost in costs.items():
            others = [other for other in costs if other[:4] == case[:4] and other.what == theirs]
            if case.what == ours and others:
                name = f"{ours} over {others[0].server} {theirs}, {case.way} {case.connections}x{case.depth}, {case.turns}"
                print(f"  {name:<64}{cost[0] / costs[others[0]][0]:10.3f}")


def speed(bench, has_redis):
    print("\nrequests a second, and microseconds of the server's CPU a request")
    rounds, requests = (1, 2000) if bench.smoke else (9, 20000)
    shapes = ((1, 1), (16, 1), (256, 1), (1, 16), (16, 16), (256, 16))
    processors = sorted(os.sched_getaffinity(0))
    theirs, mine = (processors[-1], processors[0]) if len(processors) > 1 else (None, None)
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(bench.jumelaged(processor=theirs))
        echo = stack.enter_context(bench.echo(processor=theirs))
        asked = {"jumelaged ping, TCP": (ours, ours.address, PING),
                 "jumelaged ping, unix": (ours, f"unix:{bench.work.name}/s", PING),
                 "echo, TCP": (echo, echo.address, PING),
                 "echo, unix": (echo, f"unix:{bench.work.name}/e", PING)}
        if has_redis:
            redis = stack.enter_context(bench.redis(processor=theirs))
            bench.ask(redis.address, bytes.fromhex(resp(b"SET", b"key:1", b"x" * 64)))
            asked["redis GET 64 B, TCP"] = (redis, redis.address, resp(b"GET", b"key:1"))
        rates = {name: [[] for _ in shapes] for name in asked}
        cpu = {name: [0.0] * len(shapes) for name in asked}
        for i, (connections, depth) in enumerate(shapes):
            for _ in range(rounds):
                for name, (server, address, request) in asked.items():
                    before = server.cpu_s()
                    rates[name][i].append(bench.load(address, connections, depth, requests, "-",
                                                     request, "spin", processor=mine)[0])
                    cpu[name][i] += (server.cpu_s() - before) / requests / rounds * 1e6

    def show(what, one, other):
        print(f"  {what:<34}" + "".join(
            f"{statistics.median(a / b for a, b in zip(*pair)):18.2f}"
            for pair in zip(rates[one], rates[other])))

    print("  " + " " * 34 + "".join(f"{c}x{d}".rjust(18) for c, d in shapes))
    for name in asked:
        print(f"  {name:<34}" + "".join(
            f"{statistics.median(rate):>11.0f} {us:5.2f}u"
            for rate, us in zip(rates[name], cpu[name])))
    for name in list(asked)[2:]:
        show(f"ours over {name}", "jumelaged ping, " + name.rpartition(" ")[2], name)
    show("unix over TCP, jumelaged", "jumelaged ping, unix", "jumelaged ping, TCP")
    show("unix over TCP, echo", "echo, unix", "echo, TCP")


def writes(bench, has_redis):
    print("\ndurable writes a second")
    requests = 100 if bench.smoke else 5000
    with bench.jumelaged() as server:
        # each changes something: what is stored just so already costs no commit
        profile = {**profile_of(512), "id": "bench-CCCCCCCC", "city": "NNNNNNNN"}
        put = "frames:" + hexa([0, 7, "profile.put", [{"profile": profile}]])
        one = bench.load(server.address, 1, 1, max(50, requests // 10), bench.hello,
                         put)
        many = bench.load(server.address, 256, 1, requests, bench.hello, put)
    print(f"  profile.put   1x1 (a commit a put) {one[0]:9.0f}   p99 {one[2] / 1000:7.2f} ms")
    print(f"  profile.put 256x1 (group commit)   {many[0]:9.0f}   p99 {many[2] / 1000:7.2f} ms"
          f"   ratio {many[0] / one[0]:5.2f}")
    if has_redis:
        with bench.redis("--appendonly", "yes", "--appendfsync", "always") as server:
            set_ = resp(b"SET", b"key:1", b"x" * 512)
            one_r = bench.load(server.address, 1, 1, max(50, requests // 10), "-", set_)
            many_r = bench.load(server.address, 256, 1, requests, "-", set_)
        print(f"  redis SET     1x1 (fsync always)   {one_r[0]:9.0f}")
        print(f"  redis SET   256x1 (fsync always)   {many_r[0]:9.0f}"
              f"   ours over theirs {many[0] / many_r[0]:5.2f}")


def memory(bench, _has_redis):
    n = 400 if bench.smoke else 4000
    with bench.jumelaged("--limit", f"connections={n + 100}") as server:
        def hold(count):
            process = subprocess.Popen([bench.programs["load"], server.address, str(count), "1", "0",
                                        "-", PING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            process.stdout.readline()
            return process

        warm = hold(64)
        warm.communicate(b"x")
        before = server.resident()
        holder = hold(n)
        bench.ask(server.address, bytes.fromhex(PING))
        after = server.resident()
        holder.communicate(b"x")
    print(f"\nresident memory of an idle connection, {n} of them: {(after - before) / n:.0f} bytes")


def main():
    parts = {"instructions": instructions, "emulated": emulated, "speed": speed, "writes": writes, "memory": memory}
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--only", nargs="*", choices=list(parts))
    arguments = parser.parse_args()
    bench = Bench(arguments.build, arguments.smoke)
    has_redis = shutil.which("redis-server") is not None
    if not has_redis:
        print("redis-server is not installed: its rows are passed over (scripts/setup --bench)")
    for name in arguments.only or parts:
        if name == "instructions" and shutil.which("valgrind") is None:
            print("valgrind is not installed: instructions are passed over (scripts/setup --bench)")
            continue
        parts[name](bench, has_redis)


if __name__ == "__main__":
    sys.exit(main())
