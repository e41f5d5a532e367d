"""Evidence that is checked outside of the site, and files."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from groups.github import GitHubUnavailable, GitHubUserUnknown, PullRequestState
from groups.models import Member
from missiondeck.errors import FileMissing, OtherRepository
from missiondeck.models import DodItem, Evidence, EvidenceFile
from missiondeck.rules import EVIDENCE_FILE_BYTES
from missiondeck.services import evidence_checks
from missiondeck.services.evidence import add_evidence, file_name
from missiondeck.services.evidence_checks import check_due_evidence, check_evidence
from missiondeck.tasks import check_deck_evidence, check_deck_repository
from missionsite.common.errors import ConstraintViolated
from missionsite.common.outbound import Answer, NotPublic
from tests.fallback.github_payloads import SECRET, deliver, merged
from tests.missiondeck.api_helpers import create_users
from tests.missiondeck.helpers import mission
from tests.missiondeck.workspace_helpers import address, make_item, make_mission
from tests.support.admin import client
from tests.support.database import rejected_by

pytestmark = pytest.mark.django_db

URL, REQUEST = "https://shop.example.org/", "https://github.com/acme/shop/pull/7"
HEAD = "b" * 40


@pytest.fixture
def outside(monkeypatch):
    """What addresses and GitHub answer: a status or an error."""
    answers = {"address": 200, "request": PullRequestState(is_merged=True, head=HEAD), "asked": 0}

    def answer(kind):
        answers["asked"] += 1
        if isinstance(answers[kind], Exception):
            raise answers[kind]
        return answers[kind]

    monkeypatch.setattr(
        evidence_checks, "request", lambda url, **_options: Answer(url, answer("address"), {}, b"", is_cut=False)
    )
    monkeypatch.setattr(evidence_checks, "fetch_pull_request", lambda *_arguments: answer("request"))
    return answers


def item_with(kind: str, value: str, **fields) -> tuple[DodItem, Evidence]:
    item = make_item(mission(**fields))
    return item, add_evidence(actor=Member.objects.system(), item=item, kind=kind, value=value)


def look(item: DodItem, evidence: Evidence) -> tuple[bool, str, str]:
    check_evidence(key=evidence.pk)
    item.refresh_from_db()
    evidence.refresh_from_db()
    return item.completed, evidence.state, evidence.detail


def test_address_ticks_and_reopens_item(outside):
    item, evidence = item_with("address", URL)
    assert (evidence.state, item.completed) == ("pending", False)
    assert look(item, evidence) == (True, "met", "200")
    outside["address"] = 503
    assert look(item, evidence) == (False, "failed", "Does not answer: 503")
    outside["address"] = NotPublic("The address is not public.")
    assert look(item, evidence)[2] == "Does not answer: The address is not public."
    # Once for the first, twice for each failure.
    assert outside["asked"] == 5


def test_pull_request_ticks_item_until_reverted(outside):
    item, evidence = item_with("pull_request", REQUEST)
    outside["request"] = PullRequestState(is_merged=False, head=HEAD)
    assert look(item, evidence) == (False, "failed", "Not merged")
    outside["request"] = PullRequestState(is_merged=True, head=HEAD)
    assert look(item, evidence) == (True, "met", "Merged: bbbbbbbbbb")
    outside["request"] = GitHubUnavailable()
    assert look(item, evidence)[0], "Nothing is known, so nothing changes."
    outside["request"] = PullRequestState(is_merged=True, head=HEAD, reverted_by="c" * 40)
    assert look(item, evidence) == (False, "failed", "Reverted: cccccccccc")
    outside["request"] = GitHubUserUnknown()
    assert look(item, evidence) == (False, "failed", "Not found")


def test_request_of_other_repository_is_rejected():
    item = make_item(mission(github_url="https://github.com/acme/shop"))
    with pytest.raises(OtherRepository):
        add_evidence(
            actor=Member.objects.system(), item=item, kind="pull_request", value="https://github.com/acme/x/pull/7"
        )
    add_evidence(actor=Member.objects.system(), item=item, kind="pull_request", value=REQUEST)


def test_job_checks_what_is_due(outside):
    _item, evidence = item_with("address", URL)
    item_with("link", URL)
    assert check_deck_evidence(timestamp=0) == 1
    assert check_due_evidence() == 0
    earlier = timezone.now() - timedelta(minutes=10)
    Evidence.objects.filter(pk=evidence.pk).update(observed_at=earlier)
    assert check_due_evidence() == 1
    Evidence.objects.filter(pk=evidence.pk).update(observed_at=earlier, removed_at=timezone.now())
    assert check_due_evidence() == 0


@pytest.mark.parametrize(("event", "repository"), [("push", "Acme/Shop"), ("pull_request", "acme/shop")])
def test_webhook_of_github_reopens_item_at_once(outside, settings, event, repository):
    """A revert is noticed when GitHub reports it, also where no project of a board has the repository."""
    settings.FALLBACK_GITHUB_WEBHOOK_SECRETS = [SECRET]
    item, evidence = item_with("pull_request", REQUEST)
    item_with("pull_request", "https://github.com/acme/shop2/pull/7")
    assert look(item, evidence)[0]
    asked = outside["asked"]
    outside["request"] = PullRequestState(is_merged=True, head=HEAD, reverted_by="c" * 40)
    body = {"action": "closed", "repository": {"full_name": repository}, "pull_request": merged(number=8)}

    assert deliver(Client(), event, body).json() == {"outcome": "applied"}
    (job,) = ProcrastinateJob.objects.filter(task_name="check_deck_repository")
    assert check_deck_repository(**job.args) == 1

    item.refresh_from_db()
    assert (item.completed, outside["asked"] - asked) == (False, 1)
    body["repository"]["full_name"] = "acme/other"
    assert deliver(Client(), event, body).json() == {"outcome": "ignored"}


# --- Files ------------------------------------------------------------------------------------------


def test_file_is_stored_and_ticks_nothing():
    item = make_item(mission())
    made = add_evidence(
        actor=Member.objects.system(), item=item, kind="file", value="../a\u202e/terms.txt", file=BytesIO(b"agreed")
    )
    assert (made.value, bytes(made.file.content), made.state) == ("terms.txt", b"agreed", "met")
    item.refresh_from_db()
    assert not item.completed


@pytest.mark.parametrize(
    ("content", "digest", "rule"),
    [("", "0" * 64, "dod_evidence_files_size"), ("x", "0" * 63, "dod_evidence_files_digest_form")],
)
def test_database_rejects_odd_files(content, digest, rule):
    item_with("link", URL)
    with rejected_by(rule), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO dod_evidence_files (evidence_id, content, digest, added_by_id)
               SELECT id, %s::bytea, %s, (SELECT id FROM members LIMIT 1) FROM dod_evidence""",
            [content, digest],
        )


