"""Admin pages of announcements: compose, results and cancelling."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from engagement.models import Announcement, EngagementMessage, MessageTemplate, UserProfile
from engagement.rules import Status
from engagement.services.announcements import announce
from groups.models import CommunityMember, Event
from tests.portal.helpers import entry
from tests.support.admin import client, page_text
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db
DIRECTORY = "/admin/groups/communitymember/"
LIST = "/admin/engagement/announcement/"
COMPOSE = f"{LIST}compose/"


def page(announcement, name: str = "change") -> str:
    return reverse(f"admin:engagement_announcement_{name}", args=[announcement.pk])


def typed(**changes) -> dict:
    values = {
        "title": "Webinar",
        "subject_en": "A webinar on Friday",
        "body_en": "Hi {{ name }}, join us.",
        "subject_pt": "",
        "body_pt": "",
        "when_0": "",
        "when_1": "",
    }
    return values | changes


def announced(**options) -> Announcement:
    values = {
        "actor": StaffFactory(),
        "entries": CommunityMember.objects.all(),
        "title": "News",
        "texts": {"en": ("News", "Hi {{ name }}")},
    }
    return announce(**(values | options))


@pytest.fixture
def manager():
    return client("Community Manager")


@pytest.fixture
def people():
    """Create two recipients and one member for each skip reason."""
    ana, bob = entry(name="Ana", organization="Casa"), entry(name="Bob")
    entry(name="Nia", person=None)
    entry(name="Sue", status="suspended")
    opted = entry(name="Olga")
    UserProfile.objects.filter(pk=opted.person_id).update(reengagement_opt_out=True)
    return ana, bob


class TestCompose:
    def test_directory_links_to_form_with_filters(self, manager, people):
        shown = manager.get(f"{DIRECTORY}?status__exact=active&q=ana&p=1")
        (button,) = [each for each in shown.context["buttons"] if each["title"] == "Compose announcement"]
        assert button["link"] == f"{COMPOSE}?status__exact=active&q=ana"

    def test_form_shows_recipients_and_skipped(self, manager, people):
        shown = page_text(manager.get(COMPOSE))
        assert "<strong>2</strong> people of the whole directory" in shown
        for expected in ("No account (not registered)", "Suspended", "Opted out", "Nia", "Sue", "Olga"):
            assert expected in shown
        assert "Queue 2 messages" in shown

    def test_only_listed_members_are_recipients(self, manager, people):
        ana, _bob = people
        answer = manager.post(f"{COMPOSE}?q=ana", typed(expected="1"), follow=True)
        assert "Webinar: 1 message queued." in page_text(answer)
        message = EngagementMessage.objects.get()
        assert message.user == ana.person
        made = Announcement.objects.get()
        assert (made.audience, made.recipients) == ("q=ana", 1)
        assert made.created_by.display_name == "Community Manager"
        assert Event.objects.get(type="announcement.made").payload["recipients"] == 1

    def test_form_stores_both_languages_and_date(self, manager, people):
        local = timezone.localtime(timezone.now() + timedelta(days=3))
        more = {"subject_pt": "Webinar na sexta", "body_pt": "Oi, {{ name }}!"}
        more |= {"when_0": f"{local:%Y-%m-%d}", "when_1": f"{local:%H:%M:%S}", "expected": "2"}
        manager.post(COMPOSE, typed(**more))
        made = Announcement.objects.get()
        assert set(made.texts.values_list("locale", "subject")) == {
            ("en", "A webinar on Friday"),
            ("pt-BR", "Webinar na sexta"),
        }
        assert timedelta(days=2) < made.scheduled_for - timezone.now() < timedelta(days=4)
        assert not EngagementMessage.objects.exclude(scheduled_for=made.scheduled_for).exists()

    @pytest.mark.parametrize("expected", ["1", "3", "", "x", "-5", "9" * 5000])
    def test_changed_recipient_count_is_rejected_with_input(self, manager, people, expected):
        answer = manager.post(COMPOSE, typed(expected=expected, title="My own title"))
        assert answer.status_code == 200
        assert "The number of recipients changed" in page_text(answer)
        assert 'value="My own title"' in answer.content.decode()
        assert "join us." in page_text(answer)
        assert "Queue 2 messages" in page_text(answer)
        assert not Announcement.objects.exists()
        assert not MessageTemplate.objects.filter(announcement__isnull=False).exists()

    def test_no_recipients_shows_error(self, manager, people):
        answer = manager.get(f"{COMPOSE}?q=olga")
        assert "No one in this list can receive the announcement." in page_text(answer)
        assert "Queue" not in page_text(answer).split('class="action-page"')[1].split("</form>")[0]
        answer = manager.post(f"{COMPOSE}?q=olga", typed(expected="0"))
        assert answer.status_code == 200
        assert answer.context["form"].non_field_errors() == ["No one in this list can receive the announcement."]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"body_en": "Hi {{ nme }}"}, "body_en"),
            ({"subject_en": "{{ week }}"}, "subject_en"),
            ({"subject_pt": "Oi", "body_pt": "{{ nme }}"}, "body_pt"),
            ({"subject_pt": "Oi"}, "body_pt"),
            ({"body_pt": "Oi"}, "subject_pt"),
            ({"title": ""}, "title"),
            ({"body_en": "  "}, "body_en"),
            ({"subject_en": "x" * 300}, "subject_en"),
            ({"title": "a\x00b"}, "title"),
            ({"when_0": "x", "when_1": "y"}, "when"),
            ({"when_0": "9999-12-31", "when_1": "00:00"}, "when"),
        ],
    )
    def test_invalid_values_are_field_errors(self, manager, people, changes, field):
        answer = manager.post(COMPOSE, typed(expected="2", **changes))
        assert answer.status_code == 200
        assert field in answer.context["form"].errors
        assert not Announcement.objects.exists()

    @pytest.mark.parametrize(
        "query", ["person__email=a", "status__exact=zz&x=1", "p=99999999999999999999", "password=1"]
    )
    def test_unknown_filter_is_rejected(self, manager, people, query):
        answer = manager.get(f"{COMPOSE}?{query}", follow=True)
        assert answer.status_code == 200
        assert answer.request["PATH_INFO"] == DIRECTORY
        assert manager.post(f"{COMPOSE}?{query}", typed(expected="2")).status_code == 302
        assert not Announcement.objects.exists()

    @pytest.mark.parametrize("role", ["Auditor", "Mission Manager", "Fallback Reviewer", ""])
    def test_other_roles_cannot_compose(self, role, people):
        other = client(role)
        assert other.get(COMPOSE).status_code == 403
        assert other.post(COMPOSE, typed(expected="2")).status_code == 403
        if role:
            assert "Compose announcement" not in page_text(other.get(DIRECTORY))
        assert not Announcement.objects.exists()

    @pytest.mark.parametrize("rows", [1, 40])
    def test_form_makes_a_fixed_number_of_queries(self, manager, people, rows, django_assert_num_queries):
        for _ in range(rows):
            entry()
            entry(person=None)
        manager.get(COMPOSE)
        with django_assert_num_queries(14):
            manager.get(COMPOSE)


class TestPage:
    def test_page_shows_results_of_messages(self, manager, people):
        made = announced()
        one = EngagementMessage.objects.order_by("pk").first()
        EngagementMessage.objects.filter(pk=one.pk).update(status=Status.SENT, sent_at=timezone.now())
        shown = manager.get(page(made))
        text = page_text(shown)
        assert "Hi {{ name }}" in text
        assert "Opted out" in text
        assert "The whole directory" in text
        listed = manager.get(
            f"/admin/engagement/engagementmessage/?announcement__id__exact={made.pk}&status__exact=sent"
        )
        assert listed.context["cl"].result_count == 1

    def test_markup_is_escaped(self, manager, people):
        made = announced(title="<b>t</b>", texts={"en": ("<i>s</i>", "<script>1</script>")}, audience='q="><script>2')
        page_ = manager.get(page(made)).content.decode()
        for markup in ("<b>t</b>", "<i>s</i>", "<script>1", "<script>2"):
            assert markup not in page_

    def test_cancel_cancels_unsent_messages(self, manager, people):
        made = announced()
        first = EngagementMessage.objects.order_by("pk").first()
        EngagementMessage.objects.filter(pk=first.pk).update(status=Status.SENT, sent_at=timezone.now())
        assert "cancelled." in page_text(manager.post(page(made, "cancel"), follow=True))
        assert sorted(EngagementMessage.objects.values_list("status", flat=True)) == ["cancelled", "sent"]
        assert "/cancel/" not in manager.get(page(made)).content.decode()
        assert "This announcement is already cancelled." in page_text(manager.post(page(made, "cancel")))

    def test_viewer_cannot_cancel(self, people):
        made = announced()
        auditor = client("Auditor")
        assert auditor.get(page(made)).status_code == 200
        assert auditor.post(page(made, "cancel")).status_code == 403
        made.refresh_from_db()
        assert made.cancelled_at is None

    def test_announcement_cannot_be_added_or_edited(self, manager, people):
        assert manager.get(f"{LIST}add/").status_code == 403
        assert manager.post(page(announced()), {"title": "x"}).status_code == 403

    @pytest.mark.parametrize("rows", [1, 30])
    def test_list_makes_a_fixed_number_of_queries(self, manager, people, rows, django_assert_num_queries):
        for turn in range(rows):
            announced(title=f"News {turn}")
        manager.get(LIST)
        with django_assert_num_queries(9):
            manager.get(LIST)

    def test_empty_list_shows_hint(self, manager):
        shown = page_text(manager.get(LIST))
        assert "No announcements yet" in shown
        assert COMPOSE in shown
