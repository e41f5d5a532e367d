"""Concurrent completions, red runs and signatures, each with a negative control."""

import pytest

from groups.models import Member
from missiondeck.errors import CodeWrong, NotDone
from missiondeck.models import ClientCode, ClientSignature, DeckMission, DodItem, Evidence
from missiondeck.selectors.missions import missing_of
from missiondeck.services import client_links
from missiondeck.services.client_links import create_client_link, send_client_code, sign_delivery
from missiondeck.services.evidence import add_evidence
from missiondeck.services.missions import change_status
from tests import database
from tests.common.test_worker import until
from tests.missiondeck.helpers import FAILED, PASSED, import_results, mission_in_qa, transaction_of
from tests.missiondeck.helpers import mission as new_mission
from tests.missiondeck.test_status_races import in_a_thread, waits_for_lock
from tests.support.concurrency import CONTROL_ROUNDS, PATIENCE, ROUNDS, crowd, without
from tests.support.database import own_connection, row, rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def restored():
    yield
    database.restore()


def complete(made: DeckMission, actor: Member) -> str:
    return change_status(mission=made, to="complete", actor=actor).status


RED_RUN = """INSERT INTO test_runs (mission_id, status, results)
    VALUES (%s, 'failed', '[{"name": "test_a", "status": "failed"}]')"""


@pytest.mark.seed("001 a mission is complete only when its gate is open")
def test_completion_waits_for_red_run():
    made, lead = mission_in_qa(items=1), MemberFactory()
    with transaction_of() as session, own_connection() as watcher:
        session.execute(RED_RUN, [made.pk])
        thread, ended = in_a_thread(lambda: complete(made, lead))
        until(lambda: waits_for_lock(watcher), "the completion to wait for the run")
        session.commit()
        thread.join(PATIENCE)
    assert isinstance(ended[0], NotDone)
    assert [each["what"] for each in ended[0].missing] == ["test_run"]


@pytest.mark.long
def test_negative_control_completion_without_lock_of_runs():
    """Without the lock in admit_test_run(), a mission completes beside a red run that was stored before."""
    (body,) = row("SELECT pg_get_functiondef('admit_test_run()'::regprocedure)")
    assert " FOR NO KEY UPDATE" in body
    made, lead = mission_in_qa(items=1), MemberFactory()
    with without(body.replace(" FOR NO KEY UPDATE", ""), body), transaction_of() as session:
        session.execute(RED_RUN, [made.pk])
        assert complete(made, lead) == "complete"
        session.commit()
    assert [each["what"] for each in missing_of(made)] == ["test_run"]


def add_evidence_while_run_arrives(people, number: int) -> bool:
    """Whether the item is done although the newest run is red."""
    made = new_mission()
    item = DodItem.objects.create(mission=made, text=f"It pays {number}", category="tests")
    import_results(made, [PASSED])

    def one(place: int):
        if place:
            return import_results(made, [FAILED | {"name": PASSED["name"]}])
        return add_evidence(actor=Member.objects.system(), item=item, kind="test", value=PASSED["name"])

    ended = people.run(one)
    assert [each for each in ended if isinstance(each, Exception)] == []
    item.refresh_from_db()
    assert Evidence.objects.get(item=item).state == ("met" if item.completed else "failed")
    return item.completed


def test_evidence_added_while_red_run_arrives_is_not_met():
    with crowd(2) as people:
        for each in range(ROUNDS * 3):
            assert not add_evidence_while_run_arrives(people, each)


@pytest.mark.long
def test_negative_control_evidence_without_lock_misses_run():
    """Without the lock in refresh_dod_evidence(), a run in an open transaction is not seen by the evidence."""
    (body,) = row("SELECT pg_get_functiondef('refresh_dod_evidence(uuid)'::regprocedure)")
    (admit,) = row("SELECT pg_get_functiondef('admit_test_run()'::regprocedure)")
    assert " FOR NO KEY UPDATE" in body
    made = new_mission()
    item = DodItem.objects.create(mission=made, text="It pays", category="tests")
    import_results(made, [PASSED])
    with (
        without(body.replace(" FOR NO KEY UPDATE", ""), body),
        without(admit.replace(" FOR NO KEY UPDATE", ""), admit),
        transaction_of() as session,
    ):
        session.execute(RED_RUN, [made.pk])
        rows("INSERT INTO dod_evidence (item_id, kind, value) VALUES (%s, 'test', 'test_a')", [item.pk])
        session.commit()
    item.refresh_from_db()
    # The red run is the newest, and the item is done: the lock is what prevents this.
    assert item.completed


def sign_at_once(people) -> int:
    """The number of signatures of one code."""
    link, _secret = create_client_link(
        actor=Member.objects.system(), mission=new_mission(), name="Ida", email="ida@example.org"
    )
    codes: list[str] = []

    def message(code: str) -> tuple[str, str]:
        codes.append(code)
        return "Code", code

    send_client_code(actor=Member.objects.system(), link=link, message=message)
    ended = people.run(lambda _n: sign_delivery(actor=Member.objects.system(), link=link, name="Ida", code=codes[0]))
    assert all(isinstance(each, (ClientSignature, CodeWrong)) for each in ended)
    return ClientSignature.objects.filter(link=link).count()


def test_one_code_signs_once():
    with crowd(6) as people:
        for _round in range(ROUNDS):
            assert sign_at_once(people) == 1


@pytest.mark.long
def test_negative_control_code_without_lock_signs_twice(monkeypatch):
    monkeypatch.setattr(client_links.ClientLink.objects, "lock", lambda key, **_options: None)
    with crowd(6) as people:
        assert any(sign_at_once(people) > 1 for _round in range(CONTROL_ROUNDS * 4))


def test_wrong_attempts_are_all_counted():
    link, _secret = create_client_link(
        actor=Member.objects.system(), mission=new_mission(), name="Ida", email="ida@example.org"
    )
    send_client_code(actor=Member.objects.system(), link=link, message=lambda code: ("Code", code))
    with crowd(4) as people:
        people.run(lambda _n: sign_delivery(actor=Member.objects.system(), link=link, name="Ida", code="x"))
    assert ClientCode.objects.get(link=link).attempts == 4
