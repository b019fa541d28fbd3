#!/usr/bin/python3
"""pynvim's msgpack-RPC session (Debian: python3-pynvim): what it does with Neovim, done with jumelage.

It begins with a notification that the service does not know (nvim_set_client_info), which must hurt
nothing, sends method names as str or bin, and takes an error for one only if it is no falsy value.
"""
import os
import sys

from pynvim.msgpack_rpc import socket_session, tcp_session

PAIR = {"programme": "bilocation", "pairing": "hosting", "id": "demo-startup-001"}


class Refused(Exception):
    pass


def use(session):
    session.error_wrapper = Refused  # as pynvim.Nvim sets its own
    assert session.request("system.hello", {"token": os.environ["TOKEN"]})["role"] == "officer"
    assert session.request("system.ping") == "pong"
    assert session.request(b"system.ping") == "pong"
    assert session.request("profile.get", {"id": "yc"})["name"] == "Y Combinator"
    matches = session.request("match.top", {**PAIR, "k": 5})["matches"]
    assert len(matches) == 5 and matches[0]["score"] >= matches[4]["score"], matches
    try:
        session.request("profile.get", {"id": "nobody"})
        raise AssertionError("nobody was found")
    except Refused as refused:
        assert refused.args[0]["name"] == "not_found", refused
    many_at_once(session)


def many_at_once(session):
    ids = [f"demo-startup-{i % 40 + 1:03}" for i in range(500)]
    told = {}

    def note(place):
        def answered(error, result):
            told[place] = error or result["id"]
            if len(told) == len(ids):
                session.stop()
        return answered

    for place, one in enumerate(ids):
        session._async_session.request("profile.get", [{"id": one}], note(place))
    session._async_session.run(None, None)
    assert [told[place] for place in range(len(ids))] == ids, told


def main():
    path, port = sys.argv[1:]
    for session in (socket_session(path), tcp_session("127.0.0.1", int(port))):
        use(session)
        session.close()
    print("pynvim: all is well")


if __name__ == "__main__":
    main()
