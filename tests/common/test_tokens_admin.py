"""API tokens in the back office. Alice and Bob are staff, Root is an administrator."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from missionsite.common.admin.form_keys import new_form_key
from missionsite.common.models import ApiToken, IdempotencyKey
from missionsite.common.tokens import authenticate
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import make_token

pytestmark = pytest.mark.django_db

LIST = reverse("admin:common_apitoken_changelist")
ADD = reverse("admin:common_apitoken_add")


@pytest.fixture
def alice(client):
    member = StaffFactory(display_name="Alice")
    client.force_login(member)
    return member


def make(client, **changes):
    return client.post(ADD, {"name": "calendar", "kind": "person", "scopes": ["missions:read"], "days": "30"} | changes)


def test_created_token_is_shown_and_valid(client, alice):
    answer = make(client)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    plaintext = re.search(r'value="(ms_[^"]+)"', answer.content.decode())[1]
    member, token = authenticate(plaintext)
    assert (member, token.created_by, token.scopes) == (alice, alice, ["missions:read"])
    life = token.expires_at - timezone.now()
    assert timedelta(days=29) < life <= timedelta(days=30)


def test_token_is_not_shown_again(client, alice):
    answer = make(client)
    plaintext = re.search(r'value="(ms_[^"]+)"', answer.content.decode())[1]
    token = ApiToken.objects.get()
    assert [str(message) for message in get_messages(answer.wsgi_request)] == []
    assert plaintext not in str(dict(client.session))
    assert plaintext not in str(answer.cookies)
    assert not LogEntry.objects.filter(object_repr__contains=plaintext).exists()
    for address in (LIST, reverse("admin:common_apitoken_change", args=[token.pk]), ADD):
        page = client.get(address)
        assert page.status_code == 200
        assert plaintext not in page.content.decode()
        assert token.digest not in page.content.decode()


def test_double_submission_creates_one_token(client, alice):
    key = {"form_key": new_form_key()}
    plaintext = re.search(r'value="(ms_[^"]+)"', make(client, **key).content.decode())[1]
    again = make(client, **key)
    assert again["Location"] == reverse("admin:common_apitoken_change", args=[ApiToken.objects.get().pk])
    page = client.get(again["Location"]).content.decode()
    assert "This token was already created, and its text is shown only once." in page
    assert "ms_" not in page.replace(ApiToken.objects.get().prefix, "")
    assert plaintext not in str(list(IdempotencyKey.objects.values_list()))


@pytest.mark.rule("FormKeyMissing")
def test_form_without_key_creates_no_token(client, alice):
    page = make(client, form_key="").content.decode()
    assert "Nothing was saved: this page was opened before the site was updated." in page
    assert 'value="calendar"' in page
    assert not ApiToken.objects.exists()


def test_token_page_has_no_inline_script(client, alice):
    page = make(client).content.decode()
    block = page[page.index("Copy your API token now") : page.index("back to my tokens")]
    assert "<script" not in block
    assert " on" + "click" not in block
    assert 'data-copies="token"' in block
    assert "common/copy.js" in page


@pytest.mark.parametrize(
    "changes",
    [{"name": " "}, {"name": "x" * 101}, {"name": "a\x00b"}, {"scopes": []}, {"scopes": ["x:y"]}, {"days": "9999"}],
)
def test_invalid_form_keeps_values(client, alice, changes):
    answer = make(client, **changes)
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not ApiToken.objects.exists()


def test_owner_cannot_be_set(client, alice):
    bob = StaffFactory()
    make(client, owner=str(bob.pk), created_by=str(bob.pk))
    assert ApiToken.objects.get().owner == alice


def test_list_shows_only_own_tokens(client, alice):
    make_token(alice, name="mine-alone")
    bobs, _ = make_token(StaffFactory(), name="bobs-alone")
    page = client.get(LIST).content.decode()
    assert "mine-alone" in page
    assert "bobs-alone" not in page
    assert client.get(reverse("admin:common_apitoken_change", args=[bobs.pk])).status_code == 302


def test_administrator_can_revoke_any_token(client):
    root = StaffFactory(is_superuser=True)
    client.force_login(root)
    bobs, _ = make_token(StaffFactory(), name="bobs-alone")
    assert "bobs-alone" in client.get(LIST).content.decode()
    client.post(LIST, {"action": "revoke", "apply": "1", "_selected_action": [str(bobs.pk)]})
    bobs.refresh_from_db()
    assert bobs.revoked_at is not None


def test_other_members_cannot_revoke_token(client, alice):
    bobs, _ = make_token(StaffFactory())
    client.post(LIST, {"action": "revoke", "apply": "1", "_selected_action": [str(bobs.pk)]})
    client.post(reverse("admin:common_apitoken_revoke", args=[bobs.pk]))
    bobs.refresh_from_db()
    assert bobs.revoked_at is None


def test_revoke_button_asks_for_confirmation(client, alice):
    mine, _ = make_token(alice)
    address = reverse("admin:common_apitoken_revoke", args=[mine.pk])
    assert address in client.get(reverse("admin:common_apitoken_change", args=[mine.pk])).content.decode()
    assert "This cannot be undone." in client.get(address).content.decode()
    mine.refresh_from_db()
    assert mine.revoked_at is None
    client.post(address)
    mine.refresh_from_db()
    assert mine.revoked_at is not None


def test_revoked_token_remains_listed(client, alice):
    mine, _ = make_token(alice)
    answer = client.post(LIST, {"action": "revoke", "apply": "1", "_selected_action": [str(mine.pk)]}, follow=True)
    assert "1 revoked." in answer.content.decode()
    assert "revoked" in client.get(LIST).content.decode()


def test_token_cannot_be_edited_or_deleted(client, alice):
    mine, _ = make_token(alice)
    change = reverse("admin:common_apitoken_change", args=[mine.pk])
    assert client.post(change, {"name": "renamed", "scopes": ["missions:write"]}).status_code == 403
    assert client.post(reverse("admin:common_apitoken_delete", args=[mine.pk]), {"post": "yes"}).status_code == 403
    mine.refresh_from_db()
    assert mine.name == "test"


@pytest.mark.parametrize("address", [LIST, ADD])
def test_member_without_staff_rights_is_redirected(client, address):
    client.force_login(MemberFactory())
    answer = client.get(address)
    assert answer.status_code == 302
    assert "login" in answer["Location"]


def test_list_query_count_is_constant(client, alice, django_assert_num_queries):

    make_token(alice)
    with CaptureQueriesContext(connection) as first:
        client.get(LIST)
    for _ in range(10):
        make_token(alice)
    with django_assert_num_queries(len(first)):
        client.get(LIST)
