"""The forms of a workspace."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from missiondeck import rules
from missiondeck.models import Category, ChatSender, DeckStatus, DodTemplate
from missiondeck.selectors.citizens import citizen_names
from missiondeck.services.runs import CiRun

# Suggestions for the language of a code block; any other value is allowed.
LANGUAGES = (
    "bash css diff go html java javascript json kotlin php python ruby rust sql swift toml typescript xml yaml".split()  # noqa: SIM905
)


class StatusForm(forms.Form):
    to = forms.ChoiceField(
        choices=DeckStatus, error_messages={"invalid_choice": _("Choose one of the available statuses.")}
    )
    reason = forms.CharField(max_length=rules.REASON_LENGTH, required=False)
    override = forms.BooleanField(required=False)


class ItemForm(forms.Form):
    text = forms.CharField(max_length=rules.ITEM_LENGTH, error_messages={"required": _("Enter the text of the item.")})
    category = forms.ChoiceField(choices=Category)


class TemplateChoiceForm(forms.Form):
    template = forms.ModelChoiceField(
        DodTemplate.objects.filter(is_enabled=True),
        error_messages={
            "required": _("Choose a template."),
            "invalid_choice": _("This template is not offered any more. Choose another one."),
        },
    )


class CommentForm(forms.Form):
    text = forms.CharField(
        max_length=rules.COMMENT_LENGTH,
        error_messages={
            "required": _("Enter a comment."),
            "max_length": format_lazy(
                _("A comment can have at most {limit:,} characters."), limit=rules.COMMENT_LENGTH
            ),
        },
    )


class MessageForm(forms.Form):
    """A message. Leading blanks are kept, because they matter in Markdown and code."""

    citizen = forms.ChoiceField(choices=lambda: list(citizen_names().items()))
    sender = forms.ChoiceField(choices=ChatSender)
    message = forms.CharField(
        max_length=rules.MESSAGE_LENGTH,
        strip=False,
        error_messages={
            "required": _("Enter a message."),
            "max_length": format_lazy(
                _("A message can have at most {limit:,} characters."), limit=rules.MESSAGE_LENGTH
            ),
        },
    )
    author_name = forms.CharField(max_length=rules.AUTHOR_LENGTH, required=False)
    language = forms.CharField(max_length=rules.LANGUAGE_LENGTH, required=False)
    code = forms.CharField(max_length=rules.MESSAGE_LENGTH, strip=False, required=False)

    def clean_message(self) -> str:
        message = _lines(self.cleaned_data["message"])
        if not message.strip():
            raise forms.ValidationError(_("Enter a message."))
        return message

    def code_blocks(self) -> list[dict]:
        code = _lines(self.cleaned_data["code"])
        return [{"language": self.cleaned_data["language"], "code": code}] if code.strip() else []


class _FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several; the value is a list."""

    widget = _FilesInput

    def clean(self, data, initial=None) -> list[UploadedFile]:
        return [super(FilesField, self).clean(each, initial) for each in data or [None]]


class CiForm(forms.Form):
    """What identifies a run of CI."""

    commit = forms.CharField(max_length=64, required=False)
    branch = forms.CharField(max_length=200, required=False)
    build_url = forms.CharField(max_length=500, required=False)
    job = forms.CharField(max_length=150, required=False)
    attempt = forms.IntegerField(min_value=1, max_value=1_000_000, required=False)
    environment = forms.CharField(max_length=100, required=False)
    shards = forms.IntegerField(min_value=1, max_value=rules.MAX_SHARDS, required=False)

    def ci_run(self) -> CiRun:
        """The run of CI that the form names."""
        names = ("commit", "branch", "build_url", "job", "environment", "shard", "shards")
        found = {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
        return CiRun(attempt=self.cleaned_data["attempt"] or 1, **found)


class StartForm(CiForm):
    name = forms.CharField(max_length=255, required=False)


class FinishForm(forms.Form):
    """The last report of a run; a run of CI that has received its reports needs none."""

    report = FilesField(
        required=False, allow_empty_file=True, error_messages={"max_length": _("The file name is too long.")}
    )
    logs = forms.FileField(required=False, allow_empty_file=True)

    def clean_report(self) -> list[UploadedFile]:
        files = [file for file in self.cleaned_data["report"] if file]
        text = ngettext(
            "A report can have at most %(limit)s MB.",
            "The files of a report can have at most %(limit)s MB.",
            len(files),
        )
        return _bounded(files, settings.DECK_REPORT_BYTES, text)

    def clean_logs(self) -> UploadedFile | None:
        file = self.cleaned_data["logs"]
        text = gettext("A log file can have at most %(limit)s MB.")
        return _bounded([file], settings.DECK_LOGS_BYTES, text)[0] if file else None


class ReportForm(FinishForm, CiForm):
    report = FilesField(
        allow_empty_file=True,
        error_messages={
            "required": _("Choose a test report file."),
            "max_length": _("The file name is too long."),
        },
    )
    shard = forms.IntegerField(min_value=1, max_value=rules.MAX_SHARDS, required=False)


def _bounded(files: list[UploadedFile], most: int, text: str) -> list[UploadedFile]:
    if sum(file.size or 0 for file in files) > most:
        raise forms.ValidationError(text % {"limit": f"{most // 1024 // 1024:,}"})
    return files


def _lines(text: str) -> str:
    """Replace the CRLF line ends of form data by LF."""
    return text.replace("\r\n", "\n")
