"""A PostgreSQL cluster in a folder: created at the first start and reused afterwards."""

# ruff: noqa: S603 - runs only PostgreSQL programs

import functools
import json
import os
import random
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from missionsite.embedded import account, binaries, files, processes
from missionsite.embedded.errors import EmbeddedError

HOST = "127.0.0.1"
DATABASE = "missionsite"
SUPERUSER = "postgres"
# Below the ephemeral ports of Linux, so that the stored port is rarely taken at the next start.
PORTS = range(20_000, 32_000)
# Longest path of a unix socket in bytes. Source: PostgreSQL sources, UNIXSOCK_PATH_BUFLEN; sun_path in unix(7).
LONGEST_SOCKET = 103
START_SECONDS = 120
# Where root stores the data of a checkout that the unprivileged user cannot access.
ROOT_DATA_DIR = Path("/var/lib/missionsite")
LARGEST_LOG = 10_000_000
# Temporary causes: a port taken between check and use; without /proc, orphaned processes that are about to exit.
RETRYABLE_CAUSES = ("could not create any TCP/IP sockets", "still in use", "already exists")
DEFAULT_SETTINGS: dict[str, str] = {}
# Test data may be lost in a crash; one test uses more than 50 connections, times the number of test workers.
TEST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


@dataclass(frozen=True)
class Server:
    """A running server. started: whether this call started it."""

    port: int
    app_url: str
    owner_url: str
    started: bool


