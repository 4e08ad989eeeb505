#!/usr/bin/env python3
"""The broker's credentials for a command line: put this program into ~/.aws/config,

  [profile work]
  credential_process = …/client.py https://broker.example.com --user grace

and use `aws --profile work`. It asks for the password at the terminal, and sends it in a body, over TLS.
"""

import argparse
import getpass
import json
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("broker", metavar="URL")
    parser.add_argument("--user", required=True, help="your name in the directory")
    parser.add_argument("--as", dest="title", default="", metavar="TITLE", help="a role of yours")
    parser.add_argument("--ca", metavar="FILE", help="authority that vouches for the broker, when the system does not know it")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    given = parser.parse_args()
    place = urllib.parse.urlsplit(given.broker)
    if place.scheme != "https" and not (place.scheme == "http" and place.hostname in ("127.0.0.1", "::1", "localhost")):
        sys.exit("client: the broker is https://, or on this machine: a password goes there")
    password = sys.stdin.read().rstrip("\r\n") if given.password_stdin else getpass.getpass(f"Password of {given.user}: ")
    asked = {"username": given.user, "password": password, "as": given.title}
    door, body = f"{given.broker.rstrip('/')}/credentials", urllib.parse.urlencode(asked).encode()
    try:
        with urllib.request.urlopen(door, body, context=ssl.create_default_context(cafile=given.ca)) as answer:
            print(json.dumps(json.load(answer)))
    except urllib.error.HTTPError as error:
        with error:
            said = json.load(error)
        sys.exit(f"client: {said['message']}" + (f" (--as {' | '.join(said['as'])})" if "as" in said else ""))
    except urllib.error.URLError as error:
        sys.exit(f"client: {error.reason}")


if __name__ == "__main__":
    main()
