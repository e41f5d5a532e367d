"""The evidence of a workspace: of each item, and all of it as a matrix of items and kinds."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.models import Member
from missiondeck.admin.workspace_url import WorkspaceUrl, key_of
from missiondeck.models import (
    FOR_READING,
    DeckMission,
    DodItem,
    Evidence,
    EvidenceChange,
    EvidenceKind,
    EvidenceState,
)
from missiondeck.rules import EVIDENCE_LENGTH, TESTER
from missionsite.common.admin.actions import InvalidForm
from missionsite.common.annotations import StrOrPromise

TONES: dict[str, str] = {
    EvidenceState.MET: "good",
    EvidenceState.FAILED: "bad",
    EvidenceState.MISSING: "warn",
    EvidenceState.PENDING: "info",
}
MARKS: dict[str, str] = {
    EvidenceState.MET: "✓",
    EvidenceState.FAILED: "✕",
    EvidenceState.MISSING: "○",
    EvidenceState.PENDING: "…",
}
COLUMNS: dict[str, StrOrPromise] = {
    EvidenceKind.TEST: _("Tests"),
    EvidenceKind.SUITE: _("Suites"),
    EvidenceKind.PULL_REQUEST: _("Pull requests"),
    EvidenceKind.ADDRESS: _("Addresses"),
    EvidenceKind.SIGN_OFF: _("Sign-offs"),
    EvidenceKind.FILE: _("Files"),
    EvidenceKind.LINK: _("Links"),
}


class EvidenceForm(forms.Form):
    kind = forms.ChoiceField(choices=EvidenceKind)
    value = forms.CharField(max_length=EVIDENCE_LENGTH, required=False)
    file = forms.FileField(
        required=False, max_length=255, error_messages={"max_length": _("The file name is too long.")}
    )

    def clean(self) -> dict:
        super().clean()
        values = self.cleaned_data
        if values.get("kind") == EvidenceKind.FILE:
            if file := values.get("file"):
                values["value"] = values.get("value") or file.name
        elif not values.get("value"):
            self.add_error("value", _("Enter a test, suite, URL or role."))
        else:
            values["file"] = None
        return values


class SignatureForm(forms.Form):
    signed = forms.TypedChoiceField(choices=(("1", "1"), ("0", "0")), coerce=lambda value: value == "1")


def evidence_rows(
    found: list[Evidence], url: WorkspaceUrl, roles: set[str], *, is_open: bool, may_change: bool
) -> list[dict]:
    """The evidence of one item, with the actions of a member.

    roles: of the member. is_open: the mission is not complete.
    """
    return [_row(each, url, roles, is_open=is_open, may_change=is_open and may_change) for each in found]


def _row(each: Evidence, url: WorkspaceUrl, roles: set[str], *, is_open: bool, may_change: bool) -> dict:
    may_sign = is_open and each.kind == EvidenceKind.SIGN_OFF and each.value in roles
    return {
        "kind": each.kind,
        "kind_label": each.get_kind_display(),
        "value": each.value,
        "href": _href(each, url),
        "state": each.state,
        "state_label": _state_label(each),
        "tone": "calm" if each.kind in FOR_READING else TONES[each.state],
        "mark": "↗" if each.kind in FOR_READING else MARKS[each.state],
        "run_url": url.to(citizen=TESTER, run=each.run_id).href if each.run_id else "",
        "signed_by": str(each.signed_by) if each.signed_by else "",
        "signed_at": each.signed_at,
        "sign_url": url.action("sign", each.pk) if may_sign else "",
        "remove_url": url.to(edit=None).action("remove_evidence", each.pk) if may_change else "",
    }


def _href(each: Evidence, url: WorkspaceUrl) -> str:
    if each.kind == EvidenceKind.FILE:
        return url.file(each.pk)
    return each.value if each.kind in (EvidenceKind.LINK, EvidenceKind.ADDRESS, EvidenceKind.PULL_REQUEST) else ""


def _state_label(each: Evidence) -> str:
    if each.kind == EvidenceKind.SIGN_OFF:
        return gettext("Signed") if each.signed_at else gettext("Not signed")
    if each.kind in FOR_READING:
        return ""
    if each.kind in (EvidenceKind.ADDRESS, EvidenceKind.PULL_REQUEST):
        return format_detail(each.detail) if each.observed else gettext("Not checked yet")
    if each.state == EvidenceState.MET:
        return gettext("Passed")
    return each.get_state_display()


def format_detail(detail: str) -> str:
    """What a check found, translated up to its colon."""
    what, colon, rest = detail.partition(":")
    return f"{gettext(what)}{colon}{rest}" if what else ""


def find_evidence(mission: DeckMission, key: str) -> Evidence:
    """A piece of evidence of a mission. Raises InvalidForm if it was removed."""
    rows = Evidence.objects.select_related("item").filter(item__mission=mission, removed_at=None, pk=key_of(key))
    if found := rows.first():
        return found
    raise InvalidForm(gettext("This evidence was removed by another user."), field="evidence")


def roles_of(member: Member) -> set[str]:
    """The names of the roles of a member."""
    return set(member.groups.values_list("name", flat=True))


def matrix(
    items: list[DodItem], rows: dict[UUID, list[dict]], changes: list[EvidenceChange], url: WorkspaceUrl
) -> dict:
    """Items with evidence as rows, kinds of evidence as columns, and what evidence changed last."""
    return {
        "columns": list(COLUMNS.values()),
        "rows": [
            {
                "text": item.text,
                "is_done": item.completed,
                "cells": [
                    (label, [each for each in rows[item.pk] if each["kind"] == kind]) for kind, label in COLUMNS.items()
                ],
            }
            for item in items
            if item.pk in rows
        ],
        "changes": [
            {
                "text": each.item.text,
                "is_done": each.completed,
                "at": each.created_at,
                "run_url": url.to(citizen=TESTER, run=each.run_id).href if each.run_id else "",
            }
            for each in changes
        ],
    }