class Cluster:
    """The cluster whose files are in `var`.

    postgres/           the server's files, owned by its account; a link if root stores them elsewhere
    postgres.json       port and passwords of the two roles; mode 0600
    postgres.superuser  password of the superuser; mode 0600
    postgres.lock       locked while starting or stopping
    """

    def __init__(self, var: Path, *, tests: bool = False) -> None:
        self.var = Path(var).absolute()
        self.tests = tests
        self.link = self.var / "postgres"
        self.connection_file = self.var / "postgres.json"
        self.superuser_file = self.var / "postgres.superuser"

    # --- Public interface ---------------------------------------------------------------

    def start(self) -> Server:
        """Start the server with its roles and database. A concurrent call waits and finds it running."""
        with files.locked(self.var / "postgres.lock"):
            running = self._running()
            if not running:
                self._prepare_home()
                self._create_data()
                processes.clean_up(self.data)
                self._start_postmaster()
            connection = files.read_json(self.connection_file)
            postmaster = processes.postmaster(self.data)
            if postmaster is None or postmaster.port is None:
                raise EmbeddedError("The embedded PostgreSQL ended while it was starting.")
            port = postmaster.port
            # At each start: a later version may have more roles.
            if not running or not connection or connection["port"] != port:
                connection = self._prepare(port, connection)
            app_url, owner_url = urls_of(connection)
            return Server(port, app_url, owner_url, started=not running)

    def update_roles(self) -> None:
        """Run roles.sql again on the running server, which an earlier version may have started."""
        with files.locked(self.var / "postgres.lock"):
            connection = files.read_json(self.connection_file)
            if connection:
                self._prepare(connection["port"], connection)

    def stop(self) -> bool:
        """Stop the server. Returns whether it was running."""
        if not self.home.exists():
            return False
        with files.locked(self.var / "postgres.lock"):
            if not self._running():
                return False
            for mode in ("fast", "immediate"):
                stopped = self._pg_ctl("stop", "-m", mode, "-t", "60")
                if stopped.returncode == 0:
                    self._remove_short_socket_folder()
                    return True
            raise EmbeddedError(f"PostgreSQL did not stop: {_last_line(stopped)}")

    def remove(self) -> None:
        """Stop the server and delete all its data, including roles and databases."""
        self.stop()
        with files.translate_permission_errors(self.home):
            if self.home.exists():
                shutil.rmtree(self.home)
            if self.link.is_symlink():
                self.link.unlink()
        self.connection_file.unlink(missing_ok=True)
        self.superuser_file.unlink(missing_ok=True)

    def running(self) -> processes.Postmaster | None:
        """The running server, without waiting for a start or stop in progress."""
        return processes.postmaster(self.data)

    # --- Account and folders ------------------------------------------------------------------

    @property
    def home(self) -> Path:
        """The real path of `postgres/`, because the unprivileged user may be unable to follow the link."""
        return self.link.resolve()

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def account(self) -> account.Account:
        return account.choose(self.home, self.var.parent)

    @functools.cached_property
    def binaries(self) -> binaries.Binaries:
        return binaries.find().readable_by(self.account, self.home)

    def _prepare_home(self) -> None:
        if self.link.is_symlink() and not self.home.exists():
            raise EmbeddedError(
                f"{self.link} points to {self.home}, which is gone. Restore it, or delete the link and "
                f"{self.connection_file.name} to start with an empty database."
            )
        if not self.home.exists():
            # Before the folder exists: afterwards its owner decides.
            chosen = self.account
            files.make_folder(self.var)
            if not chosen.can_enter(self.var):
                self.link.symlink_to(_make_root_data_dir())
            else:
                self.home.mkdir(mode=0o700)
            chosen.take_ownership(self.home)
        owner = self.home.stat().st_uid
        if os.geteuid() not in (0, owner):
            raise EmbeddedError(
                f"{self.home} belongs to another user, who started the site here first. Run the command as that user, "
                "or set MISSIONSITE_VAR_DIR to another folder."
            )
        if not self.account.can_enter(self.home):
            raise EmbeddedError(
                f"The user {self.account.name}, who runs PostgreSQL, has no access to {self.home}: a parent folder is "
                "closed. Open it (chmod a+x), or set MISSIONSITE_VAR_DIR to another folder."
            )

    def _create_data(self) -> None:
        found = self.binaries
        version_file = self.data / "PG_VERSION"
        if version_file.exists():
            made_by = version_file.read_text().strip()
            if int(made_by) != found.major:
                raise EmbeddedError(
                    f"The data in {self.home} was made by PostgreSQL {made_by}, and {found.folder} holds "
                    f"{found.version}. Set MISSIONSITE_POSTGRES_BIN to the bin folder of a PostgreSQL {made_by}, "
                    "or start over with bin/demo --reset."
                )
            return
        unfinished = self.home / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        # Its passwords belong to other data.
        self.connection_file.unlink(missing_ok=True)
        password_file = self.home / "password"
        files.write_private(password_file, files.secret(self.var, self.superuser_file.name, _password))
        self.account.take_ownership(password_file)
        try:
            for locale in _locales(found.major):
                made = self.account.run(
                    [found.program("initdb"), "-D", unfinished, "-U", SUPERUSER, "--encoding=UTF8", *locale,
                     "--auth=scram-sha-256", f"--pwfile={password_file}", *(["--no-sync"] if self.tests else [])]
                )  # fmt: skip
                if made.returncode == 0:
                    break
            else:
                raise EmbeddedError(f"PostgreSQL could not create its data in {self.home}: {_last_line(made)}")
        finally:
            password_file.unlink()
        with open(unfinished / "postgresql.conf", "a") as conf:
            conf.write("\ninclude 'missionsite.conf'\n")
        # Atomically, so that an interrupted first start leaves a complete cluster or none.
        unfinished.rename(self.data)

    # --- Starting -----------------------------------------------------------------------------

    def _running(self) -> bool:
        """Whether a server is ready. Waits for a start or stop in progress."""

        def is_settled() -> bool:
            found = processes.postmaster(self.data)
            return not found or found.state == "ready"

        if not processes.wait_until(is_settled, seconds=START_SECONDS):
            raise EmbeddedError(f"PostgreSQL neither starts nor stops. See {self.log}.")
        return processes.postmaster(self.data) is not None

    def _start_postmaster(self) -> None:
        connection = files.read_json(self.connection_file) or {}
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".old"))
        port = connection.get("port")
        for _attempt in range(5):
            port = port if port and is_free(port) else free_port()
            self._configure(port)
            started = self._pg_ctl("start", "-l", self.log, "-t", str(START_SECONDS))
            if started.returncode == 0:
                return
            if not any(cause in self._reason() for cause in RETRYABLE_CAUSES):
                break
            processes.wait_until(lambda: False, seconds=0.5)
        raise EmbeddedError(f"PostgreSQL did not start: {self._reason() or _last_line(started)} See {self.log}.")

    def _configure(self, port: int) -> None:
        self._remove_short_socket_folder()
        sockets = self.home / "socket"
        shutil.rmtree(sockets, ignore_errors=True)
        if len(os.fsencode(sockets / f".s.PGSQL.{port}.lock")) > LONGEST_SOCKET:
            sockets = Path(tempfile.mkdtemp(prefix="missionsite-"))
            (self.home / "short-socket-folder").write_text(str(sockets))
        else:
            sockets.mkdir(mode=0o700)
        self.account.take_ownership(sockets)
        settings = {
            "listen_addresses": HOST,
            "port": str(port),
            # A list whose items may be quoted.
            "unix_socket_directories": '"{}"'.format(str(sockets).replace('"', '""')),
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            # Failed statements contain personal data, so only the error is logged.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_timezone": "UTC",
            **(TEST_SETTINGS if self.tests else DEFAULT_SETTINGS),
            **_settings_from_environment(),
        }
        conf = self.data / "missionsite.conf"
        files.write_private(
            conf, "".join("{} = '{}'\n".format(name, value.replace("'", "''")) for name, value in settings.items())
        )
        self.account.take_ownership(conf)

    def _remove_short_socket_folder(self) -> None:
        note = self.home / "short-socket-folder"
        if note.exists():
            folder = Path(note.read_text())
            if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == self.account.uid:
                shutil.rmtree(folder, ignore_errors=True)
            note.unlink()

    def _pg_ctl(self, *arguments: str | Path) -> subprocess.CompletedProcess:
        # With relative paths, because pg_ctl passes them to a shell.
        relative = [part.relative_to(self.home) if isinstance(part, Path) else part for part in arguments]
        command = [self.binaries.program("pg_ctl"), *relative, "-D", "data", "-w"]
        return self.account.run(command, cwd=self.home, seconds=START_SECONDS + 60)

    def _reason(self) -> str:
        """The last fatal error in the server's log, without the time."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        for number in range(len(lines) - 1, -1, -1):
            if "FATAL:" in lines[number] or "PANIC:" in lines[number]:
                # An error in the settings is one line above.
                cause = lines[number - 1] if lines[number].endswith("contains errors") and number else lines[number]
                return re.sub(r"^.*?(FATAL|PANIC|LOG):\s*", "", cause) + "."
        return ""

    # --- Roles and database -------------------------------------------------------------------

    def _prepare(self, port: int, connection: dict | None) -> dict:
        """Create missing roles and the database, then write the connection file, which shows that all of it exists."""
        password = files.read_private(self.superuser_file)
        if not password:
            raise EmbeddedError(
                f"{self.superuser_file} is gone, and with it the access to {self.home}. Restore it, or start over with "
                "bin/demo --reset."
            )
        connection = {
            "port": port,
            "app_password": connection["app_password"] if connection else _password(),
            "owner_password": connection["owner_password"] if connection else _password(),
        }
        self._psql(port, password, connection, "--file", Path(__file__).with_name("roles.sql"))
        if self.tests:
            # The test runner creates its own databases.
            self._psql(port, password, connection, "--command", "ALTER ROLE missionsite_owner CREATEDB")
        files.write_private(self.connection_file, json.dumps(connection))
        return connection

    def _psql(self, port: int, password: str, connection: dict, *arguments: str | Path) -> None:
        login = {
            "PGHOST": HOST,
            "PGPORT": str(port),
            "PGUSER": SUPERUSER,
            "PGDATABASE": "postgres",
            "PGPASSWORD": password,
            "APP_PASSWORD": connection["app_password"],
            "OWNER_PASSWORD": connection["owner_password"],
        }
        result = subprocess.run(
            [binaries.find().program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *arguments],
            env=account.clean_environment() | login,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise EmbeddedError(f"The roles and the database could not be created: {_last_line(result)}")


def urls_of(connection: dict) -> tuple[str, str]:
    """The database URLs of the app and the owner, from the contents of the connection file."""
    app, owner = (
        f"postgres://missionsite_{role}:{connection[f'{role}_password']}@{HOST}:{connection['port']}/{DATABASE}"
        for role in ("app", "owner")
    )
    return app, owner


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the server does: a port with closing connections counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A random free loopback port, so that concurrent first starts rarely choose the same."""
    for port in random.sample(PORTS, 100):
        if is_free(port):
            return port
    raise EmbeddedError(f"No free port was found between {PORTS.start} and {PORTS.stop} on {HOST}.")


