#!/usr/bin/python3
"""Holds the text of write_metrics to the rules of Prometheus' format, version 0.0.4.

The samples are read by Prometheus' own client library; what it forgives is looked at by hand: one HELP
and one TYPE to a family, before its samples, no family in two places, no sample twice.

    check_metrics.py PROGRAM
"""
import re
import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def claim(holds, sentence):
    if not holds:
        sys.exit("does not hold: " + sentence)


def family_of(sample, kinds):
    """The family that a sample's name belongs to: its own name, or a histogram's without the ending."""
    if sample in kinds:
        return sample
    base = re.sub(r"_(bucket|sum|count)\Z", "", sample)
    claim(kinds.get(base) == "histogram", f"{sample} belongs to a family that was announced")
    return base


def check_lines(text):
    claim(text.endswith("\n"), "the last line ends")
    helps, kinds, closed, seen, now = set(), {}, set(), set(), None
    for line in text[:-1].split("\n"):
        claim(line != "", "no line is empty")
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            claim(words.strip() != "", f"{name} says what it is")
            claim(name not in helps, f"one HELP for {name}")
            helps.add(name)
            now, before = name, now
            closed.add(before)
            claim(name not in closed, f"{name} stands in one place")
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            claim(name == now and name not in kinds, f"one TYPE for {name}, behind its HELP")
            claim(kind in ("counter", "gauge", "histogram"), f"{name} is of a known type")
            claim(NAME.match(name), f"{name} is a name")
            claim((kind == "counter") == name.endswith("_total"),
                  f"{name} ends with _total if it is a counter")
            kinds[name] = kind
        else:
            sample = line.rsplit(" ", 1)[0]
            claim(family_of(sample.split("{")[0], kinds) == now, f"{sample} stands in its family")
            claim(sample not in seen, f"{sample} comes once")
            seen.add(sample)
    claim(helps == set(kinds), "each HELP has its TYPE")
    return kinds


def check_histograms(family):
    rows = {}
    for sample in family.samples:
        row = rows.setdefault(sample.labels["method"], {"buckets": []})
        if sample.name.endswith("_bucket"):
            row["buckets"].append((float(sample.labels["le"]), sample.value))
        else:
            row[sample.name[len(family.name) + 1:]] = sample.value
    for method, row in rows.items():
        bounds = [le for le, _ in row["buckets"]]
        counts = [n for _, n in row["buckets"]]
        claim(bounds == sorted(set(bounds)), f"{method}: bounds rise")
        claim(bounds[-1] == float("inf"), f"{method}: the last bound is +Inf")
        claim(bounds[:-1] == [2**i / 1e6 for i in range(23)], f"{method}: powers of two in seconds")
        claim(counts == sorted(counts), f"{method}: buckets are cumulative")
        claim(counts[-1] == row["count"], f"{method}: +Inf is the count")
    return rows


def main():
    text = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True,
                          encoding="utf-8").stdout
    kinds = check_lines(text)
    families = {f.name: f for f in text_string_to_metric_families(text)}
    claim(len(families) == len(kinds), "the library finds as many families as were announced")
    value = {s.name: s.value for f in families.values() for s in f.samples if not s.labels}
    claim(value["jumelage_connections"] == 100, "a gauge has its value")
    claim(value["jumelage_accepted_total"] == 103, "a counter has its value")
    claim(value["jumelage_store_failed_commits_total"] == 13, "a counter of the store has its value")
    claim(value["jumelage_index_symbols"] == 17, "a size of the index has its value")
    info = families["jumelage_build_info"].samples[0]
    claim(info.labels == {"version": '1.2\\3 "x"\n', "kernel": "plain"} and info.value == 1,
          "labels come back as they were")
    rows = check_histograms(families["jumelage_call_duration_seconds"])
    claim(set(rows) == {"match.top", "system.ping"}, "methods that were called, and no others")
    claim(rows["match.top"]["count"] == 276, "the count of match.top")
    claim(rows["match.top"]["sum"] == 123456.789012, "the sum of match.top in seconds")
    claim(rows["system.ping"]["count"] == 7, "the count of system.ping is that of its buckets")
    errors = {s.labels["method"]: s.value for s in families["jumelage_call_errors"].samples}
    claim(errors == {"match.top": 5, "system.ping": 0}, "errors of each method")
    print(f"{len(kinds)} families hold")


main()
