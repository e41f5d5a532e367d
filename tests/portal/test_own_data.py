"""Export of a member's own data: what it has, what it leaves out, and who gets it."""

import json
import zipfile
from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone

from engagement.models import MessageTemplate
from engagement.rules import TransitionTrigger
from engagement.services.lifecycle import transition
from engagement.services.messages import enqueue
from fallback.models import MissionDocumentVersion
from groups.models import Member, PeopleJob
from groups.services.erasure import erase
from groups.services.own_data_jobs import kept_until, prune_own_data, run_own_data
from groups.services.people_jobs import begin_job
from missionsite.common import documents
from missionsite.common.own_data import NotExported, own_data_sources, unregistered
from missionsite.common.references import references
from tests.portal.helpers import entry
from tests.support.factories.directory import RelationshipFactory
from tests.support.factories.fallback import MissionFactory
from tests.support.factories.groups import MembershipFactory, StaffFactory

pytestmark = pytest.mark.django_db
PAGE = "/me/data/"


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "documents": {
            "BACKEND": "missionsite.common.documents.LocalDocuments",
            "OPTIONS": {"location": str(tmp_path)},
        }
    }


def collect(browser) -> str:
    """Collect the data of a member, as the worker does; return the address of the file."""
    assert browser.post(PAGE)["Location"] == PAGE
    job = PeopleJob.objects.get(kind="own_data", status="queued")
    assert "0 %" in browser.get(PAGE).content.decode()
    assert run_own_data(begin_job(str(job.pk))) == "done"
    return f"{PAGE}{job.pk}/"


def files_of(answer) -> dict[str, str]:
    with zipfile.ZipFile(BytesIO(answer.getvalue())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_every_reference_is_exported_or_has_a_reason():
    assert unregistered() == set()
    known = {(each.model.lower(), each.field) for each in references()}
    assert {(each.model.lower(), each.field) for each in own_data_sources()} == known
    assert all(str(each.why) for each in own_data_sources() if isinstance(each, NotExported))


def test_member_downloads_own_data_only(as_member):
    ana, bob, staff = entry(name="Ana Souza"), entry(name="Bob Private"), StaffFactory(display_name="Staff Person")
    MembershipFactory(member=ana.person, role="lead")
    MembershipFactory(member=bob.person)
    RelationshipFactory(entity_id_a=str(ana.pk), entity_id_b=str(bob.pk))
    transition(actor=staff, member=ana.person, trigger=TransitionTrigger.INACTIVITY_14D)
    enqueue(member=bob.person, message_type="reminder")
    mission = MissionFactory()
    least = {"mission": mission, "name": "tasks/1.md", "version": 1}
    MissionDocumentVersion.objects.create(**least, content="# Meu plano", author=ana.person)
    browser = as_member(ana)
    found = files_of(browser.get(collect(browser)))
    assert found[f"documents/{mission.pk}/tasks/1.1.md"] == "# Meu plano"
    [member] = json.loads(found["groups/member.json"])
    assert (member["email"], member["display_name"]) == (ana.person.email, "Ana Souza")
    [membership] = json.loads(found["groups/membership.member.json"])
    assert membership["role"] == "lead"
    [message] = json.loads(found["engagement/engagementmessage.user.json"])
    assert message["message_type"] == "goodbye"
    # The visit itself is one, too.
    move, *_visit = json.loads(found["engagement/engagementstatetransition.user.json"])
    assert "by" not in move["metadata"]
    whole = "\n".join(found.values())
    others = (bob.person.email, "Bob Private", str(bob.pk), bob.member_id, str(bob.person_id), "Staff Person")
    assert [each for each in others if each in whole] == []
    assert ana.person.password not in whole
    assert "Sealed copies" in found["not_included.json"]
    assert MessageTemplate.objects.first().body not in whole


def test_old_log_in_must_be_confirmed(as_member, settings):
    browser = as_member(entry())
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    answer = browser.post(PAGE)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/")
    assert "next=%2Fme%2Fdata%2F" in answer["Location"]


@pytest.mark.rule("DownloadGone")
def test_file_is_for_its_member_and_a_few_days(as_member):
    ana, bob = entry(), entry()
    browser = as_member(ana)
    link = collect(browser)
    assert link in browser.get(PAGE).content.decode()
    assert as_member(bob).get(link)["Location"] == PAGE
    job = PeopleJob.objects.get()
    late = timezone.now() + timedelta(days=4)
    assert kept_until(job, at=late) is None
    assert prune_own_data() == 0
    assert prune_own_data(at=late) == 1
    assert browser.get(link)["Location"] == PAGE


def test_collection_is_started_once_and_cancelled(as_member):
    ana = entry()
    browser = as_member(ana)
    browser.post(PAGE)
    browser.post(PAGE)
    job = PeopleJob.objects.get()
    running = begin_job(str(job.pk))
    browser.post(PAGE, {"cancel": "1"})
    assert run_own_data(running) == "cancelled"
    job.refresh_from_db()
    assert (job.status, list(documents.names("own-data"))) == ("cancelled", [])
    assert "Collect my data" in browser.get(PAGE).content.decode()


def test_erased_member_leaves_no_file(as_member, django_capture_on_commit_callbacks):
    ana = entry()
    collect(as_member(ana))
    assert len(list(documents.names("own-data"))) == 1
    with django_capture_on_commit_callbacks(execute=True):
        erase(actor=Member.objects.system(), entry=ana)
    assert list(documents.names("own-data")) == []


def test_visitor_is_sent_to_log_in(client):
    assert client.post(PAGE)["Location"].startswith("/login/")
