#!/usr/bin/python3
"""How fast pairs are scored: our scorer beside PostgreSQL and FAISS, all in one run, as ratios.

    score.py BUILD_DIR [--sizes 10000,100000] [--shapes skewed,uniform] [--dimensions 64,128]
             [--seconds S] [--quick] [--json FILE]

Ours: programme.yaml over made-up profiles (population.h), one viewer after the other and many in a batch: the
rules alone, with sparse text vectors, with embeddings. PostgreSQL: the rules as SQL (rules.py), the best of two tables
and of its settings; its first ten must be ours, with the same scores, or the bench ends with an error.
FAISS: the dense part alone (dense.py), the best of OpenBLAS's core types. All on one core, by CPU time. A last
row times match.whatif. What is not installed is passed over, by name (scripts/setup --bench).
Figures are printed; nothing passes or fails by them.
"""
import argparse
import csv
import importlib.util
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile

import postgres
import rules

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parents[2] / "data"
CORE_TYPES = ["Haswell", "Zen", "SkylakeX", "Cooperlake", "Sapphirerapids"]
SEED = 7
CHECKED = 20 # viewers, at least, whose lists are compared
TRIALS = 4    # queries of a trial
HOPELESS = 2  # a setting that takes so many times the best is not tried twice


class Bench:
    def __init__(self, arguments, work):
        self.build = pathlib.Path(arguments.build).resolve()
        self.arguments = arguments
        self.work = work
        self.rows = []

    def note(self, size, shape, name, what, mode, ns, pairs_s):
        self.rows.append({"size": size, "shape": shape, "name": name, "what": what, "mode": mode,
                          "ns": ns, "pairs_s": pairs_s})

    # ---- ours ----

    def ours(self, size, shape, text, folder):
        milliseconds = int(self.arguments.seconds * 1000)
        done = subprocess.run(
            [str(self.build / "tests/bench/score/bench_score"), str(DATA),
             str(HERE / "programme.yaml"), str(size), str(self.arguments.viewers), shape, text,
             str(milliseconds), str(SEED), folder],
            check=True, stdout=subprocess.PIPE, text=True)
        figures = [json.loads(line) for line in done.stdout.splitlines()]
        for figure in figures:
            what = "rules" if figure["what"] == "rules" else f"rules + {text_name(text)}"
            self.note(size, shape, figure["way"], what, figure["mode"], figure["ns"],
                      figure["pairs_s"])
        return figures

    def generated(self, startups, hosts):
        """Lines of startups of Paris and hosts of Silicon Valley, so many of each."""
        generated = subprocess.run(
            [str(self.build / "client/cli/jumelage"), "generate", "--startups", str(3 * startups),
             "--incubators", str(3 * hosts), "--seed", str(SEED)],
            check=True, stdout=subprocess.PIPE, text=True, env=dict(os.environ, JUMELAGE_SHARE=str(DATA)))
        lines = generated.stdout.splitlines(keepends=True)
        chosen = [line for line in lines if '"kind":"startup"' in line
                  and '"metro":"paris"' in line][:startups]
        chosen += [line for line in lines if '"kind":"incubator"' in line
                   and '"metro":"silicon-valley"' in line][:hosts]
        return "".join(chosen)

    def kept(self, program, startups, hosts):
        done = subprocess.run([str(self.build / f"tests/bench/score/{program}"), str(DATA)], check=True,
                              input=self.generated(startups, hosts), stdout=subprocess.PIPE, text=True)
        print("\n" + done.stdout, end="")

    def whatif(self):
        self.kept("bench_whatif", *((100, 30) if self.arguments.quick else (1000, 300)))

    def each(self):
        self.kept("bench_each", *((100, 100) if self.arguments.quick else (10000, 10000)))

    # ---- PostgreSQL ----

    def postgres(self, size, shape, folder, session):
        vocabularies = [sum(1 for _ in csv.reader(open(DATA / name, encoding="utf-8"))) - 1
                        for name in ("sectors.csv", "needs.csv")]
        for statement in rules.load(folder, *vocabularies):
            session.ask(statement)
        peer = Peer(session, folder, rules.parameters(*vocabularies), self.arguments)
        ns, setting = peer.single()
        self.note(size, shape, f"PostgreSQL ({setting})", "rules", "single", ns, size * 1e9 / ns)
        ns, setting = peer.batch()
        self.note(size, shape, f"PostgreSQL ({setting})", "rules", "batch", ns, size * 1e9 / ns)
        print(f"  PostgreSQL's first ten are ours, with the same scores, for {len(peer.checked)} viewers")

    # ---- FAISS ----

    def faiss(self, size, shape, dimension, folder):
        best = {"batch": (0, ""), "single": (0, "")}
        for core_type in CORE_TYPES[:1] if self.arguments.quick else CORE_TYPES:
            environment = dict(os.environ, OPENBLAS_CORETYPE=core_type, OPENBLAS_NUM_THREADS="1",
                               OMP_NUM_THREADS="1")
            done = subprocess.run(
                [sys.executable, str(HERE / "dense.py"), f"{folder}/embeddings.i8",
                 f"{folder}/queries.i8", str(dimension), str(self.arguments.seconds)],
                env=environment, capture_output=True, text=True, check=False)
            if done.returncode == -signal.SIGILL:
                continue  # a core type that this processor does not have
            if done.returncode != 0:
                raise SystemExit(f"dense.py: {done.stderr[-2000:]}")
            figures = json.loads(done.stdout)
            for mode in best:
                best[mode] = max(best[mode], (figures[mode], figures["core"]))
        for mode, (rate, core_type) in best.items():
            if rate > 0:
                self.note(size, shape, f"FAISS ({core_type})", f"dense text d={dimension} alone", mode,
                          size * 1e9 / rate, rate)


