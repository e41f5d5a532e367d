"""Invitations for several people, their recipients, sending, and the hand-out."""

import csv
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from groups.errors import (
    CodeRejected,
    InvitationEnded,
    MailNotSent,
    RecipientMissing,
    RecipientRejected,
    TooManyInvitations,
)
from groups.models import CommunityInvitationUse, CommunityMember, Event, Member
from groups.models.invitations import digest_of_code
from groups.services import registration
from groups.services.invitation_mail import queue_invitation_mail, send_invitation, send_with_new_code
from groups.services.invitations import change_invitation, create_invitation, expire_invitations
from groups.services.recipients import Recipient, read_recipients
from groups.services.registration import accept_invitation, find_invitation
from missionsite.common.admin.form_keys import new_form_key
from missionsite.common.errors import DomainError
from missionsite.common.qr import qr_svg
from tests.support.admin import client, page_text
from tests.support.concurrency import CONTROL_ROUNDS, ROUNDS, crowd, without
from tests.support.database import rejected_by, rows
from tests.support.errors import violates
from tests.support.factories.directory import EntryFactory, InvitationFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/communityinvitation/"


@pytest.fixture
def noor():
    return EntryFactory(name="Noor", with_account=True)


@pytest.fixture
def community():
    return client("Community Manager")


def registering(code, number=0):
    return accept_invitation(
        code=code, email=f"p{number}@example.org", name=f"P {number}", primary_role="other", telegram_id=f"9{number}"
    )


# --- One link for many --------------------------------------------------------------------------


def test_link_for_three_people_is_used_three_times(noor):
    made = create_invitation(actor=noor.person, created_by=noor, max_uses=3)
    joined = [registering(made.code, number) for number in range(3)]
    with pytest.raises(CodeRejected):
        registering(made.code, 4)
    made.refresh_from_db()
    assert (made.status, made.uses, made.accepted_by) == ("accepted", 3, None)
    assert {use.member for use in CommunityInvitationUse.objects.all()} == set(joined)
    assert {entry.invited_by_id for entry in joined} == {noor.member_id}


def test_invitation_for_one_lists_its_use_also_from_sql(noor):
    made = create_invitation(actor=noor.person, created_by=noor)
    entry = registering(made.code)
    other = InvitationFactory(status="accepted", accepted_by=EntryFactory(), accepted_at=timezone.now())
    assert set(CommunityInvitationUse.objects.values_list("invitation", "member")) == {
        (made.pk, entry.member_id),
        (other.pk, other.accepted_by_id),
    }
    made.refresh_from_db()
    assert made.uses == 1


