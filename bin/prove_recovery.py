"""Restore a cluster with pgBackRest to a named second: the row written before is there, the row written after is not.

The cluster is one of its own in `var/prove-recovery`, run by the newest PostgreSQL of the system, which has to be one
that the installed pgBackRest knows. The configuration is deploy/pgbackrest.conf with other paths. The data folder is
emptied before the restore. Exits with 2 where a program is missing, and names it.
"""

# ruff: noqa: T201 - it runs programs of this machine and prints results

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

import psycopg  # noqa: E402

from missionsite import embedded  # noqa: E402
from missionsite.embedded import binaries  # noqa: E402
from missionsite.embedded.cluster import HOST, SUPERUSER, Cluster  # noqa: E402

STANZA = "missionsite"


class Recovery:
    """A cluster that archives into a repository beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config, self.repository = folder, folder / "pgbackrest.conf", folder / "repository"
        # Its locks, logs and queues.
        self.work = folder / "work"
        self.cluster = Cluster(folder)

    def start(self) -> None:
        """Start the cluster, archiving."""
        command = f"pgbackrest --config={self.config} --stanza={STANZA} archive-push %p"
        os.environ["MISSIONSITE_POSTGRES_SETTINGS"] = f"archive_mode=on 'archive_command={command}'"
        embedded.start(self.folder)

    def connect(self) -> psycopg.Connection:
        user, password = embedded.superuser(self.folder)
        port = embedded.status(self.folder).port
        return psycopg.connect(host=HOST, port=port, user=user, password=password, dbname="postgres", autocommit=True)

    def configure(self) -> None:
        """Write the sample with the paths of this cluster."""
        with closing(self.connect()) as session:
            sockets = session.execute("SHOW unix_socket_directories").fetchone()[0].strip('"')
        text = (CHECKOUT / "deploy/pgbackrest.conf").read_text()
        for name, value in {"repo1-path": self.repository, "pg1-path": self.cluster.data}.items():
            text = re.sub(rf"^{name}=.*", f"{name}={value}", text, flags=re.MULTILINE)
        text += f"pg1-port={embedded.status(self.folder).port}\npg1-socket-path={sockets}\npg1-user={SUPERUSER}\n"
        for name in ("log-path", "lock-path", "spool-path"):
            text = text.replace("[global]", f"[global]\n{name}={self.work}", 1)
        self.config.write_text(text)
        self.repository.mkdir()
        self.work.mkdir()
        for path in (self.config, self.repository, self.work):
            self.cluster.account.take_ownership(path)

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run pgBackRest as the user of the server. Exits if it fails."""
        password = embedded.superuser(self.folder)[1]
        command = ["env", f"PGPASSWORD={password}", "pgbackrest", f"--config={self.config}", f"--stanza={STANZA}"]
        done = self.cluster.account.run([*command, *arguments], seconds=600)
        if done.returncode:
            sys.exit(f"pgbackrest {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done


def write(session: psycopg.Connection, name: str) -> None:
    session.execute("INSERT INTO written (name) VALUES (%s)", [name])


def main() -> int:
    lacking = [name for name in ("pgbackrest",) if not shutil.which(name)]
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name))
    if not versions:
        lacking.append("postgresql (apt install postgresql)")
    if lacking:
        print(f"The proof needs what is missing here: {', '.join(lacking)}")
        return 2
    os.environ["MISSIONSITE_POSTGRES_BIN"] = str(versions[-1])
    folder = embedded.var_dir().absolute() / "prove-recovery"
    embedded.remove(folder)
    shutil.rmtree(folder, ignore_errors=True)
    recovery, results = Recovery(folder), []

    def report(passed: bool, text: str) -> None:
        results.append(passed)
        print(f"{time.strftime('%H:%M:%S')} {'PASS' if passed else 'FAIL'} {text}", flush=True)

    try:
        embedded.start(folder)
        recovery.configure()
        embedded.stop(folder)
        recovery.start()
        recovery.run("stanza-create")
        recovery.run("check")
        recovery.run("--type=full", "backup")
        with closing(recovery.connect()) as session:
            session.execute("CREATE TABLE written (name text, at timestamptz DEFAULT clock_timestamp())")
            write(session, "before")
            # The next whole second after this row, and the row after it.
            (target,) = session.execute("SELECT (date_trunc('second', now()) + interval '2 seconds')::text").fetchone()
            session.execute("SELECT pg_sleep_until(%s::timestamptz + interval '1 second')", [target])
            write(session, "after")
            found = session.execute("SELECT name FROM written ORDER BY at").fetchall()
            report(found == [("before",), ("after",)], f"both rows are there, {target} is between them")
            # Archive what is written until now.
            (segment,) = session.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
            ends = time.monotonic() + 60
            while (session.execute("SELECT last_archived_wal FROM pg_stat_archiver").fetchone()[0] or "") < segment:
                if time.monotonic() > ends:
                    sys.exit("The log is not archived.")
                time.sleep(0.1)
        embedded.stop(folder)
        for each in recovery.cluster.data.iterdir():
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
        began = time.monotonic()
        recovery.run("--type=time", f"--target={target}", "--target-action=promote", "restore")
        # Without the roles, which cannot be written before the recovery has ended.
        recovery.cluster._start_postmaster()
        with closing(recovery.connect()) as session:
            while session.execute("SELECT pg_is_in_recovery()").fetchone()[0]:
                time.sleep(0.1)
            found = session.execute("SELECT name FROM written").fetchall()
            report(found == [("before",)], f"restored to {target} in {time.monotonic() - began:.1f} s: {found}")
            write(session, "new")
            report(True, f"it takes writes, by PostgreSQL {binaries.find().version} and {pgbackrest_version()}")
    finally:
        embedded.stop(folder)
    if all(results):
        embedded.remove(folder)
        shutil.rmtree(folder)
    return 0 if all(results) else 1


def pgbackrest_version() -> str:
    return subprocess.run(["pgbackrest", "version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607


if __name__ == "__main__":
    sys.exit(main())
