"""The search of the directory, shared by all pages."""

import re

from missionsite.common.admin.search import Search

_NUMBER = re.compile(r"#([1-9][0-9]{0,17})|([1-9][0-9]{0,8})")


class DirectorySearch(Search):
    """Finds an entry by its number (#247 or 247), else by the beginning of any of its names."""

    def exact(self, term: str) -> str | None:
        match = _NUMBER.fullmatch(term.strip())
        return f"#{match[1] or match[2]}" if match else None


DIRECTORY = DirectorySearch(
    "member_id",
    "",
    ("name", "telegram_username", "github_username", "organization"),
    ("name", "organization"),
)
