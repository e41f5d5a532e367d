"""Runs the demo: one instance, whose PostgreSQL, web server and worker are supervised until it is stopped."""

import contextlib
import fcntl
import http.client
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from missionsite import embedded
from missionsite.demo.services import Service, Watcher, web_command, worker_command
from missionsite.embedded import files
from missionsite.embedded.cluster import is_free

HOST = "127.0.0.1"
CHECK_SECONDS = 0.25
START_SECONDS = 90


class DemoError(Exception):
    """The demo cannot run; the message has the reason and a remedy."""


class Site:
    """The running demo. var: the site's folder. is_embedded: whether to start and stop the embedded PostgreSQL."""

    def __init__(self, *, var: Path, is_embedded: bool, log: Callable[[str], None]) -> None:
        self.var = var
        self.is_embedded = is_embedded
        self.log = log
        self.ending = threading.Event()
        self.services: list[Service] = []

    @contextlib.contextmanager
    def single_instance(self) -> Iterator[None]:
        """Raise DemoError if a demo runs in this folder; after a killed one, wait for its clean-up."""
        files.make_folder(self.var)
        with files.translate_permission_errors(self.var), open(self.var / "demo.lock", "a") as running:
            try:
                fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                where = files.read_private(self.var / "demo.address") or "another terminal"
                raise DemoError(f"The demo is running already: {where}. Stop it there with Ctrl-C first.") from None
            # Shared with the watcher, so that the next demo waits until all processes of this one have ended.
            with open(self.var / "demo-cleanup.lock", "a") as cleanup:
                try:
                    fcntl.flock(cleanup, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self.log("Waiting for the processes of the previous run to end ...")
                    fcntl.flock(cleanup, fcntl.LOCK_EX)
                self.cleanup_lock = cleanup.fileno()
                yield

    @contextlib.contextmanager
    def supervised(self) -> Iterator[None]:
        """Stop all processes at the end of the block, also after a signal or when this process is killed."""
        self.watcher = Watcher(var=self.var if self.is_embedded else None, keep_open=self.cleanup_lock)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        try:
            yield
        finally:
            self.ending.set()
            for service in self.services:
                service.terminate()
            for service in self.services:
                service.end()
            self.watcher.dismiss()
            (self.var / "demo.address").unlink(missing_ok=True)

    def run(self, *, first_port: int) -> None:
        """Start the web server and the worker, print the address when it responds, and supervise both until stopped."""
        port = self._pick_port(first_port)
        logs = self.var / "logs"
        web = Service("The web server", web_command(port), log=logs / "web.log", watcher=self.watcher)
        worker = Service("The background worker", worker_command(), log=logs / "worker.log", watcher=self.watcher)
        self.services = [web, worker]
        address = f"http://{HOST}:{port}/"
        files.write_private(self.var / "demo.address", f"{address} (process {os.getpid()})")
        # For links in messages.
        os.environ.setdefault("SITE_URL", address.rstrip("/"))
        for service in self.services:
            service.start()
        self.log("Starting the web server and the background worker ...")
        deadline = time.monotonic() + START_SECONDS
        responded = False
        while not self.ending.wait(CHECK_SECONDS):
            self._check_services()
            if not responded and (responded := web.is_running() and responds(port)):
                self.log(f"\nThe site is at {address}\nPress Ctrl-C to stop it. Logs: {logs}")
            elif not responded and time.monotonic() > deadline:
                raise DemoError(f"The page at {address} does not respond. See the web server's log: {web.log}")

    def _check_services(self) -> None:
        for service in self.services:
            service.check(self.log)
        if self.is_embedded and not embedded.status(self.var):
            self.log("PostgreSQL ended. Restarting it; committed data is kept.")
            before = embedded.urls(self.var)
            embedded.start(self.var)
            if embedded.urls(self.var) != before:  # its port was taken
                for service in self.services:
                    service.end()

    def _pick_port(self, first: int) -> int:
        for port in range(first, min(first + 100, 65_536)):
            if is_free(port):
                if port != first:
                    self.log(f"Port {first} is taken; using {port}.")
                return port
        raise DemoError(f"The ports from {first} on are taken. Choose another one, as in: bin/demo --port 9000")

    def _interrupt(self, *_args) -> None:
        # The first signal ends the wait loop, or whatever else is running.
        if not self.ending.is_set():
            self.ending.set()
            raise KeyboardInterrupt


def responds(port: int) -> bool:
    """Whether the page responds without a server error."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
