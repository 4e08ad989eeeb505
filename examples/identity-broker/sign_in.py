"""One attempt to sign in, from what was typed to what is given: the same for a browser and for a command line.

Answers for: the order of the steps, one answer and one time for all that is wrong, the log. Refuses to know: HTTP, pages.
"""

import collections
import json
import math
import sys
import time

import pages
from directory import NAME_MAX, Unavailable, canonical_name
from issue import Refused
from mapping import NotOffered

# What was asked: `title` of a role or "", `address` it came from, `known` the mark of a browser or command line that was here before.
Attempt = collections.namedtuple("Attempt", ["name", "password", "title", "address", "known"])
# What came of it: `result` for who is in, else what is `said`, seconds to `wait`, and `titles` to choose from.
Outcome = collections.namedtuple("Outcome", ["status", "result", "said", "wait", "titles"], defaults=[None, None, 0, ()])


class SignIn:
    def __init__(self, directory, issuer, throttle, seal, floor):
        """`floor`: seconds that every failure takes at least."""
        self._directory, self._issuer, self._throttle, self._seal = directory, issuer, throttle, seal
        self._floor = floor

    def attempt(self, asked, give):
        """`give(credentials)` makes `(status, result)` for who may come in."""
        begun = time.monotonic()
        outcome = self._attempt(asked, give)
        if outcome.status in (401, 503):
            # An unknown name and a wrong password take the same steps; what is left of a difference ends here.
            time.sleep(max(0, begun + self._floor - time.monotonic()))
        return outcome

    def _attempt(self, asked, give):
        canonical = canonical_name(asked.name)
        known = canonical and self._seal.known(asked.known, canonical)
        # What is no name at all has a budget too, and looks like one that nobody has.
        wait, give_back = self._throttle.begin(canonical or asked.name[:NAME_MAX], asked.address, known)
        if wait:
            log("throttled", asked)
            return Outcome(429, said=pages.TOO_MANY, wait=math.ceil(wait))
        try:
            person = self._directory.find(asked.name)
            if not self._directory.proves(person, asked.password):
                log("wrong", asked, person)
                return Outcome(401, said=pages.WRONG)
            groups = self._directory.groups_of(person)
        except Unavailable as error:
            # Nobody learned anything, and nobody waits longer for it.
            give_back()
            log("directory", asked, why=str(error))
            return Outcome(503, said=pages.LATER)
        give_back()
        return self._enter(asked, person, groups, give)

    def _enter(self, asked, person, groups, give):
        """Somebody who is who they say: what they may be, and that."""
        try:
            given = self._issuer.credentials(person.name, groups, asked.title)
            status, result = give(given)
        except NotOffered as error:
            log("not offered", asked, person)
            if error.titles and not asked.title:
                return Outcome(409, said=pages.WHICH, titles=error.titles)
            return Outcome(403, said=pages.NOT_THAT if asked.title else pages.NO_ACCESS)
        except Refused as error:
            log("daypass", asked, person, why=str(error))
            return Outcome(503, said=pages.LATER)
        log("in", asked, person, access_key_id=given["AccessKeyId"])
        return Outcome(status, result)


def log(outcome, asked, person=None, **more):
    """The name is the directory's: people type their password into the field above it."""
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": "sign-in", "outcome": outcome}
    line |= {"address": asked.address, "name": person.name if person else None, **more}
    # In one piece, for attempts come side by side.
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()
