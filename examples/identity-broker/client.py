#!/usr/bin/env python3
"""The broker's credentials for a command line: put this program into ~/.aws/config,

  [profile work]
  credential_process = …/client.py https://broker.example.com --user grace

and use `aws --profile work`. It asks for the password at the terminal, and sends it in a body, over TLS. When it was right the broker
gives a mark, as it does to browsers, which is kept in a file (--known): who has it is not kept out by others' guesses.
"""

import argparse
import getpass
import json
import os
import pathlib
import re
import ssl
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

# One cookie, as the broker makes it.
MARK = re.compile(r"(__Host-)?known=[A-Za-z0-9_.-]{1,200}")


class Known:
    """The marks of this user's command lines: a file that nobody else reads, with one for each broker and name."""

    def __init__(self, path, broker, user):
        self._path, self._whose = path, f"{user} {broker.rstrip('/')}"

    def _all(self):
        try:
            marks = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return marks if isinstance(marks, dict) else {}

    def mark(self):
        """The mark, or None; without one it goes as for anybody."""
        mark = self._all().get(self._whose)
        return mark if isinstance(mark, str) and MARK.fullmatch(mark) else None

    def keep(self, headers):
        """What the broker gave, in one piece: programs run side by side."""
        given = [line.partition(";")[0] for line in headers.get_all("Set-Cookie", [])]
        marks = self._all() | {self._whose: mark for mark in given if MARK.fullmatch(mark)}
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made, path = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
        with open(made, "w", encoding="utf-8") as file:
            json.dump(marks, file)
        os.replace(path, self._path)


def opener(scheme, cafile):
    """Over TLS, or on this machine, where no proxy of the environment gets to read it."""
    if scheme == "http":
        return urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=cafile)))


def why(error):
    """What the broker said, as far as it was our broker."""
    try:
        said = json.load(error)
        return f"{said['message']}" + (f" (--as {' | '.join(said['as'])})" if "as" in said else "")
    except (ValueError, KeyError, TypeError):
        return f"the broker answered {error.code}"


def options():
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("broker", metavar="URL")
    parser.add_argument("--user", required=True, help="your name in the directory")
    parser.add_argument("--as", dest="title", default="", metavar="TITLE", help="a role of yours")
    parser.add_argument("--ca", metavar="FILE", help="authority that vouches for the broker, when the system does not know it")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    kept = os.path.join(state, "identity-broker", "known.json")
    parser.add_argument("--known", type=pathlib.Path, default=kept, metavar="FILE", help="where the broker's mark is kept")
    return parser.parse_args()


def main():
    given = options()
    place = urllib.parse.urlsplit(given.broker)
    if place.scheme != "https" and not (place.scheme == "http" and place.hostname in ("127.0.0.1", "::1", "localhost")):
        sys.exit("client: the broker is https://, or on this machine: a password goes there")
    password = sys.stdin.read().rstrip("\r\n") if given.password_stdin else getpass.getpass(f"Password of {given.user}: ")
    asked = {"username": given.user, "password": password, "as": given.title}
    request = urllib.request.Request(f"{given.broker.rstrip('/')}/credentials", urllib.parse.urlencode(asked).encode())
    known = Known(given.known, given.broker, given.user)
    if mark := known.mark():
        request.add_unredirected_header("Cookie", mark)
    try:
        with opener(place.scheme, given.ca).open(request) as answer:
            print(json.dumps(json.load(answer)))
    except urllib.error.HTTPError as error:
        with error:
            sys.exit(f"client: {why(error)}")
    except urllib.error.URLError as error:
        sys.exit(f"client: {error.reason}")
    try:
        known.keep(answer.headers)
    except OSError as error:
        # What was asked for is there.
        print(f"client: the broker's mark is not kept: {error.strerror}", file=sys.stderr)


if __name__ == "__main__":
    main()
