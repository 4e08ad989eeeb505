"""Bytes as no client sends them, and a proxy that should see nothing."""

import http.server
import socket
import threading
import urllib.parse


class Trap:
    """An HTTP proxy on a free port of the loopback interface. What comes is answered with 502, and its first line and body are in `seen`."""

    def __init__(self):
        trap = self
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode("utf-8", "replace")
                trap.seen.append((self.requestline, body))
                self.send_error(502)

            do_GET = do_PUT = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def environment(self):
        """Variables that lead a program to it, whichever spelling it reads, without an exception for this machine."""
        return {"http_proxy": self.url, "HTTP_PROXY": self.url, "no_proxy": "", "NO_PROXY": ""}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=30)


def raw(url, sent):
    """All that comes back for these bytes and an end."""
    place, answer = urllib.parse.urlsplit(url), []
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        try:
            while part := connection.recv(65536):
                answer.append(part)
        except ConnectionResetError:
            # More was sent than is read there.
            pass
    return b"".join(answer)
