"""The tables of rules.py, compared with the copies in the database, the README and the settings, over all values."""

import re
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils import timezone

from engagement.api import base as api
from engagement.conf import ENGAGEMENT_RETURN_AFTER, ENGAGEMENT_TIERS
from engagement.models import EngagementMessage, EngagementStateTransition, MessageTemplate, UserProfile
from engagement.rules import (
    BLOCK_REASONS,
    CANCELLABLE,
    GOODBYE_REPLIES,
    MESSAGE_MOVES,
    RETRYABLE,
    TIERS,
    TRANSACTIONAL_TYPES,
    TRANSITION_MESSAGES,
    TRANSITIONS,
    Destination,
    Locale,
    MessageType,
    Status,
    TransitionTrigger,
)
from engagement.selectors.announcements import SKIP_REASONS
from engagement.services.intents import INTENTS
from engagement.services.profiles import update_profile
from engagement.services.templates import add_template
from missionsite.common.errors import ConstraintViolated, translate_db_errors
from tests.support.database import rejected_by, rows
from tests.support.factories.engagement import MessageFactory, PersonFactory
from tests.support.factories.groups import StaffFactory

FOLDER = Path(apps.get_app_config("engagement").path)


@pytest.mark.seed("002 Subtask 4.3")
@pytest.mark.django_db
@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_trigger_allows_same_message_moves(before, after):
    message = MessageFactory(status=before, sent_at=timezone.now())
    change = ("UPDATE engagement_message_queue SET status = %s WHERE id = %s", [after, message.pk])
    if before == after or after in MESSAGE_MOVES[before]:
        rows(*change)
        assert EngagementMessage.objects.get(pk=message.pk).status == after
    else:
        with rejected_by("engagement_message_queue_moves"):
            rows(*change)


def test_staff_can_retry_failed_and_cancel_unsent_messages():
    assert RETRYABLE == (Status.FAILED,)
    assert CANCELLABLE == (Status.PENDING, Status.FAILED)


@pytest.mark.django_db
@pytest.mark.parametrize("message_type", MessageType)
def test_frequency_cap_counts_unsolicited_types(message_type):
    person = PersonFactory()
    MessageFactory(user=person, message_type=message_type, status=Status.SENT, sent_at=timezone.now())
    over = rows("SELECT user_id FROM members_over_frequency_cap(0, interval '1 day')")
    assert over == ([] if message_type in TRANSACTIONAL_TYPES else [(person.pk,)])


@pytest.mark.django_db
def test_block_texts_of_database_are_the_same():
    texts = rows("SELECT reason, engagement_block_text(reason) FROM unnest(%s::text[]) reason", [list(BLOCK_REASONS)])
    assert dict(texts) == {reason: str(text) for reason, text in BLOCK_REASONS.items()}
    assert rows("SELECT engagement_block_text(NULL), engagement_block_text('another')") == [(None, None)]


def test_skip_reasons_are_block_reasons():
    # A goodbye is no announcement; a cancelled announcement has no audience.
    assert set(SKIP_REASONS) == {"no_account", *BLOCK_REASONS} - {"returned", "announcement_cancelled"}


def test_no_other_file_decides_who_is_blocked():
    """Only the SQL function compares the facts; rules and labels name the reasons."""
    naming = {
        str(path.relative_to(FOLDER))
        for folder in ("admin", "selectors", "services", "sql/queries", "transports", "management")
        for path in (FOLDER / folder).rglob("*.*")
        if path.suffix in (".py", ".sql") and re.search(r"['\"](banned|suspended|not_member)['\"]", path.read_text())
    }
    assert naming == {"selectors/announcements.py"}


