#!/usr/bin/python3
"""Runs the examples of README.md and client/doc, and compares what they print with what the page shows.

An example is a fenced block marked `console`: lines that begin with `$ ` are commands, run by bash in one
temporary folder a page, in the page's order; the lines up to the next command are their output (both streams).
A line `…` stands for any number of lines left out. `--update` writes the real output into the pages instead
(commands followed by a `…` line are left as they are).
"""
import argparse
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SECONDS = 60


def pages(source):
    yield source / "README.md"
    yield from sorted((source / "client" / "doc").rglob("*.md"))


def steps(block):
    """(command, shown output) of one block."""
    found = []
    for line in block.split("\n"):
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif found:
            found[-1][1].append(line)
        else:
            raise SystemExit(f"an example begins without a command: {line!r}")
    return [(command, "\n".join(lines).rstrip("\n")) for command, lines in found]


def run(command, folder, environment):
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, timeout=SECONDS,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    text = done.stdout.decode("utf-8").replace("\r\n", "\n")
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")


def agrees(shown, real):
    parts = [re.escape(part) for part in re.split(r"(?m)^…$", shown)]
    pattern = r"(?:.*?)".join(part.replace("\\\n", "\n") for part in parts)
    return re.fullmatch(pattern, real, re.DOTALL) is not None


def prepare(folder, arguments):
    environment = dict(os.environ, PATH=f"{arguments.program}:{os.environ['PATH']}",
                       JUMELAGE_SHARE=str(arguments.source / "data"), JUMELAGE_DATA="demo",
                       LC_ALL="C.UTF-8", TZ="UTC", NO_COLOR="1", HOME=str(folder))
    for name in ("JUMELAGE_SERVER", "JUMELAGE_TOKEN_FILE", "JUMELAGE_SITE"):
        environment.pop(name, None)
    for sample in (arguments.source / "tests" / "data" / "import").glob("*.csv"):
        (folder / sample.name).write_bytes(sample.read_bytes())
    return environment


def check_page(page, arguments):
    text = page.read_text(encoding="utf-8")
    n, faults, updated = 0, [], text
    with tempfile.TemporaryDirectory() as folder:
        environment = prepare(pathlib.Path(folder), arguments)
        for match in re.finditer(r"(?ms)^```console\n(.*?)\n```$", text):
            block = []
            for command, shown in steps(match.group(1)):
                real = run(command, folder, environment)
                n += 1
                if arguments.update and not re.search(r"(?m)^…$", shown):
                    shown = real
                elif not agrees(shown, real):
                    faults.append((page, command, shown, real))
                block.append(f"$ {command}" + (f"\n{shown}" if shown else ""))
            updated = updated.replace(match.group(0), "```console\n" + "\n".join(block) + "\n```")
    if arguments.update and updated != text:
        page.write_text(updated, encoding="utf-8")
    return n, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    arguments.program = arguments.program.resolve()
    arguments.source = arguments.source.resolve()
    total, faults = 0, []
    for page in pages(arguments.source):
        n, wrong = check_page(page, arguments)
        total += n
        faults += wrong
    for page, command, shown, real in faults:
        print(f"{page}: $ {command}")
        print("\n".join(difflib.unified_diff(shown.split("\n"), real.split("\n"), "the page",
                                             "the program", lineterm="")))
    print(f"{total - len(faults)} passed, {len(faults)} failed")
    return 1 if faults or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