class Peer:
    """The rules in PostgreSQL: the best setting found by a few queries, then timed, and compared with ours."""

    def __init__(self, session, folder, parameters, arguments):
        self.session = session
        self.parameters = parameters
        self.seconds = arguments.seconds
        self.quick = arguments.quick
        names = [column.split()[0] for column in rules.VIEWER_COLUMNS.split(",")]
        with open(f"{folder}/viewers.csv", encoding="ascii") as file:
            self.viewers = [dict(zip(names, row)) for row in csv.reader(file)]
        self.ours = {}
        with open(f"{folder}/hits.csv", encoding="ascii") as file:
            for viewer, _, profile, score in csv.reader(file):
                self.ours.setdefault(int(viewer), []).append(f"{profile},{score}")
        # those whose lists we know; a viewer without a single hit is among them
        self.viewers = self.viewers[:max(self.ours) + 1]
        self.ours = {viewer: self.ours.get(viewer, []) for viewer in range(len(self.viewers))}
        self.checked = set()

    def check(self, viewer, lines):
        ours = self.ours[viewer]
        if lines != ours:
            raise SystemExit(f"viewer {viewer} ({self.viewers[viewer]['id']}): PostgreSQL says {lines}, "
                             f"and we {ours}")
        self.checked.add(viewer)

    def set(self, **settings):
        for name, value in settings.items():
            self.session.ask(f"SET {name} = {value}")

    def prepare(self, table):
        values = {name: f"${i + 1}" for i, (name, _) in enumerate(self.parameters)}
        types = ", ".join(kind for _, kind in self.parameters)
        self.session.ask("DEALLOCATE ALL")
        self.session.ask(f"PREPARE top ({types}) AS {rules.query(table, values)}")

    def execute(self, viewer):
        values = [literal(self.viewers[viewer][name], kind) for name, kind in self.parameters]
        ns, lines = self.session.timed(f"EXECUTE top ({', '.join(values)})")
        self.check(viewer, lines)
        return ns

    def settings(self):
        """What is tried, the likeliest first: (table, settings)."""
        for jit in ("off",) if self.quick else ("off", "on"):
            for index in ("on", "off"):
                for table in rules.TABLES:
                    for mode in ("force_generic_plan", "force_custom_plan"):
                        yield table, {"jit": jit, "enable_indexscan": index,
                                      "enable_bitmapscan": index, "plan_cache_mode": mode}

    def best_of(self, trial):
        """The setting of the least time; one whose first try is far behind gets no second."""
        best = (float("inf"), None, None)
        for table, setting in self.settings():
            self.set(jit_above_cost=0, jit_inline_above_cost=0, jit_optimize_above_cost=0, **setting)
            ns = trial(table, 1)
            if ns < HOPELESS * best[0]:
                ns = min(trial(table, TRIALS), trial(table, TRIALS))
            if ns < best[0]:
                best = (ns, table, setting)
        self.set(**best[2])
        return best[1:]

    def single(self):
        def trial(table, n):
            self.prepare(table)
            return sum(self.execute(viewer) for viewer in range(n)) / n

        table, setting = self.best_of(trial)
        self.prepare(table)
        times = []
        while len(times) < len(self.viewers) and (
                len(times) < CHECKED or sum(times) < self.seconds * 1e9):
            times.append(self.execute(len(times)))
        return statistics.median(times), name_of(table, setting)

    def batch(self):
        table, setting = self.best_of(self.run_batch)
        ns = self.run_batch(table, TRIALS)
        n = int(min(len(self.viewers), max(CHECKED, self.seconds * 1e9 / ns)))
        return self.run_batch(table, n), name_of(table, setting)

    def run_batch(self, table, n):
        """All of the first n viewers in one statement, by a lateral join: nanoseconds a viewer."""
        values = {name: f"v.{name}" for name, _ in self.parameters}
        ns, lines = self.session.timed(
            f"SELECT v.n, hits.* FROM viewers v CROSS JOIN LATERAL ({rules.query(table, values)}) hits "
            f"WHERE v.n < {n} ORDER BY v.n, score DESC, hits.id")
        found = {}
        for line in lines:
            viewer, _, hit = line.partition(",")
            found.setdefault(int(viewer), []).append(hit)
        for viewer in range(n):
            self.check(viewer, found.get(viewer, []))
        return ns / n


