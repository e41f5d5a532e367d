"""Collect the texts of the members' pages into the .po file, compile it and that of English texts of Django.

Usage: `python bin/translations.py`.

With `--check` it only prints what is missing, and fails. Needs Babel, which is in requirements-dev.txt.
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCE = CHECKOUT / "missionsite" / "portal"
PO = SOURCE / "locale" / "pt_BR" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
# English texts of Django that read differently in this product; edited by hand.
ENGLISH = CHECKOUT / "missionsite" / "locale" / "en" / "LC_MESSAGES" / "django.po"
# Shared code and pages whose messages members see too.
SHARED = [
    CHECKOUT / "missionsite" / "common" / "passwords.py",
    CHECKOUT / "groups" / "services" / "account_mail.py",
    *sorted((CHECKOUT / "missionsite" / "templates").glob("*.html")),
]
# The date in each catalog: fixed, so that the same messages give the same file.
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
KEYWORDS = {**DEFAULT_KEYWORDS, "gettext_lazy": None, "gettext_noop": None, "ngettext_lazy": (1, 2)}


def in_python(path: Path) -> Iterator[str | tuple[str, str]]:
    """Yield the messages marked in a Python file."""
    for _line, message, _comments, _context in extract_from_file("python", path, keywords=KEYWORDS):
        yield message


def in_template(path: Path) -> Iterator[str | tuple[str, str]]:
    """Yield the messages of a template, as parsed by Django."""
    from django.template import engines
    from django.templatetags.i18n import BlockTranslateNode, TranslateNode

    template = engines["django"].from_string(path.read_text(encoding="utf-8")).template
    for node in template.nodelist.get_nodes_by_type(TranslateNode):
        yield node.filter_expression.var.literal or node.filter_expression.var
    for node in template.nodelist.get_nodes_by_type(BlockTranslateNode):
        singular = node.render_token_list(node.singular)[0]
        plural = node.plural and node.render_token_list(node.plural)[0]
        if node.trimmed:
            singular, plural = " ".join(singular.split()), plural and " ".join(plural.split())
        yield (singular, plural) if plural else singular


def marked() -> Catalog:
    """Return all messages to translate."""
    catalog = Catalog(project="missionsite", charset="utf-8")
    templates = [*SOURCE.rglob("*.html"), *SOURCE.rglob("*.txt")]
    for path in [*sorted(SOURCE.rglob("*.py")), *sorted(templates), *SHARED]:
        for message in in_python(path) if path.suffix == ".py" else in_template(path):
            catalog.add(message, locations=[(path.relative_to(CHECKOUT).as_posix(), 0)])
    return catalog


def key(message: Message, part: str = "id") -> str | tuple[str, ...]:
    """Return the text of a message, or both texts of one with a plural."""
    value = getattr(message, part)
    return tuple(value) if isinstance(value, list | tuple) else value


def translated() -> Catalog:
    """Read the .po file."""
    with PO.open("rb") as file:
        return read_po(file, locale="pt_BR")


def english() -> Catalog:
    """Read the texts of Django that are replaced in English."""
    with ENGLISH.open("rb") as file:
        catalog = read_po(file, locale="en")
    catalog.revision_date = catalog.creation_date = WRITTEN
    return catalog


def problems() -> list[str]:
    """Return the errors in the translations, one line each."""
    wanted, there = {key(message) for message in marked() if message.id}, translated()
    have = {key(message): message for message in there if message.id}
    found = [f"not collected: {each!r}" for each in wanted - have.keys()]
    found += [f"translated but not used: {each!r}" for each in have.keys() - wanted]
    found += [f"obsolete: {each!r}" for each in there.obsolete]
    for message in have.values():
        strings = message.string if message.pluralizable else (message.string,)
        if not strings or not all(strings):
            found.append(f"not translated: {message.id!r}")
        if message.fuzzy:
            found.append(f"fuzzy: {message.id!r}")
        found += [f"{message.id!r}: {error}" for error in message.check(there)]
    for po, messages in ((PO, have.values()), (ENGLISH, [message for message in english() if message.id])):
        with po.with_suffix(".mo").open("rb") as file:
            compiled = {key(message): key(message, "string") for message in read_mo(file) if message.id}
        if compiled != {key(message): key(message, "string") for message in messages}:
            found.append(f"{po.with_suffix('.mo').name} is not compiled from {po.name}")
    return sorted(found)


def collect() -> None:
    """Write the .po file with the existing translations, and compile it."""
    new = Catalog(
        "pt_BR", project="missionsite", msgid_bugs_address="", last_translator="", language_team="", fuzzy=False
    )
    old = {key(message): message for message in translated() if message.id} if PO.exists() else {}
    for message in marked():
        if message.id:
            known: Message | None = old.get(key(message))
            new.add(message.id, known.string if known else None, message.locations)
    header = "Portuguese of Brazil, for the members' pages. Written by bin/translations.py; translations by hand."
    new.header_comment = f"# {header}"
    new.revision_date = new.creation_date = WRITTEN
    with PO.open("wb") as file:
        write_po(file, new, width=120, include_lineno=False, omit_header=False)
    with MO.open("wb") as file:
        write_mo(file, new)
    with ENGLISH.with_suffix(".mo").open("wb") as file:
        write_mo(file, english())


def main() -> int:
    sys.path.insert(0, str(CHECKOUT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missionsite.settings")
    import django

    django.setup()
    if sys.argv[1:] != ["--check"]:
        collect()
    errors = problems()
    print("\n".join(errors))  # noqa: T201
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
