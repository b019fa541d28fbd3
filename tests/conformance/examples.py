#!/usr/bin/python3
"""Runs the example of a client's README, word for word, against a service.

    examples.py README.md FENCE COMMAND…    FENCE is the example's language, python or js; COMMAND runs it
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "replay"))
from service import DEADLINE_S, Failure, Service  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
# by fence: the file's ending, and what is put before the example
LANGUAGES = {
    "python": (".py", "address = {!r}\n"),
    "js": (".mjs", "const address = {!r};\n"),
}
TOLD = r"\A(\d+ .+\n){3}.+\n.+\nnot there\n\d+ investors\n(pong\n)?\Z"


def main():
    _, readme, fence, *command = sys.argv
    suffix, head = LANGUAGES[fence]
    with open(readme, encoding="utf-8") as page:
        example = re.search(rf"```{fence}\n(.*?)```", page.read(), re.DOTALL).group(1)
    service = Service([])
    try:
        with tempfile.TemporaryDirectory(prefix="jml") as folder:
            # where `import 'jumelage'` is looked up
            os.symlink(os.path.join(HERE, "node_modules"), os.path.join(folder, "node_modules"))
            path = os.path.join(folder, "example" + suffix)
            with open(path, "w", encoding="utf-8") as file:
                file.write(head.format(service.unix) + example)
            told = subprocess.run([*command, path], stdout=subprocess.PIPE, check=True,
                                  timeout=3 * DEADLINE_S, encoding="utf-8").stdout
        print(told)
        if not re.search(TOLD, told):
            raise Failure("the example tells something else")
        changed = service.call("profile.get", {"id": "demo-startup-002"})
        if changed["team"] != 12:
            raise Failure("the example changed nothing")
    finally:
        service.stop()


if __name__ == "__main__":
    main()
