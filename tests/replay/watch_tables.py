#!/usr/bin/python3
"""A new day, other vocabularies, other rates, another lexicon: standing lists move by them too, and are told.

Each is a pairing of its own, in a metro of its own, with three counterparts of whom two are listed. What is told,
laid over the lists of the watch's beginning, is what match.top answers at the very seq that it was told with.

The day: a service whose wall clock is moved (other_time.c, JML_OTHER_TIME) so that midnight comes soon after it
has begun. On a machine so slow that it comes before the watch, it is tried again with more time.
"""
import csv
import os
import signal
import sys
import tempfile
import time

from reload import DATA, Folder, start_on, wait_for
from service import DEADLINE_S, Failure, Service
from watch import Watcher, check

DAY_S = 24 * 3600
MARGINS_S = (4, 8, 16, 32, 64, 128)
K = 2
CONSENT = {"match": True, "share": True, "basis": "test"}


def pairing(name, metro, want):
    side = {"metro": metro}
    return {"id": name, "from": {"kind": "startup", **side}, "to": {"kind": "investor", **side},
            "from_wants": [{"id": "w", "weight": 1, **want}]}


PROGRAMME = {"id": "tables", "name": {"en": "Tables"}, "pairings": [
    pairing("days", "berlin", {"type": "stage", "of": "stage", "by": "stages"}),
    pairing("stages", "tokyo", {"type": "stage", "of": "stage", "by": "stages"}),
    pairing("money", "boston", {"type": "range", "of": "raising", "by": "ticket"}),
    pairing("words", "seoul", {"type": "text", "of": "description", "by": "description"}),
]}
METROS = {one["id"]: one["from"]["metro"] for one in PROGRAMME["pairings"]}


def profiles(today):
    """Of each pairing the one whose list is watched, and who may stand on it; today: the last day of a consent."""
    def one(name, letter, **more):
        return {"id": f"{name}-{letter}", "kind": "startup" if letter == "s" else "investor",
                "name": f"{name} {letter}", "metro": METROS[name], "consent": CONSENT, **more}

    def usd(least, most):
        return {"ticket": {"min": least, "max": most, "currency": "USD"}}

    return [
        one("days", "s", stage="proto"),
        one("days", "a", stages=["proto"], consent={**CONSENT, "until": today}),
        one("days", "b", stages=["idea"]),
        one("days", "c", stages=["seed"]),
        one("stages", "s", stage="proto"),
        one("stages", "a", stages=["idea"]),
        one("stages", "b", stages=["seed"]),
        one("money", "s", raising={"min": 100_000_000, "max": 100_000_000, "currency": "XOF"}),
        one("money", "a", **usd(150_000, 200_000)),
        one("money", "b", **usd(1_500_000, 10_000_000)),
        one("money", "c", **usd(15_000_000, 20_000_000)),
        one("words", "s", description={"en": "zorgle"}),
        one("words", "a", description={"en": "zorgle robots for hospitals"}),
        one("words", "b", description={"en": "zorgle robots for hospitals, doctors and nurses"}),
        one("words", "c", description={"fr": "blirpe"}),
    ]


class Lists(Watcher):
    """Watches the list of one pairing's startup."""

    def __init__(self, service, name):
        super().__init__(service)
        self.wish = {"programme": PROGRAMME["id"], "pairing": name, "id": f"{name}-s", "k": K}
        answer = self.ask("match.watch", snapshot=True, **self.wish)
        self.watch_number = answer["watch"]
        self.lists[self.watch_number] = {"seq": answer["seq"], "best": {
            one["id"]: {m["id"]: (rank, m["score"]) for rank, m in enumerate(one["matches"], 1)}
            for one in answer["best"]}}
        self.agrees(self.ask("match.top", **self.wish))

    def best(self):
        return self.lists[self.watch_number]["best"][self.wish["id"]]

    def agrees(self, top):
        found = {m["id"]: (rank, m["score"]) for rank, m in enumerate(top["matches"], 1)}
        check(self.best() == found, f"told {self.best()}, a search finds {found}")

    def await_told(self, expected):
        """What comes without being asked for: {other: change}, and then the lists of that seq."""
        frame = self.next()
        check(frame is not None and frame[0] == 2 and frame[1] == "match.changed", f"{frame}")
        self.told.append(frame[2][0])
        changes = {one["other"]: one["change"] for one in frame[2][0]["changes"]}
        check(changes == expected, f"{self.wish['pairing']}: {changes}, not {expected}")
        self.apply_told()
        top = self.ask("match.top", **self.wish)
        check(not self.told, f"told again: {self.told}")
        check(top["seq"] == self.lists[self.watch_number]["seq"],
              f"told at {self.lists[self.watch_number]['seq']}, a search is of {top['seq']}")
        self.agrees(top)
        return top


