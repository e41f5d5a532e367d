"""API tokens: creation, use, rejection and revocation. Alice and Bob own one each."""

import hashlib
import logging
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from missionsite.common.errors import NotAllowed, from_database
from missionsite.common.models import ApiToken
from missionsite.common.scopes import all_scopes, register_scope
from missionsite.common.tokens import (
    TokenCannotChange,
    TokenRejected,
    TokenValueRejected,
    authenticate,
    create_token,
    has_token_form,
    revoke_token,
)
from tests.support.factories.groups import MemberFactory
from tests.support.factories.tokens import make_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return MemberFactory()


def tomorrow():
    return timezone.now() + timedelta(days=1)


def test_authenticate_returns_owner(alice):
    token, plaintext = make_token(alice, "missions:read")
    member, found = authenticate(plaintext)
    assert (member, found) == (alice, token)
    assert found.scopes == ["missions:read"]


def test_only_digest_is_stored(alice):
    token, plaintext = make_token(alice)
    assert token.digest == hashlib.sha256(plaintext.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(t)::text FROM api_tokens t WHERE id = %s", [token.pk])
        (row,) = cursor.fetchone()
    assert plaintext not in row
    assert plaintext[len(token.prefix) :] not in row
    assert plaintext.startswith(token.prefix)
    assert len(plaintext) - len(token.prefix) >= 40


def test_tokens_are_unique(alice):
    assert len({make_token(alice)[1] for _ in range(50)}) == 50


def test_checksum_rejects_typing_error_without_query(alice, django_assert_num_queries):
    _, plaintext = make_token(alice)
    wrong = plaintext[:10] + ("a" if plaintext[10] != "a" else "b") + plaintext[11:]
    assert has_token_form(plaintext)
    assert not has_token_form(wrong)
    with django_assert_num_queries(0), pytest.raises(TokenRejected):
        authenticate(wrong)


@pytest.mark.parametrize("text", ["", "ms_", "x" * 52, "ms_" + "ä" * 49, "ms_\x00" + "a" * 48, "\ud800"])
def test_malformed_token_is_rejected(text):
    with pytest.raises(TokenRejected):
        authenticate(text)


@pytest.mark.deletes("api_tokens")
def test_rejections_have_same_message_and_log_reason(alice, caplog):
    caplog.set_level(logging.WARNING, logger="missionsite.common.tokens")
    revoked, revoked_text = make_token(alice)
    revoke_token(token=revoked, actor=alice)
    _, expired_text = make_token(alice, days=1)
    gone, unknown_text = make_token(alice)
    gone.delete()
    inactive = MemberFactory()
    _, inactive_text = make_token(inactive)
    inactive.is_active = False
    inactive.save()
    later = timezone.now() + timedelta(days=2)
    messages = set()
    for text, at in [(revoked_text, None), (expired_text, later), (unknown_text, None), (inactive_text, None)]:
        with pytest.raises(TokenRejected) as rejected:
            authenticate(text, now=at)
        messages.add((rejected.value.message, rejected.value.code, rejected.value.status))
    assert len(messages) == 1
    for reason in ("revoked", "expired", "unknown", "inactive member"):
        assert reason in caplog.text


@pytest.mark.deletes("api_tokens")
def test_rejected_token_is_not_logged(alice, caplog):
    _, plaintext = make_token(alice)
    ApiToken.objects.all().delete()
    with pytest.raises(TokenRejected):
        authenticate(plaintext)
    assert plaintext not in caplog.text


def test_last_use_is_updated_once_a_minute(alice, django_assert_num_queries):
    token, plaintext = make_token(alice)
    now = timezone.now()
    authenticate(plaintext, now=now)
    with django_assert_num_queries(1):
        authenticate(plaintext, now=now + timedelta(seconds=59))
    token.refresh_from_db()
    assert token.last_used_at == now
    authenticate(plaintext, now=now + timedelta(seconds=61))
    token.refresh_from_db()
    assert token.last_used_at == now + timedelta(seconds=61)


@pytest.mark.django_db(transaction=True)
def test_last_use_update_does_not_wait(alice):
    token, plaintext = make_token(alice)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM api_tokens WHERE id = %s FOR UPDATE", [token.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        authenticate(plaintext)
        token.refresh_from_db()
        assert token.last_used_at is None
    finally:
        other.rollback()
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def test_second_revocation_keeps_first_time(alice):
    token, _ = make_token(alice)
    first = revoke_token(token=token, actor=alice).revoked_at
    assert revoke_token(token=token, actor=alice, now=tomorrow()).revoked_at == first


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["missions:destroy"]}, "scopes"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "expires_at"),
        ({"expires_at": timezone.now() + timedelta(days=400)}, "expires_at"),
    ],
)
def test_invalid_value_is_rejected_with_field(alice, values, field):
    with pytest.raises(TokenValueRejected) as rejected:
        create_token(
            **(
                {"actor": alice, "owner": alice, "name": "x", "scopes": ["missions:read"], "expires_at": tomorrow()}
                | values
            )
        )
    assert rejected.value.field == field


