"""Remembering which columns and roles were chosen for files of one shape."""

from collections.abc import Sequence
from hashlib import sha256

from django.contrib.postgres.functions import TransactionNow

from groups.models import ImportMapping, Member
from groups.services.import_columns import plain

# Shapes that a file is compared with, the latest first.
COMPARED_SHAPES = 500


def shape_of(header: Sequence[str]) -> str:
    """Return the digest of a heading: the same for other case, accents and empty columns at its end."""
    names = [plain(heading) for heading in header]
    while names and not names[-1]:
        names.pop()
    return sha256("\x1f".join(names).encode("utf-8", "replace")).hexdigest()


def known_shapes() -> set[str]:
    """Return the shapes that have a remembered choice."""
    return set(ImportMapping.objects.order_by("-saved_at", "-id").values_list("shape", flat=True)[:COMPARED_SHAPES])


def find_mapping(header: Sequence[str]) -> ImportMapping | None:
    """Return what was chosen for the last file with this heading."""
    return ImportMapping.objects.filter(shape=shape_of(header)).first()


def columns_for(header: Sequence[str], mapping: ImportMapping) -> dict[str, str]:
    """Return the remembered column of each heading, which may be written in another case."""
    by_name = {plain(heading): column for heading, column in mapping.columns.items()}
    return {heading: by_name[plain(heading)] for heading in header if plain(heading) in by_name}


def remember_mapping(*, actor: Member, header: Sequence[str], columns: dict[str, str], roles: dict[str, str]) -> None:
    """Remember the choices for a heading, in the transaction of the import; the roles are added to the known ones."""
    before = find_mapping(header)
    values = {"columns": columns, "roles": (before.roles if before else {}) | roles, "saved_by": actor}
    if before is None:
        ImportMapping.objects.get_or_create(shape=shape_of(header), defaults=values)
    elif (before.columns, before.roles) != (columns, values["roles"]):
        ImportMapping.objects.filter(pk=before.pk).update(**values, saved_at=TransactionNow())