def was_noted(service, method, subject, seq):
    entries = service.call("journal.list", {"method": method, "limit": 1000})["entries"]
    check(any(one["seq"] == seq and one["subject"] == subject for one in entries),
          f"no {method} of {subject} with number {seq}: {entries[-3:]}")


def set_back(midnight, margin_s):
    """That midnight comes in so many seconds from now; the day before it."""
    os.environ["JML_TIME_OFFSET_S"] = str(midnight - margin_s - int(time.time()))
    return time.strftime("%Y-%m-%d", time.gmtime(midnight - 1))


def start_before_midnight(service, folder, midnight):
    """A watch that began the day before; margins grow until there is one, each time before a later midnight."""
    for margin_s in MARGINS_S:
        today = set_back(midnight, margin_s)
        start_on(service, folder)
        service.call("profile.put_many", {"profiles": profiles(today)})
        lists = Lists(service, "days")
        if lists.ask("match.top", **lists.wish)["day"] == today and list(lists.best()) == ["days-a", "days-b"]:
            return lists, margin_s
        lists.socket.close()
        service.end(signal.SIGTERM)
        midnight += DAY_S
    raise Failure("the day was always over before there was a watch")


def a_new_day(service, folder, midnight):
    lists, margin_s = start_before_midnight(service, folder, midnight)
    lists.socket.settimeout(margin_s + DEADLINE_S)
    top = lists.await_told({"days-a": "left", "days-b": "moved", "days-c": "entered"})
    was_noted(service, "system.day", top["day"], top["seq"])
    lists.socket.close()


def hang_up(service):
    service.process.send_signal(signal.SIGHUP)


def swap_orders(folder, one, other):
    """Of two stages, in stages.csv."""
    path = os.path.join(folder.path, "stages.csv")
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    at = {row[0]: row for row in rows}
    at[one][1], at[other][1] = at[other][1], at[one][1]
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def another_table(service, field, change, told, what="reference", line=None):
    """Lists of a field are told what a changed table does to them; `line`: of the log, to be seen before."""
    lists = Lists(service, field)
    check(list(lists.best()) == [f"{field}-a", f"{field}-b"], f"{lists.best()}")
    change()
    hang_up(service)
    if line is not None:
        wait_for(service, line)
    top = lists.await_told(told)
    was_noted(service, "tables.use", what, top["seq"])
    lists.socket.close()


def another_vocabulary(service, folder):
    another_table(service, "stages", lambda: swap_orders(folder, "idea", "seed"),
                  {"stages-a": "moved", "stages-b": "moved"})


def another_rate(service, folder):
    another_table(service, "money",
                  lambda: folder.append("rates.csv", "XOF,165000,2025-01-01,a hundred times what it was\n"),
                  {"money-a": "left", "money-b": "moved", "money-c": "entered"})


def another_lexicon(service, folder):
    another_table(service, "words", lambda: folder.append("lexicon/glossary.csv", "zorgle,zorgle,blirpe\n"),
                  {"words-a": "moved", "words-b": "left", "words-c": "entered"},
                  what="lexicon", line="lexicon_changed=true")



def main():
    with tempfile.TemporaryDirectory(prefix="jml") as parent:
        folder = Folder(parent, "data")
        os.environ["LD_PRELOAD"] = os.environ["JML_OTHER_TIME"]
        os.environ["ASAN_OPTIONS"] = "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")
        midnight = DAY_S * (int(time.time()) // DAY_S - len(MARGINS_S))  # of a day that no service has noted
        set_back(midnight, DAY_S)
        service = Service([])
        try:
            service.call("programme.put", {"programme": PROGRAMME})
            service.end(signal.SIGTERM)
            a_new_day(service, folder, midnight)
            another_vocabulary(service, folder)
            another_rate(service, folder)
            another_lexicon(service, folder)
        except Failure as failure:
            sys.exit(f"watch_tables: {failure}")
        finally:
            os.environ["JUMELAGE_SHARE"] = DATA
            service.stop()


if __name__ == "__main__":
    main()
