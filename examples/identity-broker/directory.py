"""Who somebody is, by an LDAP directory: finds their entry, tries their password, and reads their groups.

Answers for: the filters and what may go into them, empty passwords, the connection's secrecy. Refuses to know: what a group may do.

It runs `ldapsearch` and `ldapwhoami` of OpenLDAP (Debian: ldap-utils). Passwords and names go to them through pipes: arguments are for
everybody on the machine to see, and people type their password into the field above it. No DN is ever made of what somebody typed:
people are searched for, and the password is tried with the DN that the directory gave.
"""

import base64
import collections
import ipaddress
import json
import os
import re
import subprocess
import unicodedata
import urllib.parse

SECONDS = 10
NAME_MAX, PASSWORD_MAX = 128, 1024
# Result codes (RFC 4511, section 4.1.9), and what the programs say when nobody answers.
SUCCESS, SIZE_LIMIT_EXCEEDED = 0, 4
NOBODY_THERE = {51, 52, 255}
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")

Person = collections.namedtuple("Person", ["dn", "name"])


class Unavailable(Exception):
    """The directory did not answer, or not as one does."""


class Directory:
    """One directory, by its settings (`directory.json`)."""

    REQUIRED = {"uri", "bind_dn", "bind_password_file", "people", "groups", "decoy"}
    OPTIONAL = {"starttls": False, "ca": None, "name": "uid", "member": "member"}

    def __init__(self, settings, folder):
        """`folder`: where paths in the settings begin."""
        unknown = settings.keys() - self.REQUIRED - self.OPTIONAL.keys()
        missing = self.REQUIRED - settings.keys()
        if unknown or missing:
            raise ValueError(f"settings of the directory: unknown {sorted(unknown)}, missing {sorted(missing)}")
        given = {**self.OPTIONAL, **settings}
        self.people, self.groups, self.decoy = given["people"], given["groups"], given["decoy"]
        self.name, self.member = given["name"], given["member"]
        if not all(ATTRIBUTE.fullmatch(attribute) for attribute in (self.name, self.member)):
            raise ValueError("settings of the directory: `name` and `member` are names of attributes")
        self.bind_dn = given["bind_dn"]
        with open(os.path.join(folder, given["bind_password_file"]), "rb") as file:
            self._password = file.read().rstrip(b"\r\n")
        if not self._password:
            raise ValueError("the broker's own password at the directory is empty")
        self._connection = connection(given["uri"], given["starttls"], given["ca"] and os.path.join(folder, given["ca"]))

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file), os.path.dirname(os.path.abspath(path)))

    def find(self, typed):
        """The one person of that name, or None. Their name is the directory's, however it was typed. What the directory takes for
        equal and we do not (some pass over accents) is nobody: it would have a budget of failures of its own."""
        canonical = canonical_name(typed)
        if canonical is None:
            return None
        wanted = unicodedata.normalize("NFKC", typed)
        found = self._search(self.people, f"(&(objectClass=person)({self.name}=%s))", wanted, self.name)
        if len(found) != 1:
            return None
        dn, names = found[0]
        # Two names would be two identities: whoever may write a name into their own entry could be anybody.
        if len(names) != 1 or canonical_name(names[0]) != canonical:
            return None
        return Person(dn, names[0])

    def proves(self, person, password):
        """Whether it is this person's password. For nobody (None) as much is done, and the answer is no."""
        # A bind with a name and no password succeeds in many directories, as nobody (RFC 4513, section 5.1.2).
        if not password or len(password.encode()) > PASSWORD_MAX or "\0" in password:
            return False
        dn = person.dn if person else self.decoy
        code, _ = self._run("ldapwhoami", dn, password.encode())
        if code in NOBODY_THERE:
            raise Unavailable(f"ldapwhoami ended with {code}")
        return code == SUCCESS and person is not None

    def groups_of(self, person):
        """The DNs of the groups whose member the person is, as the directory is now."""
        return [dn for dn, _ in self._search(self.groups, f"({self.member}=%s)", person.dn, "1.1", most=1000)]

    def _search(self, base, asked, wanted, attribute, most=2):
        """`[(DN, [value of the attribute, …]), …]`, with the broker's own rights; `wanted` stands for `%s` in what is asked."""
        more = ["-LLL", "-o", "ldif_wrap=no", "-s", "sub", "-z", str(most), "-b", base, "-f", "-", asked, attribute]
        code, printed = self._run("ldapsearch", self.bind_dn, self._password, *more, typed=f"{escape(wanted)}\n")
        if code == SIZE_LIMIT_EXCEEDED and most == 2:
            return []
        if code != SUCCESS:
            raise Unavailable(f"ldapsearch ended with {code}")
        return list(entries(printed, attribute))

    def _run(self, program, dn, password, *more, typed=""):
        """The program's end and what it printed. It reads the password from a pipe of its own, and `typed` from its standard input."""
        reads, writes = os.pipe()
        # None of the settings of the machine or of the folder we stand in: `ldaprc` could lead elsewhere.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LDAPNOINIT": "1", "LC_ALL": "C.UTF-8"}
        command = [program, "-x", *self._connection, "-D", dn, "-y", f"/dev/fd/{reads}", *more]
        try:
            # A pipe holds more than a password has.
            os.write(writes, password)
            os.close(writes)
            done = subprocess.run(
                command, input=typed.encode(), env=environment, pass_fds=[reads], capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{program} took longer than {SECONDS} s") from None
        finally:
            os.close(reads)
        return done.returncode, done.stdout.decode()


def connection(uri, starttls, authority):
    """Arguments that lead to the directory. Passwords go there: over TLS, or without leaving this machine."""
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme not in ("ldap", "ldaps", "ldapi") or parts.path.strip("/") or parts.query:
        raise ValueError("the directory's `uri` is ldap://, ldaps:// or ldapi:// and a place, without a path")
    if parts.scheme == "ldap" and not starttls and not is_loopback(parts.hostname):
        raise ValueError("passwords would go over the network in the open: use ldaps:// or `starttls`")
    if parts.scheme != "ldap" and starttls:
        raise ValueError("`starttls` is for ldap://")
    made = ["-H", uri, "-o", f"nettimeout={SECONDS}", "-o", "TLS_REQCERT=demand", "-o", "REFERRALS=off"]
    if authority:
        made += ["-o", f"TLS_CACERT={authority}"]
    # Twice: without TLS nothing more is said.
    return made + (["-ZZ"] if starttls else [])


def is_loopback(host):
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def canonical_name(typed):
    """One form of all the ways to write a name, or None for what is none. Throttling counts by it: a name with many forms
    would have as many budgets. Dots alone are none: the name becomes part of paths, where they lead elsewhere."""
    made = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold())
    if not 0 < len(made) <= NAME_MAX or not made.isprintable() or any(letter.isspace() for letter in made) or not made.strip("."):
        return None
    return made


def escape(value):
    """A value in a filter (RFC 4515, section 3). More is escaped than has to be: what is left can mean nothing anywhere."""
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-@,= "
    return "".join(chr(byte) if byte in plain else f"\\{byte:02x}" for byte in value.encode())


def entries(ldif, attribute):
    """`(DN, values)` of each entry (RFC 2849), as `ldapsearch -LLL -o ldif_wrap=no` prints them."""
    for block in ldif.split("\n\n"):
        dn, values = None, []
        for line in block.splitlines():
            known, _, rest = line.partition(":")
            if known == "dn":
                dn = value(rest)
            elif known.lower() == attribute.lower():
                values.append(value(rest))
        if dn is not None:
            yield dn, values


def value(rest):
    """What stands behind `attribute:`; with one more colon it is base64."""
    try:
        return base64.b64decode(rest[1:].strip()).decode() if rest.startswith(":") else rest.removeprefix(" ")
    except ValueError:
        raise Unavailable("the directory has a name that is not text") from None
