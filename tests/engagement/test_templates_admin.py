"""Admin pages of templates: editing, preview, other language and history."""

import pytest
from django.urls import reverse
from django.utils import timezone

from engagement.models import Announcement, MessageTemplate
from groups.models import Event
from tests.engagement.fake_provider import Provider, sender
from tests.support.admin import client, page_text
from tests.support.database import rejected_by, rows

pytestmark = pytest.mark.django_db
LIST = "/admin/engagement/messagetemplate/"
PREVIEW = f"{LIST}preview/"


def page(template, name: str = "change") -> str:
    return reverse(f"admin:engagement_messagetemplate_{name}", args=[template.pk])


@pytest.fixture
def operator():
    return client("Engagement Operator")


@pytest.fixture
def reminder():
    return MessageTemplate.objects.get(key="reminder", locale="en")


def preview(browser, **typed) -> dict:
    values = {"key": "reminder", "locale": "en", "subject": "Hi", "body": "Hi {{ name }}"} | typed
    answer = browser.post(PREVIEW, values, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return answer.json()


class TestEdit:
    def test_edit_uses_service(self, operator, reminder):
        answer = operator.post(page(reminder), {"subject": "Hello {{ name }}", "body": "Come back"}, follow=True)
        assert "was changed successfully" in page_text(answer)
        reminder.refresh_from_db()
        assert (reminder.subject, reminder.body) == ("Hello {{ name }}", "Come back")
        assert Event.objects.get(type="template.changed").actor.display_name == "Engagement Operator"

    @pytest.mark.parametrize(("field", "text"), [("body", "Hi {{ nme }}"), ("subject", "{{ week }}")])
    def test_unknown_parameter_is_a_field_error(self, operator, reminder, field, text):
        typed = {"subject": "Kept", "body": "Kept too"} | {field: text}
        answer = operator.post(page(reminder), typed)
        assert answer.status_code == 200
        (error,) = answer.context["adminform"].form.errors[field]
        assert "No value for parameter" in error
        assert "{{ name }}" in error
        assert text in page_text(answer)
        reminder.refresh_from_db()
        assert "Kept" not in reminder.subject

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("Hi {name}", "{name}"),
            ("Hi {{ name|upper }}", "{{ name|upper }}"),
            ("Hi %name%", "%name%"),
            ("Hi {{ name", "{{ name"),
        ],
    )
    @pytest.mark.rule("ParameterMiswritten")
    def test_parameter_of_other_programs_is_a_field_error(self, operator, reminder, text, named):
        answer = operator.post(page(reminder), {"subject": "Hi", "body": text})
        (error,) = answer.context["adminform"].form.errors["body"]
        assert error.startswith(f"{named} would be sent unchanged.")
        assert "Available parameters: {{ name }}, {{ unsubscribe_url }}." in error
        with rejected_by("message_templates_parameters_known"):
            MessageTemplate.objects.filter(pk=reminder.pk).update(body=text)

    @pytest.mark.parametrize("text", ["100 % of 50% off", "{} { 1 } [name]", "5%, 6 %a"])
    def test_braces_and_percent_signs_are_text(self, operator, reminder, text):
        operator.post(page(reminder), {"subject": "Hi", "body": text})
        reminder.refresh_from_db()
        assert reminder.body == text

    @pytest.mark.parametrize("typed", [{"body": " \n "}, {"subject": ""}, {"subject": "x" * 300}, {"body": "a\x00b"}])
    def test_invalid_texts_are_field_errors(self, operator, reminder, typed):
        answer = operator.post(page(reminder), {"subject": "Hi", "body": "Hi"} | typed)
        assert answer.status_code == 200
        assert set(answer.context["adminform"].form.errors) == set(typed)

    def test_form_shows_other_language(self, operator, reminder):
        shown = page_text(operator.get(page(reminder)))
        assert "Portuguese (Brazil)" in shown
        assert "Oi, {{ name }}! Você pediu" in shown
        assert "Oi, Ana Souza! Você pediu" in shown

    @pytest.mark.deletes("message_templates")
    def test_missing_language_can_be_added(self, operator, reminder):
        MessageTemplate.objects.filter(key="reminder", locale="pt-BR").delete()
        shown = operator.get(page(reminder)).content.decode()
        assert f"{LIST}add/?key=reminder&amp;locale=pt-BR" in shown
        form = operator.get(f"{LIST}add/?key=reminder&locale=pt-BR").context["adminform"].form
        assert (form["key"].value(), form["locale"].value()) == ("reminder", "pt-BR")
        typed = {"key": "reminder", "locale": "pt-BR", "subject": "Oi", "body": "Oi, {{ name }}"}
        assert "was added successfully" in page_text(operator.post(f"{LIST}add/", typed, follow=True))
        assert MessageTemplate.objects.get(key="reminder", locale="pt-BR").body == "Oi, {{ name }}"

    def test_duplicate_template_is_rejected(self, operator):
        typed = {"key": "reminder", "locale": "en", "subject": "Oi", "body": "Oi"}
        answer = operator.post(f"{LIST}add/", typed)
        assert answer.status_code == 200
        assert "A template for this message and language already exists." in page_text(answer)

    @pytest.mark.parametrize("typed", [{"key": "announcement"}, {"key": "x"}, {"locale": "fr"}, {"key": "\x00"}])
    def test_invalid_choices_are_field_errors(self, operator, typed):
        answer = operator.post(f"{LIST}add/", {"key": "reminder", "locale": "en", "subject": "a", "body": "b"} | typed)
        assert answer.status_code == 200
        assert set(typed) <= set(answer.context["adminform"].form.errors)

    def test_announcement_texts_are_not_listed(self, operator):
        made = Announcement.objects.create(title="News")
        text = MessageTemplate.objects.create(
            key="announcement-1", locale="en", subject="s", body="b", announcement=made
        )
        assert "announcement-1" not in page_text(operator.get(LIST))
        assert operator.get(page(text)).status_code == 302

    def test_history_shows_and_reverts_change(self, operator, reminder):
        before = reminder.body
        operator.post(page(reminder), {"subject": reminder.subject, "body": "Another text"})
        shown = operator.get(page(reminder, "history"))
        assert "Another text" in page_text(shown)
        change, may_revert = shown.context["changes"][0]
        assert may_revert
        address = reverse("admin:engagement_messagetemplate_revert", args=[reminder.pk, change.pgh_id])
        assert "change reverted" in page_text(operator.post(address, follow=True))
        reminder.refresh_from_db()
        assert reminder.body == before
        assert Event.objects.filter(type="template.changed").count() == 2

    def test_overwritten_change_is_not_reverted(self, operator, reminder):
        for body in ("Second", "Third"):
            operator.post(page(reminder), {"subject": reminder.subject, "body": body})
        second = operator.get(page(reminder, "history")).context["changes"][1][0]
        address = reverse("admin:engagement_messagetemplate_revert", args=[reminder.pk, second.pgh_id])
        assert "A later edit changed text" in page_text(operator.post(address))
        reminder.refresh_from_db()
        assert reminder.body == "Third"

    @pytest.mark.parametrize("role", ["Community Manager", "Auditor"])
    def test_other_roles_can_only_view(self, role, reminder):
        looker = client(role)
        assert looker.get(page(reminder)).status_code == 200
        assert looker.post(page(reminder), {"subject": "x", "body": "y"}).status_code == 403
        assert looker.get(f"{LIST}add/").status_code == 403


