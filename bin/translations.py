"""Collect the texts of the site into the .po files, compile them and those of English texts of Django.

Usage: `python bin/translations.py`.

There are three catalogs of Portuguese: of the members' pages, of the back office with all texts that the first does
not have, and of scripts. With `--check` nothing is written, and the program fails with a list of what is missing;
without it, texts of the back office and of scripts may lack a translation. Needs Babel, which is in
requirements-dev.txt.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGES = ("missionsite", "groups", "engagement", "fallback", "missiondeck")
SOURCE = CHECKOUT / "missionsite" / "portal"
PO = SOURCE / "locale" / "pt_BR" / "LC_MESSAGES" / "django.po"
OFFICE_PO = CHECKOUT / "missionsite" / "locale" / "pt_BR" / "LC_MESSAGES" / "django.po"
SCRIPTS_PO = OFFICE_PO.with_name("djangojs.po")
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
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
# An argument of a template tag or filter, such as `title=_("Messages")`.
ARGUMENT = re.compile(r"""(?<=[=:( ])_\((["'])(.+?)\1\)""")
# What a translation must have like its text: `%(name)s`, `%s`, `{name}` and HTML tags.
PLACEHOLDER = re.compile(r"%\(\w+\)[#0-9.]*[a-z]|%[sd]|{[^{}]*}|</?[a-z][^<>]*>")

# A text, or a singular and its plural; and its context.
Marked = tuple[str | tuple[str, str], str | None]


class Book(NamedTuple):
    """A catalog: its file, who reads it, the texts it must have."""

    po: Path
    readers: str
    texts: Callable[[], Catalog]


def in_python(path: Path) -> Iterator[Marked]:
    """Yield the messages marked in a Python file."""
    for _line, message, _comments, context in extract_from_file("python", path, keywords=KEYWORDS):
        yield message, context


def in_template(path: Path) -> Iterator[Marked]:
    """Yield the messages of a template, as parsed by Django."""
    from django.template import engines
    from django.templatetags.i18n import BlockTranslateNode, TranslateNode

    source = path.read_text(encoding="utf-8")
    template = engines["django"].from_string(source).template
    for node in template.nodelist.get_nodes_by_type(TranslateNode):
        context = node.message_context and node.message_context.var
        yield node.filter_expression.var.literal or node.filter_expression.var, context
    for node in template.nodelist.get_nodes_by_type(BlockTranslateNode):
        singular = node.render_token_list(node.singular)[0]
        plural = node.plural and node.render_token_list(node.plural)[0]
        if node.trimmed:
            singular, plural = " ".join(singular.split()), plural and " ".join(plural.split())
        context = node.message_context and node.message_context.var
        yield (singular, plural) if plural else singular, context
    for _quote, text in ARGUMENT.findall(source):
        yield text, None


def in_script(path: Path) -> Iterator[Marked]:
    """Yield the messages marked in a JavaScript file."""
    for _line, message, _comments, context in extract_from_file("javascript", path):
        yield message, context


def of_django() -> set[str | tuple[str, ...]]:
    """Return the texts that Django translates itself."""
    import django

    found = set()
    for path in Path(django.__file__).parent.rglob("locale/pt_BR/LC_MESSAGES/django.mo"):
        with path.open("rb") as file:
            found |= {key(message)[1] for message in read_mo(file)}
    return found


def in_unfold() -> Iterator[tuple[str, Marked]]:
    """Yield texts of unfold, which has no translations, that Django does not have; with the file."""
    import unfold

    folder = Path(unfold.__file__).parent
    known = of_django()
    patterns = (
        "*.py",
        "mixins/*.py",
        "contrib/filters/**/*.py",
        "templates/admin/**/*.html",
        "templates/unfold/**/*.html",
    )
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern)}):
        for message, context in in_python(path) if path.suffix == ".py" else in_template(path):
            if message not in known:
                yield f"unfold/{path.relative_to(folder).as_posix()}", (message, context)


READERS = {".py": in_python, ".js": in_script}


def collected(paths: list[Path], without: Catalog | None = None) -> Catalog:
    """Return the messages of files. without: a catalog whose messages are left out."""
    catalog = Catalog(project="missionsite", charset="utf-8")
    known = {key(message) for message in without or ()}
    for path in paths:
        for text, context in READERS.get(path.suffix, in_template)(path):
            if text and (context, text) not in known:
                catalog.add(text, locations=[(path.relative_to(CHECKOUT).as_posix(), 0)], context=context)
    return catalog


def marked() -> Catalog:
    """Return the messages of the members' pages."""
    templates = [*SOURCE.rglob("*.html"), *SOURCE.rglob("*.txt")]
    return collected([*sorted(SOURCE.rglob("*.py")), *sorted(templates), *SHARED])


def marked_in_office() -> Catalog:
    """Return the messages of everything else."""
    code, templates = [], []
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.*")):
            if path.suffix == ".py" and "migrations" not in path.parts:
                code.append(path)
            elif path.suffix in (".html", ".txt") and "templates" in path.parts:
                templates.append(path)
    portal = marked()
    catalog = collected([*code, *templates], without=portal)
    known = {key(message) for message in [*portal, *catalog]}
    for path, (text, context) in in_unfold():
        if (context, text) not in known:
            catalog.add(text, locations=[(path, 0)], context=context)
    return catalog


