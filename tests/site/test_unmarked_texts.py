"""bin/texts.py finds the texts that are not marked for gettext."""

import ast
import importlib.util
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin

from groups.models import Group

SPEC = importlib.util.spec_from_file_location("texts", Path(settings.BASE_DIR) / "bin" / "texts.py")
texts = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(texts)


def in_python(source, name="groups/admin/members.py"):
    tree = ast.parse(source)
    trees = {Path(name): tree}
    found = texts.PythonTexts(Path(name), tree, texts.error_classes(trees), texts.keys_of(trees)).find()
    return [text for _line, text in sorted(found)]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('name = models.CharField("name", max_length=9)', "name"),
        ('name = models.CharField(verbose_name="full name")', "full name"),
        ('models.ForeignKey("groups.Member", models.PROTECT, verbose_name="account")', "account"),
        ('Action(name="cancel", title="Cancel")', "Cancel"),
        ('@display(description="Status")\ndef state(self): ...', "Status"),
        ('class Status(TextChoices):\n    SENT = "sent", "Sent"', "Sent"),
        ('empty_text = ("No members yet", "Add one.")', "No members yet"),
        ('fieldsets = (("Dates", {"fields": ("made_at",)}),)', None),
        ('raise ValidationError("Enter a name.")', "Enter a name."),
        ('messages.error(request, "Not saved.")', "Not saved."),
        ('class Closed(DomainError):\n    pass\nraise Closed("It is closed.")', "It is closed."),
        ('def label(row):\n    return "Closed" if row.closed else _("Open")', "Closed"),
        ('format_html("<b>{}</b> open tasks", count)', "<b>{}</b> open tasks"),
        ('self.add_error("name", f"At most {limit} names.")', "At most {} names. (f-string)"),
        ('_(f"At most {limit} names.")', "At most {} names. (an f-string is not translated: use .format())"),
        ('context = {"title": "Members"}', "Members"),
        ('noun_plural = "people"', "people"),
        ('class GroupsConfig(AppConfig):\n    verbose_name = "Groups"', "Groups"),
        ('badge("Queued", "success")', "Queued"),
        ('@display(description=_("State"))\ndef state(self, row):\n    return "revoked"', "revoked"),
        ('@display\ndef state(self, row):\n    return "active" if row.usable else _("expired")', "active"),
        ('@display\ndef state(self, row):\n    return "off", "switched"', "switched"),
        ('@display\ndef state(self, row):\n    return badge("queued", "info")', "queued"),
        ('def _format_value(value):\n    return ", ".join(value) or "empty"', "empty"),
        ('def format_stored(value):\n    return names.get(value, "(deleted)")', "(deleted)"),
        ('def format_size(size):\n    return f"{size} bytes"', "{} bytes (f-string)"),
        ('def describe(self, obj):\n    return f"{obj.name}" + ("" if obj.open else " · closed")', " · closed"),
    ],
)
def test_unmarked_text_is_found(source, text):
    assert text is None or text in in_python(source)


@pytest.mark.parametrize(
    "source",
    [
        'name = models.CharField(_("name"), max_length=9)',
        'title = _("At most {limit} names.").format(limit=limit)',
        'ngettext("%(count)d task", "%(count)d tasks", count)',
        'class Status(TextChoices):\n    SENT = "sent", _("Sent")',
        'logger.info("The worker starts.")',
        'raise ValueError("This is not a key.")',
        '"""Return the members of a mission."""',
        'cursor.execute("SELECT name FROM members WHERE id = %s")',
        'QUERY = "SELECT name FROM members WHERE id = %s"',
        'response["Cache-Control"] = "no-store, private"',
        'url = "https://example.org/page"',
        'member = models.ForeignKey("groups.Member", models.PROTECT, related_name="memberships")',
        'state: "Status" = Status.SENT',
        'db_table = "memberships"',
        'at.strftime("%d %B %Y")',
        'if row.state == "Not sent yet": ...',
        'def state(row):\n    return "revoked"',
        '@display\ndef state(self, row):\n    return badge(_("queued"), "info") if row.kind == "late" else ""',
        '@display\ndef state(self, row):\n    return "off", _("switched off")',
        'def format_link(row):\n    return link_to(row.member, row.name or _("unknown"), kind="member")',
    ],
)
def test_marked_or_technical_text_is_not_found(source):
    assert in_python(source) == []


def test_error_without_message_is_found():
    source = (
        'class Closed(DomainError):\n    """It is closed."""\n\nclass Open(DomainError):\n    message = _("Open.")\n'
    )
    assert in_python(source) == ["Closed: the docstring is the message; add message = _(...)"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<h2>Members</h2>", "Members"),
        ("<p>{{ count }} of {{ total }}</p>", "… of …"),
        ('<input placeholder="Name">', "Name"),
        ('<section aria-label="Key figures"></section>', "Key figures"),
        ('<button data-copied="Copied">{{ text }}</button>', "Copied"),
        ('{% include "field.html" with label="Name" %}', "Name"),
        ("person{{ count|pluralize:'s,people' }}", "s,people (pluralize: use blocktranslate with count)"),
    ],
)
def test_unmarked_text_of_template_is_found(source, text):
    assert text in [found for _line, found in texts.in_template(source)]


@pytest.mark.parametrize(
    "source",
    [
        '<h2>{% translate "Members" %}</h2>',
        "<p>{% blocktranslate count n=rows|length %}{{ n }} task{% plural %}{{ n }} tasks{% endblocktranslate %}</p>",
        '<input placeholder="{% translate "Name" %}" class="wide form">',
        '{# A note #}{% comment %}Another note{% endcomment %}<code>pip install</code><script>let a = "Text";</script>',
        '<span class="material-symbols-outlined" aria-hidden="true">flag</span>',
        '{% include "field.html" with label=_("Name") %}<time>{{ at|date:"j F Y" }}</time>',
        "<p>{{ a }} → {{ b }} (3 %)</p>",
    ],
)
def test_marked_text_of_template_is_not_found(source):
    assert list(texts.in_template(source)) == []


def test_line_of_template_text():
    source = '<p\n class="x">\n{% if a %}Name{% endif %}</p>\n{% blocktranslate %}\nA\n{% endblocktranslate %}\nLast'
    assert list(texts.in_template(source)) == [(3, "… Name …"), (7, "Last")]


def test_text_of_javascript_is_found():
    source = 'status.textContent = "Copied";\nnote.textContent = gettext("Copied");\nnode.querySelector(".name");'
    assert list(texts.in_javascript(source)) == [(1, "Copied")]


def test_search_fields_have_a_placeholder():
    # Without one Unfold shows a text of its own. The list of groups is only for autocompletes.
    pages = {model: page for model, page in admin.site._registry.items() if page.search_fields and model is not Group}
    assert [model.__name__ for model, page in pages.items() if not page.search_help_text] == []