@pytest.mark.parametrize("content", [b"", b"x" * (EVIDENCE_FILE_BYTES + 1)])
def test_file_of_other_size_is_rejected(content):
    item = make_item(mission())
    with pytest.raises(ConstraintViolated, match="1 byte to 5 MB"):
        add_evidence(actor=Member.objects.system(), item=item, kind="file", value="a", file=BytesIO(content))
    assert not Evidence.objects.exists()


def test_file_and_kind_belong_together():
    item = make_item(mission())
    for kind, file in (("file", None), ("link", BytesIO(b"x"))):
        with pytest.raises(FileMissing):
            add_evidence(actor=Member.objects.system(), item=item, kind=kind, value=URL, file=file)
    assert file_name("\\\\server\\a\tb") == "a b"
    assert file_name("/") == "file"


def test_file_on_page():
    lead, made = client("Delivery Lead"), make_mission()
    item = make_item(made)
    target = address(made, "_add_evidence", item.pk)
    answer = lead.post(target, {"kind": "file"})
    assert "Choose a file" in answer.context["rejection"]["message"]
    assert lead.post(target, {"kind": "test"}).context["rejection"]["message"].startswith("Enter a test")
    assert lead.post(target, {"kind": "file", "file": SimpleUploadedFile("terms.txt", b"agreed")}).status_code == 302
    found = Evidence.objects.get()
    file = client("Auditor").get(address(made, "_evidence_file", found.pk))
    assert (file.content, file["Content-Type"]) == (b"agreed", "application/octet-stream")
    assert file["Content-Disposition"] == 'attachment; filename="terms.txt"'
    assert client("Community Manager").get(address(made, "_evidence_file", found.pk)).status_code == 403
    assert lead.get(address(make_mission(), "_evidence_file", found.pk)).status_code == 404
    assert address(made, "_evidence_file", found.pk) in lead.get(address(made)).content.decode()


def test_file_in_api():
    users = create_users()
    item = make_item(users.mission)
    lead = users.client("lead", "deck:read", "deck:write")
    answer = lead.post(users.at(f"/dod/{item.pk}/files"), {"file": SimpleUploadedFile("terms.txt", b"agreed")})
    assert (answer.status_code, answer.json()["value"]) == (201, "terms.txt")
    at = users.at(f"/dod/{item.pk}/evidence/{answer.json()['id']}/file")
    assert lead.get(at).content == b"agreed"
    assert EvidenceFile.objects.count() == 1
