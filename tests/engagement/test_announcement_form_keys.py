"""An announcement is queued once, however often its form is submitted."""

import pytest

from engagement.models import Announcement, EngagementMessage
from missionsite.common.admin.form_keys import FORM_KEY_FIELD, new_form_key
from missionsite.common.api.idempotency import Attempt
from missionsite.common.models import IdempotencyKey
from tests.engagement.test_announcements_admin import COMPOSE, typed
from tests.portal.helpers import entry
from tests.site.test_form_keys import Forms
from tests.support.admin import client_of, page_text, staff
from tests.support.concurrency import crowd, without

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 13
AT_ONCE = 6


@pytest.fixture
def people():
    return [entry() for _ in range(PEOPLE)]


@pytest.fixture
def manager():
    return staff("Community Manager")


def filled(key: str, **changes) -> dict:
    return typed(expected=str(PEOPLE), **changes) | {FORM_KEY_FIELD: key}


def counts() -> tuple[int, int]:
    return Announcement.objects.count(), EngagementMessage.objects.count()


def key_of(answer) -> str:
    (key,) = {form.key for form in Forms(answer.content.decode(), "").found if form.key}
    return key


def test_second_submission_redirects_to_first_announcement(people, manager):
    browser = client_of(manager)
    key = key_of(browser.get(COMPOSE))
    first = browser.post(COMPOSE, filled(key))
    second = browser.post(COMPOSE, filled(key), follow=True)
    assert counts() == (1, PEOPLE)
    assert second.redirect_chain == [(first["Location"], 302)]
    assert "This was already saved." in page_text(second)
    # A new form makes another announcement, also with the same texts.
    browser.post(COMPOSE, filled(key_of(browser.get(COMPOSE))))
    assert counts() == (2, 2 * PEOPLE)


def test_corrected_form_is_accepted_with_old_or_new_key(people, manager):
    browser = client_of(manager)
    for title, use_new_key in (("A", False), ("B", True)):
        key = new_form_key()
        rejected = browser.post(COMPOSE, filled(key, title=""))
        assert (rejected.status_code, rejected.context["form"].errors["title"]) == (200, ["This field is required."])
        browser.post(COMPOSE, filled(key_of(rejected) if use_new_key else key, title=title))
    assert sorted(Announcement.objects.values_list("title", flat=True)) == ["A", "B"]


def test_service_error_leaves_key_unused(people, manager):
    browser, key = client_of(manager), new_form_key()
    assert "The number of recipients changed" in page_text(browser.post(COMPOSE, filled(key) | {"expected": "1"}))
    assert not IdempotencyKey.objects.exists()
    assert browser.post(COMPOSE, filled(key)).status_code == 302
    assert counts() == (1, PEOPLE)


@pytest.mark.rule("FormKeyReused")
def test_used_key_with_other_values_keeps_input(people, manager):
    browser, key = client_of(manager), new_form_key()
    browser.post(COMPOSE, filled(key))
    answer = browser.post(COMPOSE, filled(key, title="Another one"))
    assert "This form was already saved, with other values." in page_text(answer)
    assert 'value="Another one"' in answer.content.decode()
    assert counts() == (1, PEOPLE)
    browser.post(COMPOSE, filled(key_of(answer), title="Another one"))
    assert counts() == (2, 2 * PEOPLE)


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "a\x00" * 10, "é" * 20])
def test_form_without_valid_key_is_rejected_with_input(people, manager, key):
    browser = client_of(manager)
    answer = browser.post(COMPOSE, filled(key, title="My own title"))
    assert "Nothing was saved: this page was opened before the site was updated." in page_text(answer)
    assert 'value="My own title"' in answer.content.decode()
    assert counts() == (0, 0)
    assert browser.post(COMPOSE, filled(key_of(answer))).status_code == 302


def test_keys_are_separate_per_user(people, manager):
    key = new_form_key()
    for member in (manager, staff("Community Manager")):
        assert client_of(member).post(COMPOSE, filled(key)).status_code == 302
    assert counts() == (2, 2 * PEOPLE)


def submit_at_once(manager) -> list:
    """Submit one form several times concurrently in the same session."""
    key = new_form_key()
    browsers = [client_of(manager) for _ in range(AT_ONCE)]
    with crowd(AT_ONCE) as people_at_once:
        return people_at_once.run(lambda number: browsers[number].post(COMPOSE, filled(key)))


@pytest.mark.seed("site a form submitted twice, or by six at once, has one effect")
def test_concurrent_submissions_make_one_announcement(people, manager):
    answers = submit_at_once(manager)
    assert counts() == (1, PEOPLE)
    assert {(each.status_code, each["Location"]) for each in answers} == {
        (302, f"/admin/engagement/announcement/{Announcement.objects.get().pk}/change/")
    }


@pytest.mark.long
@pytest.mark.seed("site a form submitted twice, or by six at once, has one effect", control=True)
def test_control_without_check_makes_many_announcements(people, manager, monkeypatch):
    """Negative control."""
    monkeypatch.setattr(Attempt, "earlier_response", lambda self: None)
    with without(
        "ALTER TABLE api_idempotency_keys DROP CONSTRAINT api_idempotency_keys_unique",
        "ALTER TABLE api_idempotency_keys ADD CONSTRAINT api_idempotency_keys_unique UNIQUE (owner_id, operation, key)",
    ):
        submit_at_once(manager)
        assert counts() == (AT_ONCE, AT_ONCE * PEOPLE)
        IdempotencyKey.objects.all().delete()


@pytest.mark.long
def test_control_without_lock_unique_key_keeps_one(people, manager, monkeypatch):
    """Negative control of the lock: the others are rejected instead of redirected to the first."""
    monkeypatch.setattr(Attempt, "_lock", lambda self: True)
    submit_at_once(manager)
    assert counts() == (1, PEOPLE)