def _settings_from_environment() -> dict[str, str]:
    """Settings from MISSIONSITE_POSTGRES_SETTINGS: name=value pairs separated by spaces, quoted as in a shell."""
    text = os.environ.get("MISSIONSITE_POSTGRES_SETTINGS", "")
    try:
        return dict(pair.split("=", 1) for pair in shlex.split(text))
    except ValueError:
        raise EmbeddedError(
            f"MISSIONSITE_POSTGRES_SETTINGS is {text!r}. Write name=value pairs with spaces between: shared_buffers=1GB"
        ) from None


def _locales(major: int) -> list[list[str]]:
    """initdb's locale options, best first: the builtin provider is the same on every machine."""
    if major >= 17:
        return [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    return [["--locale=C.UTF-8"], ["--locale=C"]]


def _make_root_data_dir() -> Path:
    try:
        ROOT_DATA_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=ROOT_DATA_DIR, prefix="postgres-"))
    except OSError as error:
        raise EmbeddedError(
            f"The database cannot be stored in {ROOT_DATA_DIR} ({error.strerror}), where root stores the data of a "
            "folder closed to other users. Set MISSIONSITE_VAR_DIR to a folder that every user can access."
        ) from error


def _password() -> str:
    return secrets.token_urlsafe(24)


def _last_line(result: subprocess.CompletedProcess) -> str:
    lines = [line for line in (result.stderr or result.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no reason was given"])[-1].strip()
