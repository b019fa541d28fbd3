#!/usr/bin/python3
"""SIGKILL under load: several clients write to a jumelaged that is killed at a moment drawn by lot.

After each restart every write that was answered is there, whole; of put_many all or nothing, answered or
not. How long it took to be ready again is printed. JML_ROUNDS: kills (5).
"""
import os
import random
import sys
import threading

import victim
from victim import Service, check, jumelage

CLIENTS = 4
MANY = 3
LEAST, MOST = 5, 120  # answers before the kill, over all clients
PATIENCE_S = 30


def profile(id):
    return {"id": id, "kind": "startup", "name": f"Name of {id}", "metro": "paris",
            "description": {"en": " ".join([f"text of {id}"] * (1 + hash_of(id) % 40))}}


def hash_of(text):
    return sum(ord(c) * (i + 7) for i, c in enumerate(text))


def write_on(address, prefix, answered, asked, told):
    """Until the connection ends."""
    try:
        with jumelage.Client(address) as client:
            for i in range(1_000_000):
                if i % 5 == 4:
                    ids = [f"{prefix}-{i}-{k}" for k in range(MANY)]
                    asked.append(ids)
                    client.call("profile.put_many", {"profiles": [profile(id) for id in ids]})
                else:
                    ids = [f"{prefix}-{i}"]
                    asked.append(ids)
                    client.put_profile(profile(ids[0]))
                answered.append(ids)
                told.release()
    except jumelage.JumelageError:
        pass


def look(client, ids):
    """How many of them are there, each just as it was put."""
    n = 0
    for id in ids:
        try:
            stored = client.get_profile(id)
        except jumelage.NotFound:
            continue
        wanted = profile(id)
        check(all(stored.get(key) == value for key, value in wanted.items()), f"{id} is torn")
        n += 1
    return n


def one_round(data, number, chance):
    running = Service(data)
    check(running.is_ready, f"round {number}: not ready")
    answered = [[] for _ in range(CLIENTS)]
    asked = [[] for _ in range(CLIENTS)]
    told = threading.Semaphore(0)
    threads = [threading.Thread(target=write_on,
                                args=(running.address, f"r{number}-{c}", answered[c], asked[c],
                                      told))
               for c in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for _ in range(chance.randint(LEAST, MOST)):
        check(told.acquire(timeout=PATIENCE_S), f"round {number}: no answer")
    running.kill()
    for thread in threads:
        thread.join()
    again = Service(data)
    check(again.is_ready, f"round {number}: not ready after the kill")
    n_answered = 0
    with again.client() as client:
        for c in range(CLIENTS):
            done = {tuple(ids) for ids in answered[c]}
            for ids in asked[c]:
                n = look(client, ids)
                check(n in (0, len(ids)), f"{ids}: {n} of {len(ids)} are there")
                check(n == len(ids) or tuple(ids) not in done, f"{ids} was answered and is lost")
            n_answered += len(done)
        verdict = client.call("journal.verify", {})
        check(verdict["ok"], f"round {number}: the journal is broken")
    check(again.end() == 0, f"round {number}: it did not end well")
    return n_answered, again.ready_s


def main():
    rounds = int(os.environ.get("JML_ROUNDS", "5"))
    seed = int(os.environ.get("JML_SEED", str(random.randrange(1 << 31))))
    print(f"JML_SEED={seed}")
    chance = random.Random(seed)
    total, slowest, late = 0, 0.0, 0
    with victim.folder() as folder:
        for number in range(rounds):
            n, ready_s = one_round(f"{folder}/store", number, chance)
            total += n
            slowest = max(slowest, ready_s)
            late += ready_s > 1
    print(f"{rounds} kills, {total} answered writes, ready again within {slowest * 1000:.0f} ms "
          f"({late} times over 1 s), {victim.faults} faults")
    check(total > 0, "nothing was answered before a kill")
    sys.exit(victim.faults > 0)


main()
