#!/usr/bin/python3
"""Drives the Python client: one command a line, one answer a line (conformance.py tells the language)."""
import json
import sys

from jumelage import Client, JumelageError


def packed(value):
    """JSON with its marks as what the client takes."""
    if isinstance(value, dict):
        if "$bin" in value:
            return bytes.fromhex(value["$bin"])
        if "$int" in value:
            return int(value["$int"])
        return {key: packed(inner) for key, inner in value.items()}
    return [packed(inner) for inner in value] if isinstance(value, list) else value


def marked(value):
    if isinstance(value, bytes):
        return {"$bin": value.hex()}
    if isinstance(value, dict):
        return {key: marked(inner) for key, inner in value.items()}
    return [marked(inner) for inner in value] if isinstance(value, list) else value


def failure(error):
    return {"error": {"code": error.code, "name": error.name, "message": error.message,
                      "field": error.field, "details": marked(error.details)}}


class Driver:
    def __init__(self):
        self.client = None
        self.news = None

    def open(self, options):
        self.close(True)
        timeout_ms = options.pop("timeout_ms", 20000)
        self.client = Client(**options, timeout_s=timeout_ms / 1000)
        return {"role": self.client.connect()["role"]}

    def call(self, command):
        return marked(self.client.call(command["method"], packed(command.get("params", {}))))

    def pipeline(self, calls):
        results = self.client.call_many((one["method"], packed(one.get("params", {})))
                                        for one in calls)
        return [failure(one) if isinstance(one, JumelageError) else {"ok": marked(one)}
                for one in results]

    def erase(self, argument):
        return {"seq": self.client.delete_profile(argument["id"], argument.get("if_version"),
                                                  erase=argument["erase"])}

    def watch(self, named):
        self.news = self.client.watch(named.pop("programme"), timeout_s=20, **named)
        return marked(next(self.news))

    def heard(self, _):
        return marked(next(self.news, None))

    def unwatch(self, _):
        self.news.close()
        return True

    def close(self, _):
        if self.client is not None:
            self.client.close()
        return True


def main():
    driver = Driver()
    for line in sys.stdin:
        (verb, argument), = json.loads(line).items()
        try:
            answer = {"ok": getattr(driver, verb)(argument)}
        except JumelageError as error:
            answer = failure(error)
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main()