def marked_in_scripts() -> Catalog:
    return collected([path for package in PACKAGES for path in sorted((CHECKOUT / package).rglob("static/**/*.js"))])


def books() -> list[Book]:
    return [
        Book(PO, "the members' pages", marked),
        Book(OFFICE_PO, "the back office", marked_in_office),
        Book(SCRIPTS_PO, "scripts", marked_in_scripts),
    ]


def key(message: Message, part: str = "id") -> tuple[str | None, str | tuple[str, ...]]:
    """Return the context and the text of a message, or both texts of one with a plural."""
    value = getattr(message, part)
    return message.context, tuple(value) if isinstance(value, list | tuple) else value


def translated(po: Path) -> Catalog:
    """Read a .po file."""
    with po.open("rb") as file:
        return read_po(file, locale="pt_BR")


def english() -> Catalog:
    """Read the texts of Django that are replaced in English."""
    with ENGLISH.open("rb") as file:
        catalog = read_po(file, locale="en")
    catalog.revision_date = catalog.creation_date = WRITTEN
    return catalog


def forms(message: Message) -> list[tuple[str, str]]:
    """Return each form of a message in English, with its translation."""
    if message.pluralizable:
        return list(zip(message.id, message.string or ("", ""), strict=True))
    return [(message.id, message.string)]


def is_translated(message: Message) -> bool:
    return all(string for _text, string in forms(message)) and bool(message.string)


def compiled(po: Path) -> dict[tuple, str | tuple[str, ...]]:
    """Return the messages of the .mo file beside a .po file, by context and text."""
    with po.with_suffix(".mo").open("rb") as file:
        messages = [message for message in read_mo(file) if message.id]
    for message in messages:
        # Babel reads it as bytes.
        message.context = message.context.decode() if isinstance(message.context, bytes) else message.context
    return {key(message): key(message, "string")[1] for message in messages}


def expected(messages: list[Message]) -> dict[tuple, str | tuple[str, ...]]:
    """Return what compiling messages gives: those that are translated."""
    return {key(message): key(message, "string")[1] for message in messages if is_translated(message)}


def problems(book: Book) -> list[str]:
    """Return the errors in the translations, one line each."""
    wanted, there = {key(message) for message in book.texts() if message.id}, translated(book.po)
    have = {key(message): message for message in there if message.id}
    found = [f"not collected: {text!r}" for _context, text in wanted - have.keys()]
    found += [f"translated but not used: {text!r}" for _context, text in have.keys() - wanted]
    found += [f"obsolete: {each!r}" for each in there.obsolete]
    for message in have.values():
        if not is_translated(message):
            found.append(f"not translated: {message.id!r}")
        if message.fuzzy:
            found.append(f"fuzzy: {message.id!r}")
        for text, string in forms(message):
            if string and Counter(PLACEHOLDER.findall(text)) != Counter(PLACEHOLDER.findall(string)):
                found.append(f"other placeholders or tags than in {text!r}: {string!r}")
    for po, messages in ((book.po, list(have.values())), (ENGLISH, [each for each in english() if each.id])):
        if compiled(po) != expected(messages):
            found.append(f"{po.with_suffix('.mo').name} is not compiled from {po.name}")
    return sorted(found)


def collect(book: Book) -> None:
    """Write the .po file with the existing translations, and compile it."""
    new = Catalog(
        "pt_BR", project="missionsite", msgid_bugs_address="", last_translator="", language_team="", fuzzy=False
    )
    old = {key(message): message for message in translated(book.po) if message.id} if book.po.exists() else {}
    for message in book.texts():
        if message.id:
            known: Message | None = old.get(key(message))
            new.add(message.id, known.string if known else None, message.locations, context=message.context)
    header = f"Portuguese of Brazil, for {book.readers}. Written by bin/translations.py; translations by hand."
    new.header_comment = f"# {header}"
    new.revision_date = new.creation_date = WRITTEN
    book.po.parent.mkdir(parents=True, exist_ok=True)
    with book.po.open("wb") as file:
        write_po(file, new, width=120, include_lineno=False, omit_header=False)
    for message in [message for message in new if message.id and not is_translated(message)]:
        new.delete(message.id, message.context)
    with book.po.with_suffix(".mo").open("wb") as file:
        write_mo(file, new)
    with ENGLISH.with_suffix(".mo").open("wb") as file:
        write_mo(file, english())


def main() -> int:
    sys.path.insert(0, str(CHECKOUT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missionsite.settings")
    import django

    django.setup()
    strict = sys.argv[1:] == ["--check"]
    errors = []
    for book in books():
        if not strict:
            collect(book)
        errors += [
            error for error in problems(book) if strict or book.po == PO or not error.startswith("not translated: ")
        ]
    print("\n".join(errors))  # noqa: T201
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
