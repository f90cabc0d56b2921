"""A PostgreSQL server of the tests' own: loopback, a folder of its own, killed and started at will.

Belongs here: the server and small helpers to fill it. Does not belong here: what is tested.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

SUPERUSER = "postgres"
READER, READER_PASSWORD = "keeper", "s3cret-of-the-keeper"  # noqa: S105 - of this server alone
START_SECONDS = 60

_ACCESS = f"""\
local all all trust
host all {READER} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""


def binaries() -> Path | None:
    """Folder of initdb and postgres, of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    return Path(named).resolve().parent if named else None


def _version(path: Path) -> int:
    name = path.parent.parent.name
    return int(name) if name.isdigit() else 0


class Server:
    """One server; root starts it as the user of the package, for it refuses to run as root."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="agentledger-postgres-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            account = pwd.getpwnam(SUPERUSER)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self._as_user = ["runuser", "-u", SUPERUSER, "--"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._call("initdb", "-D", str(self.data), "-U", SUPERUSER, "-A", "trust", "--no-sync",
                   "-E", "UTF8", "--locale=C.UTF-8")  # fmt: skip
        (self.data / "pg_hba.conf").write_text(_ACCESS)
        self.start()
        self.sql(
            f"create role {READER} login password '{READER_PASSWORD}'; "
            f"alter default privileges grant select on tables to {READER}; "
            f"alter default privileges grant usage on schemas to {READER};"
        )

    @property
    def dsn(self) -> str:
        """The superuser's connection string, without a password."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/postgres"

    @property
    def dsn_with_password(self) -> str:
        """That of a role which must say its password."""
        return f"postgresql://{READER}:{READER_PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = (
            f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off "
            "-c max_connections=20 -c shared_buffers=32MB -c autovacuum=off"
        )
        give_up_at = time.monotonic() + START_SECONDS
        while True:
            try:
                self._call("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "-o", options,
                           "start")  # fmt: skip
                return
            except subprocess.CalledProcessError:
                # Children of a killed server end a moment after it and hold its memory until then.
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.3)

    def stop(self, mode: str = "fast") -> None:
        self._call("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """SIGKILL to the server and to each of its children, as when a machine loses its power."""
        main = int((self.data / "postmaster.pid").read_text().split()[0])
        pids = [main]
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == main:
                pids.append(int(status.parent.name))
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def sql(self, statements: str) -> str:
        """Run statements as the superuser; the output without headings."""
        return subprocess.run(
            [str(self.programs / "psql"), "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", self.dsn],
            input=statements, text=True, capture_output=True, check=True, timeout=120,
        ).stdout.strip()  # fmt: skip

    def session(self) -> "subprocess.Popen[str]":
        """A session that stays open, for transactions that commit late."""
        return subprocess.Popen(
            [str(self.programs / "psql"), "-X", "-q", "-At", self.dsn],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # a test may have killed it
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_user, str(self.programs / program), *arguments],
            check=True, cwd=self.folder, timeout=START_SECONDS + 60,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


def say(session: "subprocess.Popen[str]", statement: str) -> Any:
    """Send a statement to an open session and wait until it was carried out."""
    assert session.stdin is not None and session.stdout is not None
    session.stdin.write(f"{statement}; select 'done';\n")
    session.stdin.flush()
    while session.stdout.readline().strip() != "done":
        continue