@pytest.mark.django_db
@pytest.mark.parametrize(("less", "returned"), [(timedelta(0), True), (timedelta(seconds=1), None)])
def test_trigger_has_same_default_for_unprompted_return(less, returned):
    """SQL that sets no engagement.return_after uses the default of the setting."""
    person = PersonFactory(state="dormant")
    rows(
        "UPDATE user_engagement_states SET last_activity_at = now() - %s WHERE user_id = %s",
        [ENGAGEMENT_RETURN_AFTER - less, person.pk],
    )
    rows("SELECT set_config('engagement.trigger', 'user_message', true)")
    rows("UPDATE user_engagement_states SET state = 'active' WHERE user_id = %s", [person.pk])
    logged = EngagementStateTransition.objects.get(user=person, trigger="user_message")
    assert logged.metadata.get("unprompted_return") is returned


def test_replies_to_goodbye_are_intents():
    assert {reply.value for reply in GOODBYE_REPLIES} < set(INTENTS)
    assert set(TRANSITION_MESSAGES) <= {trigger for _state, trigger in TRANSITIONS}


def test_default_settings_have_each_tier():
    assert list(ENGAGEMENT_TIERS) == [str(tier) for tier in range(1, TIERS + 1)]


def test_api_accepts_the_same_values():
    assert get_args(api.TriggerName) == tuple(TransitionTrigger.values)
    assert get_args(api.StatusName) == tuple(Status.values)
    assert get_args(api.DestinationName) == tuple(Destination.values)
    assert get_args(api.LocaleName) == tuple(Locale.values)


def test_readme_lists_the_transitions():
    table = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert table == [(str(before), str(trigger), str(after)) for (before, trigger), after in TRANSITIONS.items()]


def test_readme_shows_the_message_moves():
    diagram = re.findall(r"^    (\w+) --> (\w+):", (FOLDER / "README.md").read_text(), re.MULTILINE)
    shown = {(before, after) for before, after in diagram if before != after}
    assert shown == {(str(before), str(after)) for before, afters in MESSAGE_MOVES.items() for after in afters}


# --- Messages of constraints ----------------------------------------------------------------------


@pytest.mark.django_db
def test_form_and_service_give_the_same_error_for_a_taken_address():
    other = PersonFactory(profile={"individual_jid": "me@chat"})
    profile = UserProfile.objects.exclude(pk=other.pk).get(pk=PersonFactory().pk)
    profile.individual_jid = "me@chat"
    with pytest.raises(ValidationError) as shown:
        profile.validate_constraints()
    with pytest.raises(ConstraintViolated) as raised:
        update_profile(actor=profile.user, member=profile.user, individual_jid="me@chat")
    assert shown.value.message_dict == {raised.value.field: [raised.value.message]}
    assert (raised.value.code, raised.value.status) == ("address_taken", 409)


@pytest.mark.deletes("message_templates")
@pytest.mark.django_db
def test_form_and_service_give_the_same_error_for_an_empty_template():
    MessageTemplate.objects.filter(key="reminder", locale="en").delete()
    values = {"key": "reminder", "locale": "en", "subject": "Hello", "body": " "}
    with pytest.raises(ValidationError) as shown:
        MessageTemplate(**values).validate_constraints()
    with pytest.raises(ConstraintViolated) as raised:
        add_template(actor=StaffFactory(), **values)
    assert shown.value.message_dict == {"body": [raised.value.message]}
    assert (raised.value.code, raised.value.status) == ("template_empty", 422)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE user_engagement_states SET goodbye_sent_at = now()", "goodbye_dates_invalid"),
        ("UPDATE user_engagement_states SET remind_at = now()", "reminder_date_invalid"),
        ("UPDATE engagement_message_queue SET status = 'sent'", "sent_date_missing"),
        ("UPDATE user_profiles SET onboarding_tier = 4", "tier_out_of_range"),
    ],
)
def test_database_error_has_code_of_constraint(change, code):
    MessageFactory(user=PersonFactory(state="active"))
    with pytest.raises(ConstraintViolated) as raised, translate_db_errors():
        rows(change)
    assert (raised.value.code, raised.value.status) == (code, 422)