def test_inactive_member_cannot_get_token():
    with pytest.raises(NotAllowed):
        make_token(MemberFactory(is_active=False))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("scopes = '{}'", "api_tokens_scopes_format"),
        ("scopes = ARRAY[NULL]", "api_tokens_scopes_format"),
        ("scopes = '{Missions}'", "api_tokens_scopes_format"),
        ("digest = 'plaintext'", "api_tokens_digest_format"),
        ("digest = digest", "api_tokens_digest_unique"),
        ("name = ''", "api_tokens_name_not_empty"),
        ("kind = 'robot'", "api_tokens_kind_known"),
        ("expires_at = created_at", "api_tokens_expires_after_creation"),
        ("revoked_at = created_at - interval '1 s'", "api_tokens_revoked_after_creation"),
    ],
)
def test_database_enforces_token_rules(alice, change, rule):
    make_token(alice)
    with connection.cursor() as cursor:
        # A new row: an existing one is kept from changing by a rule of its own.
        column, value = change.split(" = ", 1)
        columns = {
            "id": "gen_random_uuid()",
            "owner_id": "owner_id",
            "created_by_id": "created_by_id",
            "name": "name",
            "prefix": "prefix",
            "digest": "repeat('0', 64)",
            "scopes": "scopes",
            "expires_at": "expires_at",
            "revoked_at": "revoked_at",
            "created_at": "created_at",
            column: value,
        }
        with pytest.raises(IntegrityError) as rejected, transaction.atomic():
            cursor.execute(
                f"INSERT INTO api_tokens ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM api_tokens"
            )
    assert rejected.value.__cause__.diag.constraint_name == rule


@pytest.mark.parametrize(
    "change",
    [
        "scopes = '{missions:read,members:read}'",
        "owner_id = '00000000-0000-0000-0000-000000000000'",
        "expires_at = expires_at + interval '1 day'",
        "digest = repeat('0', 64)",
        "revoked_at = NULL",
    ],
)
def test_token_cannot_be_extended_or_restored(alice, change):
    token, _ = make_token(alice, "missions:read")
    revoke_token(actor=alice, token=token)
    with connection.cursor() as cursor:
        with pytest.raises(DatabaseError) as rejected, transaction.atomic():
            cursor.execute(f"UPDATE api_tokens SET {change}")
        assert isinstance(from_database(rejected.value), TokenCannotChange)


def test_member_role_cannot_access_tokens(alice):
    make_token(alice)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('missionsite_member', 'api_tokens', 'SELECT, INSERT, UPDATE, DELETE')"
        )
        assert cursor.fetchone() == (False,)


def test_scopes_of_all_apps_are_registered():
    assert all_scopes().keys() >= {"missions:read", "missions:write", "members:read", "profile:read"}


def test_malformed_scope_is_rejected():
    with pytest.raises(ValueError, match="has the format"):
        register_scope("Everything", "Everything.")


def test_command_prints_valid_token(alice, capsys):
    call_command("create_token", alice.email.upper(), name="phone", scope=["missions:read"])
    plaintext = capsys.readouterr().out.strip()
    assert authenticate(plaintext)[0] == alice


@pytest.mark.parametrize(
    ("email", "options", "words"),
    [
        ("nobody@example.org", {}, "There is no member"),
        (None, {"scope": ["nothing:at_all"]}, "Unknown scope"),
        (None, {"days": 0}, "--days"),
    ],
)
def test_command_reports_error_without_traceback(alice, email, options, words):
    given = {"name": "phone", "scope": ["missions:read"]} | options
    with pytest.raises(CommandError, match=words):
        call_command("create_token", email or alice.email, **given)
    assert not ApiToken.objects.exists()
