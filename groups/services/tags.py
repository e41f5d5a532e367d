"""Tags and notes of people, missions and colonies."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models.functions import Lower

from groups.models import CommunityMember, Group, Member, Note, Tag, Tagging
from groups.selectors.details import Subject, tags_of
from missionsite.common.audit.events import audit
from missionsite.common.errors import NotAllowed, violated
from missionsite.common.transactions import service


def subject_links(subject: Subject) -> dict[str, Any]:
    """Return the links of an event about a subject."""
    if isinstance(subject, Group):
        return {"group": Group(pk=subject.pk)}
    if isinstance(subject, CommunityMember):
        return {"member": subject.person, "number": subject.member_id}
    return {"member": subject}


def subject_column(subject: Subject) -> dict[str, Any]:
    """Return the column that refers to a subject: the account of a person, else their entry."""
    if isinstance(subject, Group):
        return {"group_id": subject.pk}
    if isinstance(subject, CommunityMember):
        return {"member_id": subject.person_id} if subject.person_id else {"entry_id": subject.pk}
    return {"member_id": subject.pk}


def subject_conditions(subject: Subject) -> list[dict[str, Any]]:
    """Return the conditions of rows about a subject, one for each column."""
    if isinstance(subject, CommunityMember) and subject.person_id:
        return [{"entry_id": subject.pk}, {"member_id": subject.person_id}]
    if isinstance(subject, Member):
        return [{"member_id": subject.pk}, {"entry__person": subject.pk}]
    return [subject_column(subject)]


@service
def change_tags(
    *, actor: Member, subject: Subject, add: Collection[str] = (), remove: Collection[str] = ()
) -> list[str]:
    """Add and remove tags by name, in any case; a tag that is not known is created. Returns the tags of the subject.

    Raises ConstraintViolated for a name that is empty, too long, or has a comma or semicolon.
    """
    before = sorted(tags_of(subject).values_list("name", flat=True), key=str.lower)
    there = {name.lower() for name in before}
    gone = {name.lower() for name in remove} & there
    new = {name.strip().lower(): name.strip() for name in add if name.strip().lower() not in there - gone}
    if not (gone or new):
        return before
    for condition in subject_conditions(subject):
        Tagging.objects.alias(name=Lower("tag__name")).filter(**condition, name__in=gone - new.keys()).delete()
    rows = [
        Tagging(tag=tag, **subject_column(subject))
        for tag in find_or_create_tags(new.values())
        if tag.name.lower() not in there
    ]
    # Another transaction may add the same tag meanwhile.
    Tagging.objects.bulk_create(rows, ignore_conflicts=True)
    after = sorted(tags_of(subject).values_list("name", flat=True), key=str.lower)
    if after != before:
        audit("tags.changed", actor=actor, changed={"tags": [before, after]}, **subject_links(subject))
    return after


def find_or_create_tags(names: Iterable[str]) -> list[Tag]:
    """Return the tags with these names, in any case."""
    wanted = {name.lower(): name for name in names}
    if "" in wanted:
        raise violated("tags_name_not_empty")
    found = list(Tag.objects.alias(name_lower=Lower("name")).filter(name_lower__in=wanted))
    for tag in found:
        wanted.pop(tag.name.lower(), None)
    return [*found, *(Tag.objects.create(name=name) for name in wanted.values())]


@service
def rename_tag(*, actor: Member, tag: Tag, name: str) -> Tag:
    """Rename a tag. Raises ConstraintViolated, also for the name of another tag."""
    before, tag.name = tag.name, name.strip()
    if tag.name != before:
        tag.save(update_fields=["name"])
        audit("tag.renamed", actor=actor, changed={"name": [before, tag.name]})
    return tag


@service
def create_tag(*, actor: Member, name: str) -> Tag:
    """Create a tag. Raises ConstraintViolated."""
    tag = Tag.objects.create(name=name.strip())
    audit("tag.created", actor=actor, name=tag.name)
    return tag


@service
def delete_tag(*, actor: Member, tag: Tag) -> None:
    """Delete a tag, also from everyone who has it."""
    rows = Tagging.objects.filter(tag=tag).count()
    name = tag.name
    tag.delete()
    audit("tag.deleted", actor=actor, name=name, rows=rows)


@service
def add_note(*, actor: Member, subject: Subject, text: str) -> Note:
    """Write a note about a subject. Events do not contain its text. Raises ConstraintViolated."""
    note = Note.objects.create(text=text.strip(), author=actor, **subject_column(subject))
    audit("note.added", actor=actor, text_length=len(note.text), **subject_links(subject))
    return note


@service
def remove_note(*, actor: Member, note: Note, subject: Subject) -> None:
    """Delete a note: its author may, and who may change rights. Raises NotAllowed."""
    if note.author_id != actor.pk and not (actor.is_system or actor.has_perm("groups.grant_access")):
        raise NotAllowed
    Note.objects.filter(pk=note.pk).delete()
    audit("note.removed", actor=actor, **subject_links(subject))
