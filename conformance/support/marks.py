"""Words that a test writes into what it sends, each saying where it stood, and a search for them in what the server wrote.

A word is of small letters and digits, so that no way of quoting changes it.
"""

import base64
import re

MARK = re.compile(rb"zqmark([a-z0-9]+)zqend", re.IGNORECASE)


def mark(where):
    """The word for a place, which is letters and digits."""
    assert re.fullmatch("[a-z0-9]+", where), where
    return f"zqmark{where}zqend"


def marks_in(*texts):
    """Where the words stood that are in any of these texts, also where they are in base64 wherever it begins."""
    found = set()
    for text in texts:
        data = text if isinstance(text, bytes) else text.encode()
        found.update(where.lower() for where in MARK.findall(data))
        found.update(b"base64" for form in IN_BASE64 if form in data)
    return sorted(where.decode() for where in found)


def in_base64():
    """How every word begins, but for the characters that others have a part in."""
    start = mark("a")[:6].encode()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + start).decode()
        yield coded[-(-before * 8 // 6) : (before + len(start)) * 8 // 6].encode()


IN_BASE64 = list(in_base64())
