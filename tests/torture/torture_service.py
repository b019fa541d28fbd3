#!/usr/bin/python3
"""The programs as they are, with a system call that fails: disturb.c by LD_PRELOAD.

A failed sync ends the service with 74 and a sentence, after what was asked is answered; the tool ends with
74 as well. A failed accept costs nobody anything.
"""
import os
import shutil
import subprocess
import sys

import victim
from victim import Service, check, jumelage

EX_IOERR, EIO = 74, 5
ACCEPT_FAILURES = {"too many files": 24, "a connection given up": 103, "out of memory": 12,
                   "too many files everywhere": 23}


def disturbed(text, below=""):
    return {"LD_PRELOAD": os.environ["JML_PRELOAD"], "JML_DISTURB": text, "JML_DISTURB_BELOW": below,
            "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}


def tool(*arguments, environment=None):
    return subprocess.run([os.environ["JUMELAGE"], *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
                          env=dict(os.environ, **(environment or {})))


def a_failed_sync_ends_the_service(template, folder):
    data = f"{folder}/sync"
    shutil.copytree(template, data)
    running = Service(data, environment=disturbed(f"sync:3:{EIO}", f"{data}/data.mdb"))
    check(running.is_ready, "the service is not ready")
    n_put, refusal = 0, None
    with running.client() as client:
        while refusal is None and n_put < 50:
            try:
                client.put_profile({"id": f"p{n_put}", "kind": "startup", "name": "P"})
                n_put += 1
            except jumelage.JumelageError as problem:
                refusal = problem
    check(isinstance(refusal, jumelage.Internal) and "writes no more" in str(refusal),
          f"the write is answered: {refusal!r}")
    check(running.process.wait(30) == EX_IOERR, f"it ends with {running.process.returncode}")
    log = running.log.read_text()
    check("jumelaged: the disk failed to keep a write" in log, f"it says why: {log}")
    again = Service(data)
    with again.client() as client:
        for i in range(n_put):
            check(client.get_profile(f"p{i}")["name"] == "P", f"p{i} was answered and is lost")
        client.put_profile({"id": "after", "kind": "startup", "name": "After"})
    check(again.end() == 0, "a new start writes again")


def a_failed_sync_ends_the_tool(template, folder):
    data = f"{folder}/tool"
    shutil.copytree(template, data)
    put = ("call", "profile.put", '{"profile": {"id": "t", "kind": "startup", "name": "T"}}',
           "--data", data)
    done = tool(*put, environment=disturbed(f"sync:1:{EIO}", f"{data}/data.mdb"))
    check(done.returncode == EX_IOERR, f"the tool ends with {done.returncode}: {done.stderr}")
    check("writes no more" in done.stderr, f"the tool says why: {done.stderr}")
    done = tool(*put)
    check(done.returncode == 0, f"the next tool works: {done.stderr}")


def a_failed_accept_costs_nobody_anything(template, folder):
    for name, number in ACCEPT_FAILURES.items():
        data = f"{folder}/accept{number}"
        shutil.copytree(template, data)
        running = Service(data, environment=disturbed(f"accept:3:{number}"))
        check(running.is_ready, f"{name}: the service is not ready")
        clients = [running.client() for _ in range(6)]
        for client in clients:
            check(client.ping() == "pong", f"{name}: no answer")
        for client in clients:
            client.close()
        check(running.end() == 0, f"{name}: it did not end well")


def main():
    with victim.folder() as folder:
        template = f"{folder}/template"
        made = tool("call", "system.ping", "--data", template)
        if made.returncode != 0:  # a tool that wants a store to be there
            running = Service(template)
            check(running.is_ready and running.end() == 0, "cannot make a store")
        a_failed_sync_ends_the_service(template, folder)
        a_failed_sync_ends_the_tool(template, folder)
        a_failed_accept_costs_nobody_anything(template, folder)
    print(f"torture_service: {victim.faults} faults")
    sys.exit(victim.faults > 0)


main()