class TestPreview:
    def test_preview_fills_parameters_and_adds_link(self, operator):
        shown = preview(operator, subject="Hi\n{{name}}")
        assert shown["subject"] == "Hi Ana Souza"
        assert shown["body"].startswith("Hi Ana Souza\n\nYou can stop these messages: https://example.org/")
        assert shown["problem"] == ""

    def test_preview_of_transactional_has_no_link(self, operator):
        assert preview(operator, key="welcome")["body"] == "Hi Ana Souza"

    @pytest.mark.parametrize("body", ["{{ nme }} {{ name }}", "{{ unsubscribe }}"])
    def test_preview_reports_unknown_parameter(self, operator, body):
        shown = preview(operator, body=body)
        assert shown["problem"].startswith("No value for parameter ")
        assert body.split("}}")[0] in shown["body"]

    @pytest.mark.parametrize("body", ["{{ name }", "{ {name}} }}", "{{ na me }}", "{{{{"])
    def test_preview_reports_broken_parameter(self, operator, body):
        assert "would be sent unchanged" in preview(operator, body=body)["problem"]

    def test_preview_without_script_is_a_page(self, operator):
        answer = operator.post(
            PREVIEW, {"key": "reminder", "locale": "en", "subject": "<b>s</b>", "body": "{{ name }}"}
        )
        page = answer.content.decode()
        assert "Ana Souza" in page
        assert "&lt;b&gt;s&lt;/b&gt;" in page
        assert "<b>s</b>" not in page

    @pytest.mark.parametrize("typed", [{}, {"key": "\x00"}, {"body": "x" * 200_000}, {"locale": "fr", "key": "?"}])
    def test_preview_of_invalid_values_does_not_fail(self, operator, typed):
        assert operator.post(PREVIEW, typed, headers={"Accept": "application/json"}).status_code == 200

    def test_preview_needs_permission_and_writes_nothing(self, operator, reminder):
        before = reminder.updated_at
        preview(operator, body="Never saved")
        reminder.refresh_from_db()
        assert reminder.updated_at == before
        assert operator.get(PREVIEW).status_code == 405
        assert client().post(PREVIEW, {}).status_code == 403


class TestSendTest:
    def test_is_sent_to_sender_and_marked(self, operator, reminder):
        answer = operator.post(page(reminder, "test"), follow=True)
        assert "test queued to your own address" in page_text(answer)
        provider = Provider()
        sender(provider, timezone.now).drain()
        [taken] = provider.taken
        assert (taken.name, taken.message_type) == ("Engagement Operator", "test")
        assert taken.subject.startswith("[Test] ")
        assert taken.body.startswith("Hi Engagement Operator")
        assert not taken.unsubscribe_url
        assert rows("SELECT 1 FROM members_over_frequency_cap(0, interval '1 day')") == []

    def test_needs_permission_to_change(self, reminder):
        assert client("Auditor").post(page(reminder, "test")).status_code == 403


@pytest.mark.parametrize("added", [0, 20])
def test_list_makes_a_fixed_number_of_queries(operator, added, django_assert_num_queries):
    for turn in range(added):
        MessageTemplate.objects.create(key=f"more-{turn}", locale="en", subject="s", body="b")
    operator.get(LIST)
    with django_assert_num_queries(9):
        operator.get(LIST)
