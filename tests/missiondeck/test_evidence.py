"""Evidence of items: what ticks and reopens them, by runs, API and page."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from groups.models import Member
from missiondeck.errors import (
    ChecklistClosed,
    EvidenceNotMet,
    ItemDoneByEvidence,
    RoleUnknown,
    SignatureNeedsRole,
    TooMuchEvidence,
)
from missiondeck.models import DodItem, Evidence, EvidenceChange
from missiondeck.rules import MAX_EVIDENCE
from missiondeck.services.checklist import tick_item
from missiondeck.services.deck_tests import quarantine_test
from missiondeck.services.evidence import add_evidence, remove_evidence, sign_off
from missiondeck.services.missions import change_status
from missiondeck.services.runs import CiRun, give_up_run, import_report, start_run
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.api_helpers import create_users, post, rejected, with_role
from tests.missiondeck.helpers import import_results, mission, mission_in_qa, report
from tests.missiondeck.workspace_helpers import address, make_item, make_mission
from tests.support.admin import client_of
from tests.support.concurrency import owner_connection
from tests.support.database import rejected_by
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

A, B = "a" * 40, "b" * 40


def result(name: str, status: str = "passed") -> dict:
    return {"name": name, "classname": "tests.send", "status": status}


def item_with(made, kind: str = "test", value: str = "tests.send \u203a test_pays", **fields) -> DodItem:
    item = make_item(made, **fields)
    add_evidence(actor=Member.objects.system(), item=item, kind=kind, value=value)
    return item


def is_done(item: DodItem) -> bool:
    item.refresh_from_db()
    return item.completed


def states(made) -> list[str]:
    return list(
        Evidence.objects.filter(item__mission=made, removed_at=None).order_by("-kind").values_list("state", flat=True)
    )


def send(made, *results: dict, **ci):
    return import_report(actor=Member.objects.system(), mission=made, file=report(list(results)), ci=CiRun(**ci)).run


# --- Tests and suites -------------------------------------------------------------------------------


def test_item_is_ticked_and_reopened_by_its_test():
    made = mission()
    item = item_with(made)
    assert (is_done(item), states(made)) == (False, ["missing"])
    green = import_results(made, [result("test_pays"), result("test_other", "failed")])
    assert is_done(item)
    assert item.completed_by == Member.objects.system()
    red = import_results(made, [result("test_pays", "failed"), result("test_other")])
    assert (is_done(item), states(made)) == (False, ["failed"])
    import_results(made, [result("test_other")])
    assert states(made) == ["missing"]
    changes = EvidenceChange.objects.filter(item=item).order_by("pk")
    assert [(each.completed, each.run) for each in changes] == [(True, green), (False, red)]


@pytest.mark.parametrize(
    ("value", "is_met"),
    [
        ("tests.send \u203a test_pays", True),
        ("test_pays", True),
        ("test_p*", True),
        ("tests.send \u203a *", False),
        ("tests.send", False),
        ("test%pays", False),
        ("test_pay", False),
        ("test.pays", False),
        ("*", False),
    ],
)
def test_names_and_patterns_of_tests(value, is_met):
    made = mission()
    item = item_with(made, value=value)
    import_results(made, [result("test_pays"), result("test_prints"), result("other", "failed")])
    assert is_done(item) == is_met


def test_new_evidence_reads_existing_runs_and_reopens_item():
    made = mission()
    import_results(made, [result("test_pays", "failed")])
    item = item_with(made, done=True)
    assert (is_done(item), states(made)) == (False, ["failed"])


def test_all_evidence_must_be_met():
    made = mission()
    item = item_with(made)
    add_evidence(actor=Member.objects.system(), item=item, kind="suite", value="E2E")
    send(made, result("test_pays"), commit=A, job="unit")
    assert (is_done(item), states(made)) == (False, ["met", "missing"])
    send(made, result("test_opens"), commit=A, job="e2e")
    assert is_done(item)
    # A new commit of which only one suite ran yet: the other one's last run counts.
    send(made, result("test_pays"), commit=B, job="unit")
    assert is_done(item)
    send(made, result("test_opens", "failed"), commit=B, job="e2e")
    assert (is_done(item), states(made)) == (False, ["met", "failed"])
    # Its next attempt is green, and a late report of the first one changes nothing.
    send(made, result("test_opens"), commit=B, job="e2e", attempt=2)
    send(made, result("test_more", "failed"), commit=B, job="e2e", attempt=1)
    assert is_done(item)


def test_item_stays_while_run_is_not_finished():
    made = mission()
    item, actor = item_with(made), Member.objects.system()
    run = start_run(actor=actor, mission=made, ci=CiRun(commit=A, shards=2))
    send(made, result("test_pays"), commit=A, shards=2, shard=1)
    assert (is_done(item), states(made)) == (False, ["pending"])
    send(made, result("test_other"), commit=A, shards=2, shard=2)
    assert is_done(item)
    later = start_run(actor=actor, mission=made, ci=CiRun(commit=B, shards=2))
    assert (is_done(item), states(made)) == (True, ["pending"])
    # A failure counts before the run ends.
    send(made, result("test_pays", "failed"), commit=B, shards=2, shard=1)
    assert (is_done(item), states(made)) == (False, ["failed"])
    assert (run.commit, later.commit) == (A, B)


def test_given_up_run_is_no_evidence():
    made = mission()
    item, actor = item_with(made), Member.objects.system()
    send(made, result("test_pays"), commit=A)
    run = start_run(actor=actor, mission=made, ci=CiRun(commit=B))
    send(made, result("test_pays"), commit=B)
    assert is_done(item)
    give_up_run(actor=actor, run=run)
    assert (is_done(item), states(made)) == (False, ["missing"])


def test_old_run_without_commit_does_not_count_after_ci():
    made = mission()
    item = item_with(made)
    import_results(made, [result("test_pays", "failed")])
    send(made, result("test_pays"), commit=A, job="unit")
    assert is_done(item)
    import_results(made, [result("test_pays", "failed")])
    assert not is_done(item)


def test_quarantine_is_no_evidence():
    made = mission()
    item = item_with(made)
    run = import_results(made, [result("test_pays", "failed"), result("test_other")])
    values = {"reason": "Unreliable", "issue_url": "https://issues.example.org/1"}
    until = run.created_at.replace(year=run.created_at.year + 1)
    with pytest.raises(ConstraintViolated):
        quarantine_test(actor=MemberFactory(), mission=made, test="tests.send \u203a test_pays", until=until, **values)
    assert not is_done(item)


def test_other_environment_must_pass_too():
    made = mission()
    item = item_with(made)
    send(made, result("test_pays"), commit=A, environment="Linux")
    send(made, result("test_pays", "failed"), commit=A, environment="Windows")
    assert not is_done(item)


# --- Sign-offs and links ----------------------------------------------------------------------------


def test_sign_off_by_role():
    made = mission()
    item = item_with(made, kind="sign_off", value="Delivery Lead")
    signature, lead = Evidence.objects.get(), with_role("Delivery Lead")
    with pytest.raises(SignatureNeedsRole, match="Delivery Lead"):
        sign_off(actor=with_role("Auditor"), evidence=signature)
    assert sign_off(actor=lead, evidence=signature).signed_by == lead
    assert is_done(item)
    sign_off(actor=lead, evidence=signature, signed=False)
    assert not is_done(item)
    with pytest.raises(RoleUnknown):
        add_evidence(actor=lead, item=item, kind="sign_off", value="Nobody")


def test_link_is_read_by_people():
    made = mission()
    item = item_with(made, kind="link", value="https://docs.example.org/report")
    assert not is_done(item)
    assert tick_item(actor=MemberFactory(), item=item, done=True).completed


# --- Rules ------------------------------------------------------------------------------------------


def test_item_with_evidence_is_not_ticked_by_hand():
    made = mission()
    item = item_with(made)
    with pytest.raises(EvidenceNotMet):
        tick_item(actor=MemberFactory(), item=item, done=True)
    import_results(made, [result("test_pays")])
    with pytest.raises(ItemDoneByEvidence):
        tick_item(actor=MemberFactory(), item=item, done=False)
    remove_evidence(actor=MemberFactory(), evidence=Evidence.objects.select_related("item").get())
    assert not tick_item(actor=MemberFactory(), item=item, done=False).completed


def test_evidence_of_complete_mission_is_locked_and_still_checked():
    made = mission_in_qa(items=0, run=[result("test_pays")])
    item = item_with(made)
    change_status(mission=made, to="complete", actor=MemberFactory())
    with pytest.raises(ChecklistClosed):
        add_evidence(actor=MemberFactory(), item=item, kind="suite", value="unit")
    with pytest.raises(ChecklistClosed):
        remove_evidence(actor=MemberFactory(), evidence=Evidence.objects.select_related("item").get())
    import_results(made, [result("test_pays", "failed")])
    assert (is_done(item), states(made)) == (True, ["failed"])


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        ("link", "http://docs.example.org", "dod_evidence_link_form"),
        ("link", "javascript:alert(1)", "dod_evidence_link_form"),
        ("test", "  ", "dod_evidence_value_not_empty"),
        ("test", "a\nb", "dod_evidence_value_one_line"),
        ("photo", "a", "dod_evidence_kind_known"),
        ("address", "http://docs.example.org", "dod_evidence_link_form"),
        ("pull_request", "https://github.com/a/b/issues/7", "dod_evidence_pull_request_form"),
    ],
)
def test_invalid_evidence_is_rejected_by_database(kind, value, rule):
    item = make_item(mission())
    with rejected_by(rule), connection.cursor() as cursor:
        cursor.execute("INSERT INTO dod_evidence (item_id, kind, value) VALUES (%s, %s, %s)", [item.pk, kind, value])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("state = 'perhaps'", "dod_evidence_state_known"),
        ("signed_at = now()", "dod_evidence_signature_consistent"),
        ("observed = 'met', observed_at = now()", "dod_evidence_observation_consistent"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_database_rejects_inconsistent_evidence(change, rule):
    item_with(mission())
    with pytest.raises(psycopg.errors.CheckViolation) as rejected, owner_connection() as owner:
        owner.execute(f"UPDATE dod_evidence SET {change}")
    assert rejected.value.diag.constraint_name == rule


def test_evidence_is_unique_and_bounded():
    item = make_item(mission())
    for number in range(MAX_EVIDENCE):
        add_evidence(actor=Member.objects.system(), item=item, kind="test", value=f"test_{number}")
    with pytest.raises(TooMuchEvidence):
        add_evidence(actor=Member.objects.system(), item=item, kind="test", value="one more")
    with rejected_by("dod_evidence_unique"):
        Evidence.objects.create(item=item, kind="test", value="test_0")


def test_site_cannot_write_states():
    item_with(mission())
    for statement in (
        "UPDATE dod_evidence SET state = 'met'",
        "UPDATE dod_evidence SET value = '*'",
        "INSERT INTO dod_evidence_changes (mission_id, item_id, completed) SELECT mission_id, id, true FROM dod_items",
        "DELETE FROM dod_evidence_changes",
        "DELETE FROM dod_evidence",
        "SELECT refresh_dod_evidence(mission_id) FROM dod_items",
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)


# --- API and page -----------------------------------------------------------------------------------


def test_evidence_in_api():
    users = create_users()
    item = make_item(users.mission)
    lead, auditor = users.client("lead", "deck:read", "deck:write"), users.client("auditor", "deck:read", "deck:write")
    at = users.at(f"/dod/{item.pk}/evidence")
    rejected(post(auditor, at, kind="test", value="test_pays"), 403, "not_allowed")
    made = post(lead, at, kind="test", value="test_pays").json()
    assert (made["state"], made["run"]) == ("missing", None)
    rejected(post(lead, at, kind="test", value="test_pays"), 409, "evidence_taken")
    rejected(post(lead, at, kind="link", value="x"), 422, "evidence_link_invalid", "/value")
    run = import_results(users.mission, [result("test_pays")])
    (listed,) = auditor.get(users.at("/evidence")).json()["items"]
    assert (listed["state"], listed["run"]) == ("met", str(run.pk))
    rejected(lead.patch(users.at(f"/dod/{item.pk}"), {"completed": False}, content_type="application/json"),
             409, "item_done_by_evidence")  # fmt: skip
    signature = post(lead, at, kind="sign_off", value="Auditor").json()["id"]
    put = {"content_type": "application/json"}
    rejected(lead.put(f"{at}/{signature}/signature", {}, **put), 403, "signature_needs_role")
    assert auditor.put(f"{at}/{signature}/signature", {}, **put).json()["state"] == "met"
    assert is_done(item)
    assert lead.delete(f"{at}/{made['id']}").status_code == 204
    assert lead.delete(f"{at}/{made['id']}").status_code == 404


def test_evidence_on_page(lead, dora):
    made = make_mission()
    item = make_item(made)
    answer = lead.post(address(made, "_add_evidence", item.pk), {"kind": "link", "value": "nowhere"})
    assert (answer.status_code, b"nowhere" in answer.content) == (200, True)
    assert "starts with https://" in answer.context["rejection"]["message"]
    for kind, value in (("test", "test_pays"), ("sign_off", "Delivery Lead")):
        assert lead.post(address(made, "_add_evidence", item.pk), {"kind": kind, "value": value}).status_code == 302
    import_results(made, [result("test_pays")])
    signature = Evidence.objects.get(kind="sign_off")
    assert lead.post(address(made, "_sign", signature.pk), {"signed": "1"}).status_code == 302
    assert is_done(item)
    page = lead.get(address(made))
    (row,) = page.context["matrix"]["rows"]
    assert [[each["state_label"] for each in cell] for _label, cell in row["cells"]] == [
        ["Passed"],
        *([] for _column in ("suite", "pull request", "address")),
        ["Signed"],
        [],
        [],
    ]
    assert page.context["matrix"]["changes"][0]["is_done"] is True
    other = client_of(with_role("Auditor"))
    other.post(address(made, "_sign", signature.pk), {"signed": "0"})
    assert is_done(item)
    assert lead.post(address(made, "_remove_evidence", signature.pk)).status_code == 302
    assert Evidence.objects.filter(removed_at=None).count() == 1
