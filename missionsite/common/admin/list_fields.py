"""A form field for a list of short texts."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget


class ListField(forms.CharField):
    """A list of texts, entered one per line or separated by commas. Blank entries are left out.

    by_line: one per line. most: of entries. longest: characters of an entry.
    """

    def __init__(self, *, most: int, longest: int, by_line: bool = False, **kwargs: Any) -> None:
        self.most, self.longest, self.by_line = most, longest, by_line
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 6}) if by_line else UnfoldAdminTextInputWidget()
        super().__init__(widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return ("\n" if self.by_line else ", ").join(str(entry) for entry in value)
        return value

    def clean(self, value: Any) -> list[str]:
        entries = self._split(super().clean(value))
        if self.required and not entries:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(entries) > self.most:
            raise ValidationError(
                ngettext(
                    "Enter at most %(most)s entry; there are %(number)s.",
                    "Enter at most %(most)s entries; there are %(number)s.",
                    self.most,
                ),
                code="too_many",
                params={"most": self.most, "number": len(entries)},
            )
        for entry in entries:
            if len(entry) > self.longest:
                raise ValidationError(
                    gettext("An entry has at most %(longest)s characters; this one has %(number)s: %(entry)s…"),
                    code="too_long",
                    params={"longest": self.longest, "number": len(entry), "entry": entry[:40]},
                )
        return entries

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and self._split(self.prepare_value(initial)) != self._split(data)

    def _split(self, text: str | None) -> list[str]:
        parts = (text or "").splitlines() if self.by_line else (text or "").split(",")
        return [part.strip() for part in parts if part.strip()]
