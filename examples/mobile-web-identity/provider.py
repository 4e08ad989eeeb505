#!/usr/bin/env python3
"""Stands in for an OpenID Connect provider: the issuer of the conformance tests, which hands out a token of anybody to anybody.
For trying the example on one machine, and for nothing else. Needs cryptography."""

import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "conformance"))

from support.issuer import Issuer


class StandIn(Issuer):
    """Beside its documents it has a token for each name, made when it is asked for."""

    def __init__(self, names):
        self.names = names
        super().__init__()

    def documents(self):
        tokens = {f"{self.path}/token/{name}": {"id_token": self.token(sub=name)} for name in self.names}
        return {**super().documents(), **tokens}


def main():
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    provider = StandIn(sys.argv[1:] or ["alice", "bob"])
    print(provider.url, flush=True)
    try:
        ended.wait()
    except KeyboardInterrupt:
        pass
    provider.close()


if __name__ == "__main__":
    main()
