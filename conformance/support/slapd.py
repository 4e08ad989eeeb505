"""OpenLDAP with the directory of `examples/identity-broker`: an ordinary process on loopback with a folder of its own."""

import os
import secrets
import shutil
import socket
import subprocess
import threading

from .server import ROOT, START_SECONDS

EXAMPLE = ROOT / "examples" / "identity-broker"
SUFFIX = "dc=example,dc=org"
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
QUIET = {"PATH": PATH, "LDAPNOINIT": "1"}


class Slapd:
    """One directory that knows the people of `people.ldif`; `log` has what it was asked."""

    def __init__(self, folder, authority=None, scheme="ldap"):
        """`authority`: a folder with `cert.pem` and `key.pem`, for TLS: by STARTTLS, or by the scheme `ldaps`."""
        self.folder = folder
        self.password = secrets.token_hex(24)
        (folder / "db").mkdir(mode=0o700)
        text = (EXAMPLE / "slapd.conf").read_text(encoding="utf-8")
        if authority:
            files = {"TLSCertificateFile": "cert.pem", "TLSCertificateKeyFile": "key.pem"}
            text = "".join(f"{known} {authority / name}\n" for known, name in files.items()) + text
        manager = f'rootdn "cn=manager,{SUFFIX}"\nrootpw {self.password}\n'
        (folder / "slapd.conf").write_text(text.replace("index ", f"{manager}index ", 1), encoding="utf-8")
        self._run("slapadd", "-q", "-f", "slapd.conf", "-l", str(EXAMPLE / "people.ldif"))
        self._start(scheme)

    def _start(self, scheme):
        # It takes no port 0: should somebody be quicker at the free one, then there are others.
        for _ in range(20):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            self.uri = f"{scheme}://127.0.0.1:{port}"
            self.process = subprocess.Popen(
                [shutil.which("slapd", path=PATH), "-f", "slapd.conf", "-h", self.uri, "-d", "stats"],
                cwd=self.folder,
                env=QUIET,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            if self._is_ready():
                self._reader = threading.Thread(target=self._drain, daemon=True)
                self._reader.start()
                return
            self.process.wait()
        raise RuntimeError(f"slapd does not start: {self.lines}")

    def _is_ready(self):
        self.lines = []
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        try:
            for line in self.process.stderr:
                self.lines.append(line)
                if "slapd starting" in line:
                    return True
            return False
        finally:
            watchdog.cancel()

    def _drain(self):
        # The pipe is read on, or a talkative directory would wait for us.
        for line in self.process.stderr:
            self.lines.append(line)

    def _run(self, program, *arguments, **more):
        path = shutil.which(program, path=PATH)
        subprocess.run([path, *arguments], cwd=self.folder, env=QUIET, check=True, capture_output=True, timeout=60, **more)

    def change(self, ldif):
        """As its manager: entries and changes (RFC 2849)."""
        (self.folder / "manager").write_text(self.password, encoding="utf-8")
        self._run("ldapmodify", "-x", "-a", "-H", self.uri, "-D", f"cn=manager,{SUFFIX}", "-y", "manager", input=ldif.encode())

    def remove(self, dn):
        self.change(f"dn: {dn}\nchangetype: delete\n")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self._reader.join(timeout=30)
        self.process.stderr.close()
