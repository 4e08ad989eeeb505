"""The internet as far as the server under test gets: an HTTP proxy, behind which every https host is the test's own."""

import json
import socketserver
import threading

from .authority import Authority


class Internet:
    """`tell` what a URL answers; `asked` are the host and target of every request that came through."""

    def __init__(self, folder):
        self.authority = Authority(folder)
        self.answers, self.contexts, self.asked = {}, {}, []
        internet = self

        class Tunnel(socketserver.StreamRequestHandler):
            def handle(self):
                method, authority, *_ = head(self.rfile)[0].split()
                host, _, port = authority.rpartition(":")
                if (method, port) != ("CONNECT", "443") or host not in internet.contexts:
                    self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                    return
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with internet.contexts[host].wrap_socket(self.connection, server_side=True) as stream:
                    internet.answer(host, stream)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def settings(self):
        """What a server is started with that is to live in it."""
        proxy = f"http://127.0.0.1:{self.server.server_address[1]}"
        return ["--outbound-proxy", proxy, "--ca-bundle", str(self.authority.path)]

    def tell(self, url, document, status=200):
        """From now on the https URL, whatever its query, answers this document, or what this makes of the query."""
        host, _, path = url.removeprefix("https://").partition("/")
        if host not in self.contexts:
            self.contexts[host] = self.authority.context(address=host)
        self.answers[host, f"/{path}"] = (status, document)

    def answer(self, host, stream):
        with stream.makefile("rb") as incoming:
            target = head(incoming)[0].split()[1]
        self.asked.append((host, target))
        path, _, query = target.partition("?")
        status, document = self.answers.get((host, path), (404, {}))
        if callable(document):
            status, document = document(query)
        body = json.dumps(document).encode()
        start = f"HTTP/1.1 {status} Answer\r\nContent-Length: {len(body)}\r\n\r\n"
        stream.sendall(start.encode() + body)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def head(stream):
    """The lines of a request before its body."""
    lines = []
    while line := stream.readline().strip():
        lines.append(line.decode())
    return lines
