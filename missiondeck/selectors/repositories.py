"""URLs of commits and files in repositories on GitHub, GitLab, Bitbucket, Gitea and Forgejo.

What a host runs is known by the setting DECK_FORGES or by its name, such as gitlab.example.org. Sources: the links that
these sites show for a commit ("permalink").
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings

from missiondeck.rules import repository_of


class Forge(NamedTuple):
    """The parts of URLs below the URL of a repository."""

    commit: str
    file: str
    line: str


_GITHUB = Forge("/commit/{commit}", "/blob/{commit}/{path}", "#L{line}")
_GITLAB = Forge("/-/commit/{commit}", "/-/blob/{commit}/{path}", "#L{line}")
_BITBUCKET = Forge("/commits/{commit}", "/src/{commit}/{path}", "#lines-{line}")
_BITBUCKET_SERVER = Forge("/commits/{commit}", "/browse/{path}?at={commit}", "#{line}")
_GITEA = Forge("/commit/{commit}", "/src/commit/{commit}/{path}", "#L{line}")
# By a part of the name of the host, between dots and hyphens.
_FORGES = {
    "github": _GITHUB,
    "gitlab": _GITLAB,
    "bitbucket": _BITBUCKET,
    "gitea": _GITEA,
    "forgejo": _GITEA,
    "codeberg": _GITEA,
}
_FILE = re.compile(r"(?P<path>[^:\x00-\x1f]+?)(?::(?P<line>[1-9][0-9]{0,6})(?::[0-9]+)?)?$")


def commit_url(repository: str, commit: str) -> str:
    """The page of a commit; "" if the repository or the commit is not known, or the host is of another kind."""
    forge = _forge_of(repository)
    return repository.rstrip("/") + forge.commit.format(commit=commit) if forge and commit else ""


def file_url(repository: str, commit: str, file: str) -> str:
    """The page of a file at a commit, as reports name it: a relative path, also with a line ("a/b.py:12"); else ""."""
    forge, found = _forge_of(repository), _FILE.match(file.replace("\\", "/").removeprefix("./"))
    if forge is None or not commit or found is None:
        return ""
    path, line = found["path"], found["line"]
    if path.startswith(("/", "~")) or ".." in path.split("/"):
        return ""
    url = repository.rstrip("/") + forge.file.format(commit=commit, path=quote(path))
    return url + forge.line.format(line=line) if line else url


def _forge_of(repository: str) -> Forge | None:
    host, path = repository_of(repository)
    for part in (settings.DECK_FORGES.get(host.partition(":")[0], ""), *re.split(r"[.:-]", host)):
        if forge := _FORGES.get(part):
            return _BITBUCKET_SERVER if forge is _BITBUCKET and "/repos/" in f"/{path}" else forge
    return None
