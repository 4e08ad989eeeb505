#!/usr/bin/env python3
"""Signs people in by an LDAP directory and sends them into the console, or gives a command line its credentials.

  GET /               the sign-in page; `?next=/console/…` says where it leads
  POST /              signs in: 303 to the console, by a link that is good once
  POST /credentials   username, password and `as` of a form: the credentials, as AWS's `credential_process` reads them

Needs boto3, the programs of OpenLDAP (Debian: ldap-utils), AWS_ENDPOINT_URL_STS where daypass is, and the broker's own keys
(AWS_ACCESS_KEY_ID, …). It logs one line of JSON for every attempt to its standard error; what was typed is not in it.
"""

import argparse
import http.server
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse

from directory import Directory, is_loopback
from doors import Handler
from guard import Seal, Throttle
from issue import Issuer
from mapping import Mapping
from sign_in import SignIn

AT_ONCE = 64


class Broker(http.server.ThreadingHTTPServer):
    """The listener, and what the requests share."""

    daemon_threads = True

    def __init__(self, arguments):
        host, _, port = arguments.listen.rpartition(":")
        if not arguments.tls_cert and not is_loopback(host):
            raise ValueError("passwords would come over the network in the open: give --tls-cert and --tls-key")
        self.tls = None
        if arguments.tls_cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(arguments.tls_cert, arguments.tls_key)
        self.proxies = set(arguments.proxy)
        self.patience, self.clock = arguments.patience, time.monotonic
        self.seal = Seal(time.time)
        endpoint = os.environ.get("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:7777")
        self.console = arguments.console or endpoint
        self.console_origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(self.console))
        self.issuer = Issuer(Mapping.load(arguments.mapping), endpoint)
        directory, throttle = Directory.load(arguments.directory), Throttle(time.monotonic)
        self.sign_in = SignIn(directory, self.issuer, throttle, self.seal, arguments.floor)
        self._free = threading.BoundedSemaphore(AT_ONCE)
        super().__init__((host, int(port)), Handler)
        scheme = "https" if self.tls else "http"
        self.origin = (arguments.origin or f"{scheme}://{host}:{self.server_address[1]}").rstrip("/")

    def process_request(self, request, client_address):
        """So many at once; who comes then is sent away instead of filling the memory."""
        if self._free.acquire(blocking=False):
            return super().process_request(request, client_address)
        return self.shutdown_request(request)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request, client_address):
        """The kind of what went wrong; a trace could have a password among its values."""
        kind = sys.exc_info()[0]
        if not issubclass(kind, OSError):
            sys.stderr.write(json.dumps({"event": "error", "kind": kind.__name__}) + "\n")
            sys.stderr.flush()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:8017", help="host and port; beyond this machine only with TLS")
    parser.add_argument("--tls-cert", metavar="FILE", help="certificate and what it hangs on")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--origin", metavar="URL", help="where people find the broker, when that is a proxy's address")
    parser.add_argument("--proxy", action="append", default=[], metavar="ADDRESS", help="whose X-Forwarded-For is believed")
    parser.add_argument("--console", metavar="URL", help="where people find daypass, when it is not AWS_ENDPOINT_URL_STS")
    parser.add_argument("--directory", default=os.path.join(here, "directory.json"), metavar="FILE")
    parser.add_argument("--mapping", default=os.path.join(here, "mapping.json"), metavar="FILE")
    parser.add_argument("--floor", type=float, default=1.0, metavar="SECONDS", help="how long a failure takes at least (1)")
    parser.add_argument("--patience", type=float, default=15.0, metavar="SECONDS", help="how long a request may take to arrive (15)")
    try:
        broker = Broker(parser.parse_args())
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"broker: {error}")
    print(f"listening on {broker.origin}", flush=True)
    try:
        broker.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
