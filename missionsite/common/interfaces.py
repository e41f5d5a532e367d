"""What an app offers to its siblings, which cannot import it: the caller calls a function here.

The app that owns the tables implements the function, and registers it in `AppConfig.ready`.
"""

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

F = TypeVar("F")


class Notify(Protocol):
    """The implementation of notify(), with the models of its app."""

    def __call__(
        self,
        *,
        actor: Any,
        member: Any,
        kind: str,
        title: str,
        project: Any,
        mission: Any,
        payload: Mapping[str, Any] | None,
    ) -> Model: ...


class LinkPullRequest(Protocol):
    """The implementation of link_pull_request(), with the models of its app."""

    def __call__(self, *, actor: Any, url: str, mission: Any, title: str, branch: str) -> Model: ...


class CheckPullRequests(Protocol):
    """The implementation of check_pull_requests()."""

    def __call__(self, *, repository: str) -> bool: ...


class _Implementation(Generic[F]):
    def __init__(self, name: str) -> None:
        self._name = name
        self._function: F | None = None

    def register(self, function: F) -> None:
        self._function = function

    @property
    def function(self) -> F:
        if self._function is None:
            raise ImproperlyConfigured(f"No installed app implements {self._name}().")
        return self._function


_notify = _Implementation[Notify]("notify")
_link_pull_request = _Implementation[LinkPullRequest]("link_pull_request")
_check_pull_requests = _Implementation[CheckPullRequests]("check_pull_requests")
register_notify = _notify.register
register_link_pull_request = _link_pull_request.register
register_check_pull_requests = _check_pull_requests.register


# Labels of the kinds of notifications, by app.
_kinds: dict[str, Any] = {}


def register_notification_kinds(kinds: Mapping[str, Any]) -> None:
    """Name the kinds that an app passes to notify(), so that members can choose how each reaches them."""
    _kinds.update(kinds)


def notification_kinds() -> dict[str, Any]:
    """The labels of the kinds of other apps than the one that implements notify()."""
    return dict(_kinds)


def notify(
    *,
    actor: Model,
    member: Model,
    kind: str,
    title: str,
    project: Model | None = None,
    mission: Model | None = None,
    payload: Mapping[str, Any] | None = None,
) -> Model:
    """Add a notification to a member's list, in the transaction of the caller, and return it.

    kind: what it is about, as a noun and past participle such as `proposal.accepted`. title: one line of at most 500
    characters, in the member's language. project, mission: what it links to; by default the mission's project.
    payload: JSON values for the page that shows it.
    """
    return _notify.function(
        actor=actor, member=member, kind=kind, title=title, project=project, mission=mission, payload=payload
    )


def link_pull_request(
    *, actor: Model, url: str, mission: Model | None = None, title: str = "", branch: str = ""
) -> Model:
    """Link a pull request of GitHub to a mission of a board, and return the link. Repeated, it returns the same link.

    url: `https://github.com/<owner>/<repository>/pull/<number>`. mission: by default the one that already names this
    repository and number. Raises a DomainError for another address, for a repository that the project does not have,
    and for a pull request of another mission.
    """
    return _link_pull_request.function(actor=actor, url=url, mission=mission, title=title, branch=branch)


def check_pull_requests(*, repository: str) -> bool:
    """Let a job check at once the pull requests of a repository that are evidence, because GitHub reported a change.

    repository: `owner/name`. The job starts when the transaction of the caller is committed. Returns False if there are
    none.
    """
    return _check_pull_requests.function(repository=repository)
