#!/usr/bin/env python3
"""A token vending machine: gives devices that prove their key temporary credentials of daypass, each for its own place in a bucket.

Needs boto3 and cryptography; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of a user who may call GetFederationToken and do what the
devices may; AWS_ENDPOINT_URL_STS where daypass is.
"""

import argparse
import http.server
import ipaddress
import os
import pathlib
import re
import signal
import ssl
import sys
import threading
import time
import urllib.parse

import boto3
import botocore.exceptions
from botocore.config import Config

from devices import Devices, Full
from vending import Answer, Asked, Machine, Refused

BODY_MAX = 8192
FIELDS_MAX = 16
SECONDS_MAX = 30
ROUTES = {
    "/registerdevice": Machine.register_device,
    "/registeruser": Machine.register_user,
    "/login": Machine.login,
    "/gettoken": Machine.get_token,
}


class Handler(http.server.BaseHTTPRequestHandler):
    """One request, then the connection is closed. GET and POST are alike."""

    server_version, sys_version = "token-vending-machine", ""
    timeout = SECONDS_MAX

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        route = ROUTES.get(address.path)
        if route is None:
            return self.reply(404, Answer())
        try:
            status, answer = 200, route(self.server.machine, self.asked(address.query))
        except Refused as refused:
            status, answer = refused.status, Answer(refused.why)
        except Full:
            status, answer = 503, Answer("full")
        except botocore.exceptions.ClientError as error:
            status, answer = 500, Answer()
            self.log_message("daypass: %s", error)
        except botocore.exceptions.BotoCoreError as error:
            status, answer = 500, Answer()
            self.log_message("daypass: %s", type(error).__name__)
        return self.reply(status, answer)

    do_POST = do_GET

    def asked(self, query):
        """The parameters of address and body. None may come twice: two readers might take different ones."""
        body = ""
        if self.command == "POST":
            length = self.headers.get("Content-Length", "")
            if not re.fullmatch("[0-9]{1,5}", length) or int(length) > BODY_MAX or self.headers.get("Transfer-Encoding"):
                raise Refused(400, "a body needs a length, and a small one")
            body = self.rfile.read(int(length)).decode("utf-8", "replace")
        given = [read(query), read(body)]
        names = [name for pairs in given for name, _ in pairs]
        if len(names) != len(set(names)):
            raise Refused(400, "a parameter is there twice")
        plain_json = "application/json" in self.headers.get("Accept", "")
        return Asked(dict(given[0] + given[1]), {name for name, _ in given[1]}, self.address(), plain_json)

    def address(self):
        """Of the connection; or what a proxy that we know says last."""
        there = self.client_address[0]
        if there in self.server.proxies:
            said = self.headers.get_all("X-Forwarded-For", [""])[-1].rpartition(",")[2].strip()
            return said if is_address(said) else there
        return there

    def reply(self, status, answer):
        body = answer.text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if answer.vouched:
            self.send_header("Answer-Signature", answer.vouched)
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        """Without the query: what stands there is nobody else's business."""
        path = urllib.parse.urlsplit(getattr(self, "path", "")).path
        method = self.command if self.command in ("GET", "POST") else "-"
        self.log_message("%s %s %s", method, path if path in ROUTES else "elsewhere", int(code))

    def log_error(self, *_):
        """Without what came: here it is a request that did not end, and never more."""
        self.log_message("a request did not come whole")

    def send_error(self, code, *_):
        """What is no request is not repeated, to anybody: a password with a space, put into an address, makes one."""
        self.request_version = self.protocol_version  # it is taken for 0.9, which has no status, until it is read
        self.reply(code, Answer())


def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def read(form):
    try:
        return urllib.parse.parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form), max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Refused(400, "the parameters are no form") from None


class Server(http.server.ThreadingHTTPServer):
    """The machine at an address; with `tls`, a context of Python's ssl, by https. `proxies`: whose word on addresses counts."""

    def __init__(self, address, machine, tls=None, proxies=()):
        super().__init__(address, Handler)
        self.machine, self.proxies = machine, set(proxies)
        scheme = "https" if tls else "http"
        if tls:
            # The handshake is left to the thread of the connection, or one slow client would keep all others out.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{scheme}://{address[0]}:{self.server_port}"

    def handle_error(self, request, client_address):
        """A connection that broke is nobody's fault; of anything else the kind is told, and nothing that came with it."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            print(f"{client_address[0]} {type(error).__name__}", file=sys.stderr)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:7780", metavar="ADDRESS:PORT")
    parser.add_argument("--host", required=True, help="the machine's name, which goes into the hashes of passwords: keep it")
    parser.add_argument("--app", default="MyMobileAppName", help="the application's name, which goes there too")
    parser.add_argument("--bucket", required=True, help="what stands for {bucket} in the policy")
    parser.add_argument("--data", default="devices.sqlite", metavar="FILE")
    parser.add_argument("--policy", default=pathlib.Path(__file__).with_name("policy.json"), metavar="FILE")
    parser.add_argument("--seconds", type=int, default=86400, help="how long credentials are good (default: a day)")
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--behind-tls-proxy", action="store_true", help="listen without TLS for more than this machine")
    parser.add_argument("--proxy", action="append", default=[], metavar="ADDRESS", help="whose X-Forwarded-For is believed")
    parser.add_argument("--old-clients", action="store_true", help="take keys and passwords from addresses, as in 2011")
    return parser.parse_args()


def main():
    given = options()
    address, _, port = given.listen.rpartition(":")
    tls = None
    if given.tls_cert:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(given.tls_cert, given.tls_key)
    elif not given.behind_tls_proxy and not ipaddress.ip_address(address).is_loopback:
        sys.exit("keys and passwords go over TLS: --tls-cert and --tls-key, or --behind-tls-proxy")
    if given.behind_tls_proxy and not given.proxy:
        sys.exit("behind a proxy everybody has its address, and one guesser shuts all out: name it with --proxy")
    # The answers are keys. Where they come without TLS, no proxy of the environment gets to read them.
    plain = os.environ.get("AWS_ENDPOINT_URL_STS", "").startswith("http:")
    machine = Machine(
        Devices(given.data),
        boto3.client("sts", region_name=os.environ.get("AWS_REGION", "us-east-1"), config=Config(proxies={} if plain else None)),
        pathlib.Path(given.policy).read_text(encoding="utf-8"),
        bucket=given.bucket,
        application=given.app,
        host=given.host,
        clock=time.time,
        seconds=given.seconds,
        old_clients=given.old_clients,
    )
    server = Server((address, int(port)), machine, tls, given.proxy)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"listening on {server.url}/", flush=True)
    server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
