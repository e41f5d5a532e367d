"""What a returning person sees: the same page whatever is found, and the page of the link."""

import re

import pytest
from django.core import mail
from django.test import Client

from groups.models import CommunityMember, CommunityReturn, Member
from groups.services.returns import send_return_mail
from tests.portal.helpers import PASSWORD, entry, invitation, seen, typed
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db


def member(form):
    entry(person=MemberFactory(email=form["email"], password=PASSWORD))


def removed(form):
    entry(telegram_id=form["telegram_id"], status="active", deleted_at="2026-03-01T00:00:00Z")


def banned(form):
    entry(person=MemberFactory(email=form["email"]), telegram_id=form["telegram_id"], status="banned")


def imported(form):
    MemberFactory(email=form["email"].upper())


def staff(form):
    StaffFactory(email=form["email"])


def test_every_collision_gives_the_same_page():
    made = invitation(max_uses=9)
    pages = set()
    for collide in (member, removed, banned, imported, staff):
        form = typed()
        collide(form)
        client = Client()
        answer = client.post(f"/join/{made.spelled_code}/", form)
        pages.add(seen(answer))
        assert "_auth_user_id" not in client.session
        assert form["email"] not in answer.content.decode()
    assert len(pages) == 1
    assert "Almost done" in next(iter(pages))[1]
    assert CommunityReturn.objects.count() == 5
    # Nothing is mailed within the request.
    assert mail.outbox == []


def test_person_returns_by_link_and_logs_in(client):
    form = typed()
    made = entry(person=MemberFactory(email=form["email"], password=PASSWORD), deleted_at="2026-03-01T00:00:00Z")
    client.post(f"/join/{invitation().spelled_code}/", form, headers={"accept-language": "pt-BR"})
    send_return_mail(return_id=str(CommunityReturn.objects.get().pk))
    assert mail.outbox[0].subject == "O seu cadastro"
    address = re.search(r"https?://[^/]+(/return/\S+)", mail.outbox[0].body)[1]
    assert made.person.display_name in (page := client.get(address)).content.decode()
    assert page["Referrer-Policy"] == "strict-origin"
    # Opening the link changes nothing.
    assert CommunityMember.objects.get(pk=made.pk).is_removed
    assert "too short" in client.post(address, {"password": "x7!kq"}).content.decode()
    answer = client.post(address, {"password": "purple-otter-climbs-77"})
    assert answer["Location"] == "/login/"
    assert "Welcome back" in client.get("/login/").content.decode()
    assert client.login(username=form["email"], password="purple-otter-climbs-77")
    assert Member.objects.filter(email=form["email"]).count() == 1
    client.logout()
    assert client.get(address).status_code == client.post(address, {"password": "a"}).status_code == 404


def test_unknown_links_are_limited(client, settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 2
    assert [client.get(f"/return/{number}/").status_code for number in range(3)] == [404, 404, 429]
