"""A small daemon of a workstation: claims missions over HTTP, and reports what an agent does.

It shows how a real one talks to the site; the work itself is a function that gets the session.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class Rejected(Exception):
    """The site rejected a request. code: of the problem document."""

    def __init__(self, status: int, problem: dict) -> None:
        self.status, self.code, self.problem = status, problem["code"], problem
        super().__init__(f"{status} {self.code}: {problem['detail']}")


@dataclass
class Daemon:
    """A workstation. site: the address of the site. token: of the scope workstations:run."""

    site: str
    token: str
    organization: str
    name: str = "studio-1"
    workstation: str = ""
    log_bytes: dict[str, int] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        """Send a request to the API. Raises Rejected."""
        request = Request(  # noqa: S310
            f"{self.site}/api{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=60) as response:  # noqa: S310
                return json.load(response)
        except HTTPError as error:
            raise Rejected(error.code, json.load(error)) from None

    def register(self, projects: list[str], clones: dict[str, str], worktrees: dict[str, str]) -> dict:
        """Register, and name projects, clones and work trees (path by repository)."""
        body = {"organization": self.organization, "name": self.name, "daemon_version": "1.0"}
        found = self.ask("POST", "/workstations", body)
        self.workstation = found["id"]
        root = f"/workstations/{self.workstation}"
        self.ask("PUT", f"{root}/projects", {"projects": projects})
        self.ask("PUT", f"{root}/clones", {"clones": _parts(clones)})
        self.ask("PUT", f"{root}/worktrees", {"worktrees": _parts(worktrees)})
        return self.ask("POST", f"{root}/heartbeat", {})

    def claim(self, agent: str = "reference") -> dict | None:
        """Claim the next ready mission. Returns the session, or None."""
        return self.ask("POST", f"/workstations/{self.workstation}/claim", {"agent": agent})["session"]

    def report(self, session: dict, what: str, body: dict | None = None, *, method: str = "POST") -> dict:
        """Report something of a session."""
        return self.ask(method, f"/agent-sessions/{session['id']}/{what}", body or {})

    def log(self, session: dict, text: str) -> None:
        """Append to the log, from the offset that the site knows."""
        offset = self.log_bytes.get(session["id"], session["log_bytes"])
        found = self.report(session, "log", {"offset": offset, "text": text})
        self.log_bytes[session["id"]] = found["log_bytes"]

    def document(self, session: dict, name: str, content: str, based_on: int = 0) -> dict:
        """Save a document of the mission."""
        body = {"name": name, "content": content, "based_on": based_on}
        return self.report(session, "document", body, method="PUT")

    def work(self, agent: Callable[[Daemon, dict], None]) -> dict | None:
        """Claim a mission and let an agent work on it. Returns the ended session, or None without a mission."""
        session = self.claim()
        if session is None:
            return None
        session = self.report(session, "start")
        try:
            agent(self, session)
        except Exception as error:
            return self.report(session, "end", {"status": "failed", "error": str(error)})
        return self.report(session, "end", {"status": "succeeded"})

    def stop(self) -> None:
        """End the session of the daemon."""
        self.ask("POST", f"/workstations/{self.workstation}/end", {})


def _parts(paths: dict[str, str]) -> list[dict]:
    return [{"repository": repository, "path": path} for repository, path in paths.items()]
