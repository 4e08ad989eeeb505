"""TLS in front of a server that speaks none, as a proxy has it: bytes go through as they are."""

import contextlib
import socket
import threading

# Longest wait for either side, in seconds.
PATIENCE = 60


class Terminator:
    """On a free port of the loopback interface, until it is stopped."""

    def __init__(self, context, target):
        self.context, self.target = context, target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._connect, args=(connection,), daemon=True).start()

    def _connect(self, connection):
        connection.settimeout(PATIENCE)
        with connection, contextlib.suppress(OSError), self.context.wrap_socket(connection, server_side=True) as outside:
            with socket.create_connection(self.target, timeout=PATIENCE) as inside:
                back = threading.Thread(target=pour, args=(inside, outside), daemon=True)
                back.start()
                pour(outside, inside)
                back.join(PATIENCE)

    def stop(self):
        # Closing alone leaves the thread waiting in `accept`.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def pour(source, into):
    """All that one side says, and that it is done."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            into.sendall(chunk)
    with contextlib.suppress(OSError):
        into.shutdown(socket.SHUT_WR)
