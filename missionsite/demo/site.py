"""Runs the demo: one at a time, PostgreSQL, web server and worker watched over until it is told to end."""

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
LOOK_SECONDS = 0.25
ANSWER_SECONDS = 90


class DemoError(Exception):
    """The demo cannot run; the message says why and what to do next."""


class Site:
    """The running site. `var`: the site's folder. `is_embedded`: whether its PostgreSQL is ours to start and stop."""

    def __init__(self, *, var: Path, is_embedded: bool, say: Callable[[str], None]) -> None:
        self.var = var
        self.is_embedded = is_embedded
        self.say = say
        self.ending = threading.Event()
        self.services: list[Service] = []

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Reject a second demo in the same folder; after a killed one, wait until it is cleaned up."""
        files.make_folder(self.var)
        with files.rejections(self.var), open(self.var / "demo.lock", "a") as running:
            try:
                fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                where = files.read_private(self.var / "demo.address") or "another terminal"
                raise DemoError(f"The demo is running already: {where}. End it there with Ctrl-C first.") from None
            # Held together with the watcher, so that the next demo finds out when everything of this one has ended.
            with open(self.var / "demo-cleanup.lock", "a") as cleanup:
                try:
                    fcntl.flock(cleanup, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self.say("Waiting for the processes of the previous run to end ...")
                    fcntl.flock(cleanup, fcntl.LOCK_EX)
                self.cleanup_lock = cleanup.fileno()
                yield

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """End everything at the end of the block: also by a signal, also when this process is killed in it."""
        self.watcher = Watcher(var=self.var if self.is_embedded else None, keep_open=self.cleanup_lock)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        try:
            yield
        finally:
            self.ending.set()
            for service in self.services:
                service.ask_to_end()
            for service in self.services:
                service.end()
            self.watcher.dismiss()
            (self.var / "demo.address").unlink(missing_ok=True)

    def run(self, *, first_port: int) -> None:
        """Start web server and worker, say where the page is once it answers, and look after both until told to end."""
        port = self._pick_port(first_port)
        logs = self.var / "logs"
        web = Service("The web server", web_command(port), log=logs / "web.log", watcher=self.watcher)
        worker = Service("The background worker", worker_command(), log=logs / "worker.log", watcher=self.watcher)
        self.services = [web, worker]
        address = f"http://{HOST}:{port}/"
        files.write_private(self.var / "demo.address", f"{address} (process {os.getpid()})")
        # Links in messages lead to where the demo really is.
        os.environ.setdefault("SITE_URL", address.rstrip("/"))
        for service in self.services:
            service.start()
        self.say("Starting the web server and the background worker ...")
        deadline = time.monotonic() + ANSWER_SECONDS
        answered = False
        while not self.ending.wait(LOOK_SECONDS):
            self._look_after()
            if not answered and (answered := web.is_running() and answers(port)):
                self.say(f"\nThe site is at {address}\nCtrl-C ends it; logs are in {logs}.")
            elif not answered and time.monotonic() > deadline:
                raise DemoError(f"The page at {address} does not answer. What the web server says: {web.log}")

    def _look_after(self) -> None:
        for service in self.services:
            service.check(self.say)
        if self.is_embedded and not embedded.status(self.var):
            self.say("PostgreSQL ended. It starts again now; committed data is kept.")
            before = embedded.urls(self.var)
            embedded.start(self.var)
            if embedded.urls(self.var) != before:  # its port was taken meanwhile
                for service in self.services:
                    service.end()

    def _pick_port(self, first: int) -> int:
        for port in range(first, min(first + 100, 65_536)):
            if is_free(port):
                if port != first:
                    self.say(f"Port {first} is taken; using {port}.")
                return port
        raise DemoError(f"The ports from {first} on are all taken. Name another: bin/demo --port 9000")

    def _interrupt(self, *_args) -> None:
        # The first signal ends waiting below; while something else runs, it ends that too.
        if not self.ending.is_set():
            self.ending.set()
            raise KeyboardInterrupt


def answers(port: int) -> bool:
    """Whether the page comes back with anything but a failure of the server."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
