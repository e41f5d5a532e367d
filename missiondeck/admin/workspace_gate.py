"""The gate of a workspace: its checklist, and the forms of its rules, baseline and vanished tests."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from missiondeck import rules
from missiondeck.admin.workspace_url import WorkspaceUrl
from missiondeck.selectors.gates import checks_of
from missionsite.common.admin.formats import format_number


class SuitesField(forms.CharField):
    """Names of suites, separated by commas or lines."""

    def clean(self, value: Any) -> list[str]:
        return [
            part for line in super().clean(value).splitlines() for each in line.split(",") if (part := each.strip())
        ]


class GateRulesForm(forms.Form):
    required_suites = SuitesField(max_length=rules.MAX_SUITES * 150, required=False)
    min_tests = forms.IntegerField(min_value=1, max_value=rules.MAX_TESTS, required=False)
    max_failures = forms.IntegerField(min_value=0, max_value=rules.MAX_TESTS, required=False)
    max_age_days = forms.IntegerField(min_value=1, max_value=rules.MAX_AGE_DAYS, required=False)

    def clean_max_failures(self) -> int:
        return self.cleaned_data["max_failures"] or 0


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=rules.REASON_LENGTH, error_messages={"required": _("Enter a reason.")})


def gate(found: dict, url: WorkspaceUrl) -> dict:
    """The checklist of a mission's gate, its rules, and what can be confirmed. found: of gate_of()."""
    checks = checks_of(found)
    open_count = sum(not check.is_met for check in checks)
    if open_count:
        title = ngettext("Closed: %(count)s rule is not met", "Closed: %(count)s rules are not met", open_count) % {
            "count": open_count
        }
    else:
        title = gettext("Open: every rule is met")
    vanished = found["vanished_tests"]
    return {
        "is_open": not open_count,
        "title": title,
        "commit": found["commit"][:10],
        "checks": [(check, url.first_page(run=check.run).href if check.run else "") for check in checks],
        "rules": found,
        "suites": ", ".join(found["required_suites"]),
        "min_tests": found["min_tests"] if found["is_min_tests_stated"] else "",
        "share": format_number(round(rules.BASELINE_RATIO * 100)),
        "vanished": vanished,
        "more_vanished": found["vanished"] - len(vanished),
        "baseline": found["baseline"],
        "has_tests": found["tests"] > 0,
        "rules_url": url.action("gate"),
        "baseline_url": url.action("baseline"),
        "vanished_url": url.action("vanished"),
    }
