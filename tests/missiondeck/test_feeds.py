"""Calendar feeds: created and revoked by their owner, read at a secret URL."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from groups.models import Member
from missiondeck.models import DeckFeed, DeckMission
from missiondeck.rules import MAX_FEEDS
from missiondeck.selectors import feeds
from missiondeck.services.feeds import create_feed, revoke_feed
from missiondeck.services.missions import create_deck_mission, update_deck_mission
from missionsite.common.errors import ConstraintViolated
from missionsite.common.roles import as_owner
from missionsite.portal.logs import HideSecretsFilter
from missionsite.roles import synchronise
from tests.missiondeck.workspace_helpers import address, complete, make_mission
from tests.support.admin import client_of, page_text, staff
from tests.support.concurrency import without
from tests.support.database import rejected_by, rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
TITLE = "deck_missions_title_one_line"
FEEDS = "/admin/missiondeck/deckmission/feeds/"


@pytest.fixture
def lena():
    return staff("Delivery Lead", display_name="Lena", email="lena@example.org")


def read(secret: str, method: str = "get", **headers):
    """The response for a calendar program without cookies."""
    return getattr(Client(), method)(reverse("deck_feed", args=[secret]), headers=headers)


def parts(response, name: str = "VEVENT") -> dict[str, object]:
    """The events (or to-dos) of a response by UID."""
    return {str(part["UID"]): part for part in Calendar.from_ical(response.content).walk(name)}


class TestPage:
    def test_url_is_shown_once_and_stored_as_digest(self, lena):
        browser = client_of(lena)
        response = browser.post(FEEDS, {"name": " Phone ", "only_own": "on"})
        (secret,) = re.findall(r"/deck/feeds/([\w-]{43})\.ics", response.content.decode())
        assert "no-store" in response["Cache-Control"]
        feed = DeckFeed.objects.get()
        assert (feed.name, feed.only_own, feed.member) == ("Phone", True, lena)
        later = browser.get(FEEDS)
        assert "Phone" in page_text(later)
        assert "Never" in page_text(later)
        assert "/deck/feeds/" not in later.content.decode()
        assert secret not in str(DeckFeed.objects.values()) + str(dict(browser.session))
        assert read(secret).status_code == 200
        assert "Never" not in page_text(browser.get(FEEDS))

    def test_users_list_and_revoke_only_own_feeds(self, lena):
        feed, secret = create_feed(actor=lena, name="Phone")
        other = client_of(staff("Delivery Lead", email="other@example.org"))
        assert "Phone" not in page_text(other.get(FEEDS))
        assert "This feed does not exist." in page_text(other.post(FEEDS, {"revoke": feed.pk}, follow=True))
        assert read(secret).status_code == 200
        answer = client_of(lena).post(FEEDS, {"revoke": feed.pk}, follow=True)
        assert "The feed “Phone” was revoked." in page_text(answer)
        assert "Revoked feeds" in page_text(answer)
        assert read(secret).status_code == 404

    @pytest.mark.parametrize("key", ["", "odd", "0" * 32, "\x00", "🦉"])
    def test_invalid_key_revokes_nothing(self, lena, key):
        create_feed(actor=lena, name="Phone")
        assert "This feed does not exist." in page_text(client_of(lena).post(FEEDS, {"revoke": key}, follow=True))
        assert DeckFeed.objects.get().revoked_at is None

    @pytest.mark.parametrize(
        ("name", "text"),
        [("", "required"), ("   ", "required"), ("x" * 101, "at most 100"), ("a\x00", "Null characters")],
    )
    def test_feed_needs_name(self, lena, name, text):
        response = client_of(lena).post(FEEDS, {"name": name})
        assert text in " ".join(response.context["form"].errors["name"])
        assert not DeckFeed.objects.exists()

    @pytest.mark.rule("TooManyFeeds")
    def test_number_of_active_feeds_is_limited(self, lena):
        browser = client_of(lena)
        for number in range(MAX_FEEDS):
            feed, _ = create_feed(actor=lena, name=f"Feed {number}")
        assert "Revoke one first" in page_text(browser.post(FEEDS, {"name": "One more"}))
        revoke_feed(actor=Member.objects.system(), feed=feed)
        assert "Copy it now" in page_text(browser.post(FEEDS, {"name": "One more"}))

    def test_page_needs_view_permission(self):
        for role, status in (("Community Manager", 403), ("", 403), ("Auditor", 200)):
            browser = client_of(staff(role, email=f"{status}{role[:1]}@example.org".lower()))
            assert browser.get(FEEDS).status_code == status
            assert browser.post(FEEDS, {"name": "Phone"}).status_code == status
        assert DeckFeed.objects.count() == 1

    def test_form_without_csrf_token_is_rejected(self, lena):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(lena)
        assert browser.post(FEEDS, {"name": "Phone"}).status_code == 403


class TestCalendar:
    @pytest.mark.seed("001 iCal feed at an address that can be revoked, VEVENT and VTODO, stable UIDs")
    def test_calendar_has_event_and_todo_per_mission(self, lena):
        at = datetime(2026, 12, 8, 18, 30, tzinfo=UTC)
        mission = create_deck_mission(
            actor=Member.objects.system(),
            title="Bot",
            client="Acme",
            budget=300,
            deadline=at,
            assigned_to="a@example.org",
        )
        _, secret = create_feed(actor=lena, name="Phone")
        response = read(secret)
        assert response["Content-Type"] == "text/calendar; charset=utf-8"
        (event,), (todo,) = parts(response).values(), parts(response, "VTODO").values()
        assert str(event["SUMMARY"]) == f"#{mission.number} Bot (Acme)"
        assert (event.decoded("DTSTART"), todo.decoded("DUE")) == (at, at)
        assert event["UID"] != todo["UID"]
        assert str(todo["STATUS"]) == "NEEDS-ACTION"
        assert str(event["URL"]) == f"http://testserver{address(mission)}"

    def test_feed_needs_no_session(self, lena):
        response = read(create_feed(actor=lena, name="Phone")[1])
        assert not response.cookies
        assert "Cookie" not in response.get("Vary", "")
        assert response["Cache-Control"] == "private, no-cache"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Referrer-Policy"] == "no-referrer"

    def test_filter_mine_hides_other_missions(self, lena):
        mine = make_mission(assigned_to=lena.email)
        other = make_mission(assigned_to="other@example.org")
        everything, own = (create_feed(actor=lena, name="x", only_own=only)[1] for only in (False, True))
        assert len(parts(read(everything))) == 2
        assert list(parts(read(own))) == [f"deck-{mine.pk}-event@missionsite"]
        assert f"deck-{other.pk}-event@missionsite" in parts(read(everything))

    def test_complete_mission_is_completed_todo(self, lena):
        mission = make_mission()
        complete(mission, lena, reason="Agreed")
        (todo,) = parts(read(create_feed(actor=lena, name="x")[1]), "VTODO").values()
        assert (str(todo["STATUS"]), todo["PERCENT-COMPLETE"]) == ("COMPLETED", 100)

    @pytest.mark.parametrize(
        "title",
        [
            "Commas, semicolons; and \\ backslashes",
            "🦉" * 60,
            "Página de vendas: ação, coração " * 5,
            "BEGIN:VEVENT SUMMARY:false END:VEVENT",
            '"quoted" <b>bold</b> =1+1',
        ],
    )
    def test_any_title_survives_round_trip(self, lena, title):
        make_mission(title=title)
        response = read(create_feed(actor=lena, name="x")[1])
        raw = response.content
        assert raw.replace(b"\r\n", b"").count(b"\n") == 0, "every line ends with CRLF"
        assert max(len(line) for line in raw.split(b"\r\n")) <= 75
        raw.decode("utf-8")
        (event,) = parts(response).values()
        assert " ".join(title.split()) in " ".join(str(event["SUMMARY"]).split())

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        "old", ["bell\x07tower", "two\r\nlines", "BEGIN:VEVENT\nSUMMARY:false\nEND:VEVENT", "\x1b[31m"]
    )
    def test_title_with_control_characters_keeps_calendar_valid(self, lena, old):
        """A strict reader rejects a calendar with a control character. Source: RFC 5545, 3.1."""
        mission, _other = make_mission(), make_mission()
        secret = create_feed(actor=lena, name="x")[1]
        [(rule,)] = rows("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [TITLE])
        restore = f"ALTER TABLE deck_missions ADD CONSTRAINT {TITLE} {rule}"
        with without(f"ALTER TABLE deck_missions DROP CONSTRAINT {TITLE}", restore):
            DeckMission.objects.filter(pk=mission.pk).update(title=old)
            response = read(secret)
            DeckMission.objects.filter(pk=mission.pk).update(title="restored")
        lines = response.content.decode().split("\r\n")
        assert not [line for line in lines if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line)]
        assert len(parts(response)) == 2
        assert "\\n" not in response.content.decode()

    def test_feed_rejects_post(self, lena):
        _, secret = create_feed(actor=lena, name="x")
        for method in ("post", "put", "patch", "delete", "options"):
            assert read(secret, method).status_code == 405, method
        head = read(secret, "head")
        assert (head.status_code, head.content, head["Content-Type"]) == (200, b"", "text/calendar; charset=utf-8")

    def test_calendar_is_limited_with_open_missions_first(self, lena, monkeypatch):
        most = 50
        monkeypatch.setattr(feeds, "MAX_MISSIONS", most)
        now = timezone.now()
        DeckMission.objects.bulk_create(
            DeckMission(
                title=f"M{number}",
                client="c",
                budget=1,
                assigned_to="a@example.org",
                deadline=now + timedelta(hours=number),
            )
            for number in range(most + 20)
        )
        response = read(create_feed(actor=lena, name="x")[1])
        events = parts(response)
        assert len(events) == len(parts(response, "VTODO")) == most
        assert max(part.decoded("DTSTART") for part in events.values()) < now + timedelta(hours=most)


class TestChanges:
    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture(autouse=True)
    def roles(self, transactional_db):
        """Create the roles, because an earlier test with real commits may have emptied the tables."""
        with as_owner():
            synchronise()

    @pytest.mark.seed("001 iCal feed at an address that can be revoked, VEVENT and VTODO, stable UIDs")
    def test_edit_keeps_uid_and_updates_last_modified(self, lena):
        mission = make_mission(title="Before")
        _, secret = create_feed(actor=lena, name="x")
        first, again = read(secret), read(secret)
        assert first.content == again.content
        update_deck_mission(
            actor=Member.objects.system(), mission=mission, title="After", deadline=mission.deadline + timedelta(days=1)
        )
        edited = read(secret)
        for name in ("VEVENT", "VTODO"):
            (before,), (after,) = parts(first, name).values(), parts(edited, name).values()
            assert before["UID"] == after["UID"]
            assert after.decoded("LAST-MODIFIED") >= before.decoded("LAST-MODIFIED")
            assert "After" in after["SUMMARY"]
        DeckMission.objects.get().refresh_from_db()
        assert DeckMission.objects.get().updated_at > mission.updated_at

    def test_unchanged_calendar_answers_304(self, lena):
        mission = make_mission()
        _, secret = create_feed(actor=lena, name="x")
        tag = read(secret)["ETag"]
        unchanged = read(secret, **{"if-none-match": tag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged["Cache-Control"] == "private, no-cache"
        update_deck_mission(actor=Member.objects.system(), mission=mission, title="Other")
        assert read(secret, **{"if-none-match": tag}).status_code == 200


class TestErrors:
    @pytest.mark.seed("001 iCal feed at an address that can be revoked, VEVENT and VTODO, stable UIDs")
    def test_unknown_and_revoked_feeds_answer_alike(self, lena):
        answers = {read("x" * 43).content, read("odd").content, read("🦉").content, read("a" * 5_000).content}
        feed, secret = create_feed(actor=lena, name="x")
        assert read(secret).status_code == 200
        revoke_feed(actor=Member.objects.system(), feed=feed)
        response = read(secret)
        assert response.status_code == 404
        assert response["Content-Type"].startswith("text/plain")
        assert {response.content} == answers
        assert b"This calendar feed does not exist or was revoked." in response.content

    def test_feed_of_owner_without_permission_answers_404(self, lena):
        _, secret = create_feed(actor=lena, name="x")
        for change in ({"is_active": False}, {"is_staff": False}):
            Member.objects.filter(pk=lena.pk).update(**change)
            assert read(secret).status_code == 404, change
            Member.objects.filter(pk=lena.pk).update(is_active=True, is_staff=True)
            assert read(secret).status_code == 200
        lena.groups.set([Group.objects.get(name="Community Manager")])
        assert read(secret).status_code == 404
        assert DeckFeed.objects.get().last_read_at is not None

    def test_feed_gives_no_extra_permission(self):
        _, secret = create_feed(actor=MemberFactory(), name="x")
        assert read(secret).status_code == 404

    def test_secret_is_not_logged(self, lena, caplog):
        caplog.handler.addFilter(HideSecretsFilter())
        feed, secret = create_feed(actor=lena, name="x")
        revoke_feed(actor=Member.objects.system(), feed=feed)
        read(secret)
        read(secret, "post")
        assert caplog.text.count("/deck/feeds/…") == 2
        assert secret not in caplog.text
        assert secret[-6:] not in caplog.text

    def test_secret_is_not_in_history(self, lena):
        _, secret = create_feed(actor=lena, name="x")
        read(secret)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pghistory_context WHERE metadata::text LIKE '%%deck/feeds/_%%'")
            assert cursor.fetchone() == (0,)


class TestOptions:
    def test_feed_has_its_name_and_refresh_hints(self, lena):
        content = read(create_feed(actor=lena, name="Phone")[1]).content.decode()
        assert "X-WR-CALNAME:Client missions: Phone\r\n" in content
        assert "NAME:Client missions: Phone\r\n" in content
        assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in content
        assert "X-PUBLISHED-TTL:PT1H\r\n" in content

    def test_event_ends_after_it_starts_and_grows_in_sequence(self, lena):
        mission, (_feed, secret) = make_mission(), create_feed(actor=lena, name="Phone")
        uid = f"deck-{mission.pk}-event@missionsite"
        event = parts(read(secret))[uid]
        assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=30)
        before = event["SEQUENCE"]
        # As if it was created a minute before its last change.
        DeckMission.objects.update(created_at=mission.created_at - timedelta(minutes=1))
        assert parts(read(secret))[uid]["SEQUENCE"] == before + 60

    def test_completed_mission_is_marked_in_event(self, lena):
        mission, (_feed, secret) = make_mission(), create_feed(actor=lena, name="Phone", alarm_hours=24)
        uid = f"deck-{mission.pk}-event@missionsite"
        assert str(parts(read(secret))[uid]["SUMMARY"]).startswith(f"#{mission.number} ")
        complete(mission, lena, reason="Delivered")
        event = parts(read(secret))[uid]
        assert str(event["SUMMARY"]).startswith(f"✓ #{mission.number} ")
        assert not event.walk("VALARM")

    def test_reminder_and_fields_to_leave_out_are_chosen(self, lena):
        mission = make_mission()
        values = {"name": "Phone", "alarm_hours": "24", "hides_budget": "on", "hides_addresses": "on"}
        page = client_of(lena).post(FEEDS, values).content.decode()
        (secret,) = re.findall(r"/deck/feeds/([\w-]{43})\.ics", page)
        content = read(secret).content.decode()
        event = parts(read(secret))[f"deck-{mission.pk}-event@missionsite"]
        (alarm,) = event.walk("VALARM")
        assert alarm.decoded("TRIGGER") == timedelta(hours=-24)
        assert (str(event["DESCRIPTION"]), "ana@example.org" in content, "1200" in content) == ("Active", False, False)
        plain = parts(read(create_feed(actor=lena, name="Laptop")[1]))[f"deck-{mission.pk}-event@missionsite"]
        assert str(plain["DESCRIPTION"]) == "Active, 1200 USD, ana@example.org"
        assert not plain.walk("VALARM")

    @pytest.mark.parametrize("hours", [0, 721])
    def test_reminder_outside_limits_is_rejected(self, lena, hours):
        with pytest.raises(ConstraintViolated, match="A reminder can be 1 to 720 hours"):
            create_feed(actor=lena, name="Phone", alarm_hours=hours)
        response = client_of(lena).post(FEEDS, {"name": "Phone", "alarm_hours": hours})
        assert response.context["form"].errors["alarm_hours"]

    @pytest.mark.rule("deck_feeds_alarm_range")
    def test_database_rejects_reminder_outside_limits(self, lena):
        with rejected_by("deck_feeds_alarm_range"):
            DeckFeed.objects.create(member=lena, name="Phone", digest="0" * 64, alarm_hours=721)