def literal(text, kind):
    return f"B'{text}'" if kind.startswith("bit") else f"'{text}'" if "[" in kind else text


def name_of(table, setting):
    words = [table, "jit" if setting["jit"] == "on" else "no jit"]
    if setting.get("plan_cache_mode") == "force_generic_plan":
        words.append("generic plan")
    if setting["enable_indexscan"] == "off":
        words.append("sequential")
    return ", ".join(words)


def text_name(text):
    return "sparse text" if text == "sparse" else f"dense text d={text}"


# ---- the tables ----

def print_rows(bench, size, shape, eligible):
    print(f"\n{size:,} candidates, {shape}, {eligible / 100:.1f} % of pairs eligible; one core, k = 10")
    print(f"  {'':<64}{'single':>26}{'batch':>26}")
    names = []
    for row in bench.rows:
        key = (row["what"], row["name"].split(" (")[0])
        if (row["size"], row["shape"]) == (size, shape) and key not in names:
            names.append(key)
    for what, name in names:
        cells, full = "", name
        for mode in ("single", "batch"):
            rows = [row for row in bench.rows
                    if (row["size"], row["shape"], row["what"], row["mode"]) ==
                    (size, shape, what, mode) and row["name"].split(" (")[0] == name]
            cells += (f"{rows[0]['ns'] / 1000:12.1f} us {rows[0]['pairs_s'] / 1e6:8.2f} M" if rows
                      else f"{'-':>26}")
            full = rows[0]["name"] if rows and mode == "single" else full
        print(f"  {what + ': ' + full:<64}{cells}")


def print_ratios(bench, size, shape, dimensions, ours):
    pairs = [("rules: ours / PostgreSQL", "rules", "PostgreSQL", "rules")]
    for dimension in dimensions:
        text = f"dense text d={dimension}"
        pairs.append((f"rules + {text}: ours / FAISS, {text} alone", f"rules + {text}", "FAISS",
                      f"{text} alone"))
    for what in ["rules", "rules + sparse text"] + [f"rules + dense text d={d}" for d in dimensions]:
        pairs.append((f"{what}: ours / plain scorer", what, "plain scorer", what))
    for label, what, peer, theirs in pairs:
        cells, any_there = "", False
        for mode in ("single", "batch"):
            a = [row["pairs_s"] for row in bench.rows if row["name"] == ours and
                 (row["size"], row["shape"], row["what"], row["mode"]) == (size, shape, what, mode)]
            b = [row["pairs_s"] for row in bench.rows if row["name"].startswith(peer) and
                 (row["size"], row["shape"], row["what"], row["mode"]) == (size, shape, theirs, mode)]
            any_there |= bool(a and b)
            cells += f"{a[0] / b[0]:26.3f}" if a and b else f"{'-':>26}"
        if any_there:
            print(f"  {'ratio, ' + label:<64}{cells}")


def run(bench, size, shape, programs):
    dimensions = bench.arguments.dimensions
    with tempfile.TemporaryDirectory(dir=bench.work) as folder:
        os.chmod(folder, 0o755)
        figures = bench.ours(size, shape, "sparse", folder)
        if programs is not None:
            with postgres.server(programs, folder) as socket:
                session = postgres.Session(programs, socket)
                bench.postgres(size, shape, folder, session)
                session.close()
        for dimension in dimensions:
            bench.ours(size, shape, str(dimension), folder)
            if importlib.util.find_spec("faiss") is not None:
                bench.faiss(size, shape, dimension, folder)
    print_rows(bench, size, shape, figures[0]["eligible"])
    print_ratios(bench, size, shape, dimensions, figures[0]["way"])


def numbers(text):
    return [int(part) for part in text.split(",") if part]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--sizes", type=numbers, default=[10000, 100000, 1000000])
    parser.add_argument("--shapes", type=lambda text: text.split(","), default=["skewed", "uniform"])
    parser.add_argument("--dimensions", type=numbers, default=[64, 128])
    parser.add_argument("--seconds", type=float, default=3, help="for each figure, about")
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="2,000 candidates, only to see that all runs")
    parser.add_argument("--json", help="a file that gets all figures")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.sizes, arguments.shapes, arguments.dimensions = [2000], ["skewed"], [64]
        arguments.seconds, arguments.viewers = 0.1, 40
    programs = postgres.find_programs()
    if programs is None:
        print("PostgreSQL is not installed: its rows are passed over (scripts/setup --bench)")
    if importlib.util.find_spec("faiss") is None:
        print("FAISS is not installed: its rows are passed over (scripts/setup --bench)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="jml-bench-score") as work:
        os.chmod(work, 0o755)
        bench = Bench(arguments, work)
        for size in arguments.sizes:
            for shape in arguments.shapes:
                run(bench, size, shape, programs)
        bench.whatif()
        bench.each()
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(bench.rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
