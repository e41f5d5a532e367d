"""Writing to one member: template or text, preview, and what blocks it."""

import pytest
from django.urls import reverse

from engagement.errors import MemberBlocked
from engagement.models import EngagementMessage, UserProfile
from engagement.services.personal import usable_templates, write_to_member
from groups.models import Event
from tests.engagement.fake_provider import Clock, Provider, sender
from tests.support.admin import client, page_text
from tests.support.factories.engagement import PersonFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db


def page(member) -> str:
    return reverse("admin:engagement_userprofile_write", args=[member.pk])


@pytest.fixture
def operator():
    return client("Engagement Operator")


@pytest.fixture
def ana():
    return PersonFactory(display_name="Ana", state="active", profile={"individual_jid": "5511@c.us"})


def test_text_is_sent_to_one_member(operator, ana):
    shown = page_text(operator.get(page(ana)))
    assert "Preview" in shown
    answer = operator.post(page(ana), {"subject": "Your talk", "body": "Thank you, {{ name }}!"}, follow=True)
    assert "message queued" in page_text(answer)
    message = EngagementMessage.objects.get(user=ana)
    assert (message.message_type, message.message_params["text"]) == ("personal", "Thank you, Ana!")
    event = Event.objects.get(type="message.written")
    assert (event.member, event.actor.display_name) == (ana, "Engagement Operator")


def test_personal_message_has_own_subject_and_link(ana):
    write_to_member(actor=StaffFactory(), member=ana, subject="Your talk", body="Thank you, {{ name }}!")
    EngagementMessage.objects.update(scheduled_for=Clock().at)
    provider = Provider()
    sender(provider).drain()
    [taken] = provider.taken
    assert taken.subject == "Your talk"
    assert taken.body.startswith("Thank you, Ana!\n\nYou can stop these messages")


def test_template_is_sent_in_language_of_member(operator, ana):
    UserProfile.objects.filter(pk=ana.pk).update(locale="pt-BR")
    chosen = next(each for each in usable_templates(ana) if each.key == "welcome")
    assert chosen.locale == "pt-BR"
    operator.post(page(ana), {"template": str(chosen.pk)})
    assert EngagementMessage.objects.get(user=ana).message_params["text"].startswith("Oi, Ana!")


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"subject": "Hi"},
        {"body": "Hi"},
        {"subject": "Hi", "body": "Hi {nome}"},
        {"subject": "Hi", "body": "Hi {{ week }}"},
        {"template": "0"},
    ],
)
def test_invalid_text_is_rejected_and_kept(operator, ana, typed):
    answer = operator.post(page(ana), typed)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not EngagementMessage.objects.exists()


@pytest.mark.rule("MemberBlocked")
def test_blocked_member_is_not_written_to(operator, ana):
    UserProfile.objects.filter(pk=ana.pk).update(reengagement_opt_out=True)
    assert "No message would be sent: The member has opted out." in page_text(operator.get(page(ana)))
    answer = operator.post(page(ana), {"subject": "Hi", "body": "Hi"})
    assert "The member has opted out." in page_text(answer)
    with pytest.raises(MemberBlocked):
        write_to_member(actor=StaffFactory(), member=ana, subject="Hi", body="Hi")
    assert not EngagementMessage.objects.exists()


def test_other_roles_cannot_write(ana):
    assert client("Auditor").post(page(ana), {"subject": "Hi", "body": "Hi"}).status_code == 403