def test_uses_are_append_only_and_within_limit(noor):
    made = create_invitation(actor=noor.person, created_by=noor)
    registering(made.code)
    for change in ("DELETE FROM community_invitation_uses", "UPDATE community_invitation_uses SET used_at = now()"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            rows(change)
    with rejected_by("community_invitations_uses_within_limit"):
        rows("UPDATE community_invitations SET uses = 2")
    with violates("community_invitations_max_uses_range"):
        create_invitation(actor=noor.person, created_by=noor, max_uses=0)


def test_daily_cap_counts_people_of_a_link(noor, settings):
    settings.INVITATIONS_PER_DAY = 20
    create_invitation(actor=noor.person, created_by=noor, max_uses=15)
    with pytest.raises(TooManyInvitations, match="5 more are possible now"):
        create_invitation(actor=noor.person, created_by=noor, max_uses=6)
    create_invitation(actor=noor.person, created_by=noor, max_uses=5)


def everyone_registers(people, round_):
    """One round: ten people with one link for three."""
    made = InvitationFactory(max_uses=3)
    results = people.run(lambda number: registering(made.code, f"{round_}x{number}"))
    made.refresh_from_db()
    return results, made, CommunityInvitationUse.objects.filter(invitation=made).count()


@pytest.mark.django_db(transaction=True)
def test_concurrent_registrations_stay_within_limit():
    with crowd(10) as people:
        for round_ in range(ROUNDS):
            results, made, used = everyone_registers(people, round_)
            assert (made.status, made.uses, used) == ("accepted", 3, 3)
            assert sum(isinstance(result, CommunityMember) for result in results) == 3
            assert sum(isinstance(result, CodeRejected) for result in results) == 7


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_more_people_register_without_lock_and_check(monkeypatch):
    monkeypatch.setattr(registration, "find_invitation", lambda code, lock=False: find_invitation(code))
    check = "ALTER TABLE community_invitations DROP CONSTRAINT community_invitations_uses_within_limit"
    restore = (
        "UPDATE community_invitations SET uses = max_uses WHERE uses > max_uses; ALTER TABLE community_invitations"
        " ADD CONSTRAINT community_invitations_uses_within_limit CHECK (uses >= 0 AND uses <= max_uses)"
    )
    with without(check, restore), crowd(10) as people:
        assert any(everyone_registers(people, round_)[2] > 3 for round_ in range(CONTROL_ROUNDS * 4))


# --- Changing and extending ---------------------------------------------------------------------


def test_expired_invitation_is_extended_with_its_code(noor):
    made = create_invitation(actor=noor.person, created_by=noor)
    rows(
        "UPDATE community_invitations SET created_at = now() - interval '9 days', expires_at = now() - interval '1 day'"
    )
    expire_invitations(actor=Member.objects.system())
    with pytest.raises(CodeRejected):
        find_invitation(made.code)
    change_invitation(actor=noor.person, invitation=made, lasts=timedelta(days=5))
    assert find_invitation(made.code).expires_at > timezone.now() + timedelta(days=4)


def test_change_sets_recipient_without_names_in_events(noor):
    made = create_invitation(actor=noor.person, created_by=noor, telegram_username="bob_1", max_uses=2)
    registering(made.code)
    change_invitation(
        actor=noor.person, invitation=made, recipient=Recipient(name="Ana Souza", email="ana@example.org"), max_uses=4
    )
    made.refresh_from_db()
    assert (made.for_whom, made.invited_email, made.invited_telegram_username) == ("Ana Souza", "ana@example.org", None)
    event = Event.objects.filter(type="invitation.changed").get()
    assert "Ana" not in str(event.payload)
    with pytest.raises(DomainError, match="More people registered"):
        change_invitation(actor=noor.person, invitation=made, max_uses=1)


def test_change_rejects_cancelled_invitation(noor, community):
    ended = InvitationFactory(status="cancelled")
    with pytest.raises(InvitationEnded):
        change_invitation(actor=noor.person, invitation=ended, lasts=timedelta(days=1))
    page = reverse("admin:groups_communityinvitation_edit", args=[ended.pk])
    response = community.post(page, {"invited_name": "Ana Souza", "max_uses": "1", "days": "3"})
    assert "Only a pending or expired invitation can be changed." in page_text(response)
    assert "Ana Souza" in page_text(response)


# --- Sending ------------------------------------------------------------------------------------


def test_page_after_saving_has_qr_code_and_sends_address(community, noor):
    response = community.post(f"{LIST}add/", {"created_by": noor.member_id, "invited_name": "Ana\u00a0S", "days": "3"})
    code = re.search(r'name="codes" value="(\w{16})"', response.content.decode())[1]
    assert '<svg class="qr"' in response.content.decode()
    wrong = community.post(f"{LIST}send/", {"codes": code, "email": "ana"})
    assert wrong.context["send_form"].errors["email"]
    assert "Enter a valid e-mail address." in page_text(wrong)
    assert code in wrong.content.decode()
    sent = community.post(f"{LIST}send/", {"codes": code, "email": "ana@example.org"})
    assert "Sent to ana@example.org." in page_text(sent)
    (message,) = mail.outbox
    assert message.to == ["ana@example.org"]
    assert f"http://localhost:8000/join/{code[:4]}-{code[4:8]}-{code[8:12]}-{code[12:]}/" in message.body
    assert find_invitation(code).invited_email == "ana@example.org"


def test_send_rejects_missing_or_invalid_address(noor):
    made = create_invitation(actor=noor.person, created_by=noor)
    with pytest.raises(RecipientMissing):
        queue_invitation_mail(actor=noor.person, invitation=made)
    with pytest.raises(RecipientRejected):
        send_invitation(actor=noor.person, invitation=made, email="ana")
    assert mail.outbox == []


def test_send_shows_failure_and_stores_nothing(noor, monkeypatch):
    made = create_invitation(actor=noor.person, created_by=noor)

    def fail(message):
        raise OSError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", fail)
    with pytest.raises(MailNotSent):
        send_invitation(actor=noor.person, invitation=made, email="ana@example.org")
    assert not Event.objects.filter(type="invitation.sent").exists()


def test_job_sends_new_code_and_knows_no_code(noor):
    made = create_invitation(actor=noor.person, created_by=noor, email="ana@example.org")
    queue_invitation_mail(actor=noor.person, invitation=made)
    job = ProcrastinateJob.objects.get(task_name="send_invitation")
    assert made.code not in str(job.args)
    assert send_with_new_code(actor=noor.person, invitation_id=job.args["invitation_id"]) == "sent"
    code = re.search(r"/join/([2-9A-Z-]{19})/", mail.outbox[0].body)[1]
    assert find_invitation(code).pk == made.pk
    with pytest.raises(CodeRejected):
        find_invitation(made.code)


# --- Many ---------------------------------------------------------------------------------------


def test_list_of_people_is_read_as_pasted():
    text = (
        "Elza Souza\nhttps://t.me/caio_x\nAna Lima <ana@example.org>\n@bia_1\ndora_1\nZé; ze@example.org; @ze_99\n"
        "Gil\tgil@example.org\n\nmailto:eva@example.org\n@bia_1\n"
    )
    people, errors = read_recipients(text)
    assert not errors
    assert people == [
        Recipient(name="Elza Souza"),
        Recipient(telegram_username="caio_x"),
        Recipient(name="Ana Lima", email="ana@example.org"),
        Recipient(telegram_username="bia_1"),
        Recipient(telegram_username="dora_1"),
        Recipient(name="Zé", email="ze@example.org", telegram_username="ze_99"),
        Recipient(name="Gil", email="gil@example.org"),
        Recipient(email="eva@example.org"),
    ]
    people, errors = read_recipients("Turma;Nome;E-mail\n8A;Ana Lima;ana@example.org\n")
    assert (people, errors) == ([Recipient(name="Ana Lima", email="ana@example.org")], [])


def test_each_bad_line_is_named(community, noor):
    # Without a password, she might be imported, and return with an invitation.
    noor.person.set_password("purple-otter-climbs-77")
    noor.person.save()
    InvitationFactory(created_by=noor, invited_email="pending@example.org")
    text = "\n".join(
        ("+55 11 99999-0000", "fabio, gui; hugo", "x@", "@ab", noor.person.email.upper(), "Pending@example.org")
    )
    response = community.post(f"{LIST}many/", {"created_by": noor.member_id, "names": text, "days": "3"})
    errors = response.context["form"].errors["names"]
    assert [error.split(":")[0] for error in errors] == [f"Line {number}" for number in range(1, 7)]
    assert "phone number" in errors[0]
    assert "one person per line" in errors[1]
    assert "has a pending invitation already" in errors[5]
    assert "fabio, gui; hugo" in page_text(response)


def test_hand_out_has_codes_of_this_page_only(community, noor):
    body = {"created_by": noor.member_id, "names": "Ana Lima\n=Bia\n", "days": "3"}
    response = community.post(f"{LIST}many/", body)
    codes = re.search(r'<textarea name="codes" hidden>([^<]+)<', response.content.decode())[1]
    answer = community.post(f"{LIST}hand-out/", {"codes": f"{codes}\nZZZZZZZZZZZZZZZZ", "format": "csv"})
    table = list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    assert [row["name"] for row in table] == ["Ana Lima", "'=Bia"]
    assert [digest_of_code(row["code"]) for row in table] == [digest_of_code(code) for code in codes.split()]
    cards = community.post(f"{LIST}hand-out/", {"codes": codes, "format": "print"})
    assert cards.content.decode().count('<svg class="qr"') == 2
    assert "no-store" in cards["Cache-Control"]
    lost = community.post(f"{LIST}hand-out/", {"codes": "ZZZZZZZZZZZZZZZZ"}, follow=True)
    assert "These codes no longer work." in page_text(lost)


def test_qr_code_is_the_address():
    """Compared with the library's own matrix: each dark module is drawn once, in its row."""
    import qrcode

    svg = qr_svg("https://missions.example.org/join/7KQ2-M4XA-9PDT-HC3W/", label='"<')
    drawn = {
        (int(row), at)
        for start, row, length in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg.split('fill="#000"')[1])
        for at in range(int(start), int(start) + int(length))
    }
    code = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data("https://missions.example.org/join/7KQ2-M4XA-9PDT-HC3W/")
    matrix = code.get_matrix()
    assert drawn == {(row, at) for row, line in enumerate(matrix) for at, dark in enumerate(line) if dark}
    assert 'aria-label="&quot;&lt;"' in svg


def test_bulk_send_queues_one_job_each(community, noor):
    chosen = [InvitationFactory(created_by=noor, invited_email=f"p{n}@example.org").pk for n in range(2)]
    chosen.append(InvitationFactory(created_by=noor).pk)
    body = {"action": "send", "_selected_action": chosen, "apply": "1", "form_key": new_form_key()}
    response = community.post(LIST, body)
    assert "This invitation has no e-mail. Enter one first." in page_text(response)
    assert ProcrastinateJob.objects.filter(task_name="send_invitation").count() == 2


@pytest.mark.usefixtures("within_minute")
def test_a_class_registers_in_a_minute_with_one_link(settings):
    from missionsite.common.passwords import TooManyAttempts
    from missionsite.portal.codes import count_registration

    settings.JOIN_ATTEMPTS_PER_MINUTE = 10
    link, single = InvitationFactory(max_uses=40), InvitationFactory()
    for _ in range(40):
        count_registration(link.code, link)
    for _ in range(10):
        count_registration(single.code, single)
    with pytest.raises(TooManyAttempts):
        count_registration(single.code, single)
