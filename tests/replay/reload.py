#!/usr/bin/python3
"""Another lexicon by SIGHUP: texts meet by a new synonym without a restart, and a crash leaves no mix.

The service reads a data folder of the test's own. Kills come after 0, 1, 2 … pings, that is, anywhere between
the signal and the publishing; whatever stands in the store then, a start on the old folder must score by
the old lexicon, and one on the new folder by the new.
"""
import os
import shutil
import signal
import sys
import tempfile
import time

from service import DEADLINE_S, Failure, Service

ROUNDS = int(os.environ.get("JML_ROUNDS", "6"))
DATA = os.environ["JUMELAGE_SHARE"]
SYNONYM = "zorgle,zorgle,blirpe\n"
PROGRAMME = {"id": "words", "name": {"en": "Words"}, "pairings": [
    {"id": "h", "from": {"kind": "startup"}, "to": {"kind": "incubator"},
     "from_wants": [{"id": "t", "type": "text", "weight": 1}]}]}


def expect(is_so, what):
    if not is_so:
        raise Failure(what)


class Folder:
    """A copy of the data, with rows added."""

    def __init__(self, parent, name):
        self.path = os.path.join(parent, name)
        shutil.copytree(DATA, self.path)

    def append(self, name, row):
        with open(os.path.join(self.path, name), "a", encoding="utf-8") as file:
            file.write(row)

    def put_back(self, name):
        shutil.copy(os.path.join(DATA, name), os.path.join(self.path, name))


def profile(name, kind, lang, text):
    return {"id": name, "kind": kind, "name": name, "description": {lang: text},
            "consent": {"match": True, "share": True, "basis": "test"}}


def start_on(service, folder):
    os.environ["JUMELAGE_SHARE"] = folder.path
    service.start()


def score(service):
    answer = service.call("match.explain",
                          {"programme": "words", "from": "said", "to": "meant", "lang": "fr"})
    return answer["from_view"], answer["from_reasons"][0]["evidence"].get("terms")


def wait_for(service, words):
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with open(service.log_path, encoding="utf-8") as log:
            for line in log:
                if words in line:
                    return line
        expect(service.process.poll() is None and time.monotonic() < deadline,
               f"no \"{words}\": {service.tail()}")


def hang_up(service):
    service.process.send_signal(signal.SIGHUP)


def a_synonym_counts_at_once(service, folder):
    before, _ = score(service)
    folder.append("lexicon/glossary.csv", SYNONYM)
    hang_up(service)
    wait_for(service, "lexicon_changed=true")
    after, terms = score(service)
    expect(after > before + 5000, f"{before} before, {after} after")
    expect(terms == ["blirpe"], f"{terms}")
    noted = service.call("journal.list", {"method": "tables.use", "limit": 1000})["entries"]
    expect(noted[0]["subject"] == "lexicon" or noted[-1]["subject"] == "lexicon", f"{noted}")
    return before, after


def a_fault_is_told_and_changes_nothing(service, folder, now):
    folder.append("lexicon/glossary.csv", "only,two\n")
    hang_up(service)
    line = wait_for(service, "reload.failed part=vocabularies")
    expect("glossary.csv, line " in line, line)
    expect(score(service)[0] == now, "another score")
    folder.put_back("lexicon/glossary.csv")
    folder.append("lexicon/glossary.csv", SYNONYM)


def a_kill_leaves_the_old_or_the_new(service, old, new, before, after):
    for n_pings in range(ROUNDS):
        service.end(signal.SIGTERM)
        start_on(service, old)
        expect(score(service)[0] == before, f"round {n_pings}: the old lexicon, another score")
        old.append("lexicon/glossary.csv", SYNONYM)
        hang_up(service)
        for _ in range(n_pings * n_pings * 20):
            service.call("system.ping", {})
        service.end(signal.SIGKILL)
        if n_pings % 2:
            old.put_back("lexicon/glossary.csv")
            start_on(service, old)
            expect(score(service)[0] == before, f"round {n_pings}: put back, another score")
            service.end(signal.SIGKILL)
        start_on(service, new)
        expect(score(service)[0] == after, f"round {n_pings}: the new lexicon, another score")
        old.put_back("lexicon/glossary.csv")


def a_termination_ends_it(service, old, before):
    service.end(signal.SIGTERM)
    start_on(service, old)
    old.append("lexicon/glossary.csv", SYNONYM)
    old.append("outcomes.csv", "feted,1,Feted,Fêté,party,fête\n")
    hang_up(service)
    service.process.send_signal(signal.SIGTERM)
    expect(service.process.wait(DEADLINE_S) == 0, f"status {service.process.returncode}")
    service.end()
    old.put_back("lexicon/glossary.csv")
    start_on(service, old)
    expect(score(service)[0] == before, "another score")


def main():
    with tempfile.TemporaryDirectory(prefix="jml") as parent:
        old, new = Folder(parent, "old"), Folder(parent, "new")
        os.environ["JUMELAGE_SHARE"] = new.path
        service = Service([])
        try:
            service.call("programme.put", {"programme": PROGRAMME})
            service.call("profile.put", {"profile": profile("said", "startup", "en", "zorgle")})
            service.call("profile.put", {"profile": profile("meant", "incubator", "fr", "blirpe")})
            before, after = a_synonym_counts_at_once(service, new)
            a_fault_is_told_and_changes_nothing(service, new, after)
            a_kill_leaves_the_old_or_the_new(service, old, new, before, after)
            a_termination_ends_it(service, old, before)
        except Failure as failure:
            sys.exit(f"reload: {failure}")
        finally:
            service.stop()


if __name__ == "__main__":
    main()
