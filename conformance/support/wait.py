"""What takes its time and has an end."""

import threading
import time


def until(condition, seconds=60):
    """Waits for the condition to hold, and gives what it gave; what it raises in the end is raised."""
    end = time.monotonic() + seconds
    while True:
        try:
            if found := condition():
                return found
        except Exception:
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end, "it did not come to that"
        threading.Event().wait(0.1)
