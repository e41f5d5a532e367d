"""Export of everything that is stored about a member, for the member: a zip of JSON files.

Every reference to a person in `references.py` is registered here too, by its app: `OwnRows` are exported whole,
`NamedIn` are rows about something else of which the export has the time and kind, `NotExported` has the reason. A test
finds a forgotten one. Other people are left out of all rows.
"""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import BinaryField, DateField, Model, Q
from django.utils.translation import gettext as _

from missionsite.common.annotations import StrOrPromise
from missionsite.common.references import references

IN_MEMORY = 1024 * 1024
BATCH = 1_000
# Never exported: secrets and their digests, and links between rows of the log.
SECRET = frozenset({"password", "digest", "session_key", "token", "salt", "reviewer_token", "changeset_id"})
# What a row of NamedIn shows besides its times.
KIND = ("type", "kind", "status", "to_state", "trigger", "operation", "rule")


@dataclass(frozen=True)
class OwnRows:
    """Rows about the member. without: further columns left out. change: columns that are changed first.

    document: returns name and text of the document of a row, which becomes a file of its own, too.
    """

    model: str
    field: str
    without: tuple[str, ...] = ()
    change: Mapping[str, Callable[[Any], Any]] = dataclass_field(default_factory=dict)
    document: Callable[[Any], tuple[str, str]] | None = None


@dataclass(frozen=True)
class NamedIn:
    """Rows about something else, in which the member did something: only their key, times and kind."""

    model: str
    field: str


@dataclass(frozen=True)
class NotExported:
    """Rows that the export leaves out."""

    model: str
    field: str
    why: StrOrPromise


Source = OwnRows | NamedIn | NotExported
_sources: dict[tuple[str, str], Source] = {}


def register_own_data(*sources: Source) -> None:
    """Register how the references of an app are exported, in `AppConfig.ready`."""
    for source in sources:
        _sources[source.model.lower(), source.field] = source


def own_data_sources() -> list[Source]:
    """Return all registered sources, in an order that never changes."""
    return [_sources[key] for key in sorted(_sources)]


def unregistered() -> set[tuple[str, str]]:
    """Return the references to a person that no source exports or leaves out."""
    return {(each.model.lower(), each.field) for each in references()} - _sources.keys()


def exported_sources() -> list[OwnRows | NamedIn]:
    """Return the sources that are exported."""
    return [each for each in own_data_sources() if not isinstance(each, NotExported)]


def export_own_data(member: Any, *, on_source: Callable[[int], None] = lambda done: None) -> IO[bytes]:
    """Return a zip with the rows of all sources, each source a JSON file, and the documents; rows are read in batches.

    on_source: called with the number of sources before each; what it raises ends the export.
    """
    people = [member, *get_user_model()._default_manager.filter(merged_into=member)]
    entries = list(apps.get_model("groups.CommunityMember")._default_manager.filter(person__in=people))
    file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the caller closes it
    left_out = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in own_data_sources():
            if isinstance(source, NotExported):
                left_out[f"{source.model}.{source.field}"] = str(source.why)
        for done, source in enumerate(exported_sources()):
            on_source(done)
            name = f"{source.model.replace('.', '/').lower()}.{source.field}.json"
            with archive.open(name, "w") as target:
                _write(target, _rows(source, people, entries))
            if isinstance(source, OwnRows) and source.document:
                for row in _found(source, people, entries):
                    document, text = source.document(row)
                    archive.writestr(f"documents/{document}", text)
        with archive.open("groups/member.json", "w") as target:
            _write(target, [_values(each, OwnRows("groups.Member", "id"), people, []) for each in people])
        archive.writestr("not_included.json", json.dumps(left_out, ensure_ascii=False, indent=1))
        archive.writestr("README.txt", _readme())
    file.seek(0)
    return file


def _readme() -> str:
    return _(
        "Everything that this site stores about you: one file for each kind of record, in JSON (UTF-8), with times in"
        " UTC, and the documents you wrote in the folder documents. Files that end in the name of what you did, such as"
        " created_by, list records about something else. Other"
        " people, passwords and keys are left out; not_included.json names the rest, with the reason."
    )


def _write(target: IO[bytes], rows: Iterable[dict]) -> None:
    before = b"["
    for row in rows:
        text = json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)
        target.write(before + b"\n" + text.encode("utf-8", "replace"))
        before = b","
    target.write(b"[]\n" if before == b"[" else b"\n]\n")


def _rows(source: OwnRows | NamedIn, people: list, entries: list) -> Iterator[dict]:
    for row in _found(source, people, entries):
        yield _values(row, source, people, entries)


def _found(source: OwnRows | NamedIn, people: list, entries: list) -> Iterator[Any]:
    model = apps.get_model(source.model)
    related = model._meta.get_field(source.field).related_model
    wanted = people if isinstance(people[0], related) else entries
    rows = model._default_manager.filter(Q(**{f"{source.field}__in": wanted})).order_by("pk")
    yield from rows.iterator(chunk_size=BATCH)


def _values(row: Model, source: OwnRows | NamedIn, people: list, entries: list) -> dict:
    own = {person.pk for person in people} | {entry.pk for entry in entries} | {entry.member_id for entry in entries}
    kinds = tuple(type(each) for each in (*people, *entries))
    values = {}
    for column in row._meta.concrete_fields:
        value = getattr(row, column.attname)
        if column.attname in SECRET or isinstance(column, BinaryField):
            continue
        if column.related_model in kinds and value not in own:
            continue
        if isinstance(source, NamedIn):
            if not (column.primary_key or isinstance(column, DateField) or column.attname in KIND):
                continue
        elif column.attname in source.without:
            continue
        elif column.attname in source.change:
            value = source.change[column.attname](value)
        values[column.attname] = value
    return values
