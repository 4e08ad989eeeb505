"""A clock that a test moves for programs as they are: server, agent and clients alike. Nothing sleeps."""

import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).with_name("moved_clock.c")


class MovedClock:
    """A file of seconds, and the library that adds them to what the system says."""

    def __init__(self, folder):
        self.seconds, self.file, self.library = 0, folder / "seconds", folder / "moved_clock.so"
        self.file.write_bytes(bytes(8))
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self.library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        self.environment = {"LD_PRELOAD": str(self.library), "MOVED_CLOCK": str(self.file)}

    def advance(self, seconds):
        """Moves it forward for all who have it."""
        self.seconds += seconds
        with open(self.file, "r+b") as file:
            file.write(self.seconds.to_bytes(8, "little", signed=True))
