"""What changed between runs, one test over its runs, and quarantine: by selector, API and page."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.html import strip_tags

from groups.models import Member
from missiondeck.models import DeckTest, TestResult, TestRun
from missiondeck.rules import HISTORY_RUNS, MAX_QUARANTINE, SLOWER_RATIO, SLOWER_SECONDS
from missiondeck.selectors.comparisons import KINDS, changes_of, earlier_runs, errors_of, run_to_compare
from missiondeck.selectors.deck_tests import history_of, key_of_test
from missiondeck.selectors.gates import checks_of, gate_of
from missiondeck.selectors.missions import missing_of
from missiondeck.selectors.runs import results_of
from missiondeck.services.deck_tests import lift_quarantine, quarantine_test, set_test_owner
from missiondeck.services.gates import confirm_baseline
from missiondeck.services.runs import CiRun, import_report
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.api_helpers import create_users, rejected
from tests.missiondeck.helpers import import_results, mission, mission_in_qa, report
from tests.missiondeck.workspace_helpers import address, make_mission, who_may
from tests.support.admin import page_text
from tests.support.database import rejected_by, rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

ISSUE = "https://issues.example.org/812"


def result(name: str, status: str = "passed", duration: float = 0.1, **more) -> dict:
    return {"name": name, "status": status, "duration": duration} | more


def failed(name: str, error: str = "KeyError", **more) -> dict:
    return result(name, "failed", error=error, **more)


BEFORE = [
    result("stays"), result("breaks"), failed("still"), failed("repaired"), result("gone"), result("paused"),
    result("slows", duration=2.0), result("slow_already", duration=9.0), result("skipped_before", "skipped"),
]  # fmt: skip
AFTER = [
    result("stays"), failed("breaks", "AssertionError: 2 != 3"), failed("still"), result("repaired"),
    result("paused", "skipped"), result("slows", duration=4.5), result("slow_already", duration=9.5), result("added"),
    failed("added_red"),
]  # fmt: skip
EXPECTED = {
    "newly_failing": ["added_red", "breaks"],
    "still_failing": ["still"],
    "fixed": ["repaired"],
    "vanished": ["gone"],
    "skipped": ["paused"],
    "new": ["added"],
    "slower": ["slows"],
}


def quarantined(made, test: str, *, days: float = 14) -> DeckTest:
    until = timezone.now() + timedelta(days=days)
    actor = Member.objects.system()
    return quarantine_test(actor=actor, mission=made, test=test, reason="Unreliable", issue_url=ISSUE, until=until)


def as_of_past(entry: DeckTest) -> None:
    """Let a quarantine have ended a second ago."""
    end = timezone.now() - timedelta(seconds=1)
    DeckTest.objects.filter(pk=entry.pk).update(quarantined_at=end - timedelta(days=1), quarantined_until=end)


# --- What changed -----------------------------------------------------------------------------------


def test_changes_against_earlier_run_by_kind():
    made = mission()
    base, run = import_results(made, BEFORE), import_results(made, AFTER)
    for kind in KINDS:
        changes = changes_of(run, base, kind=kind)
        assert [each.test for each in changes.rows] == EXPECTED[kind], kind
        assert changes.counts == {kind: len(tests) for kind, tests in EXPECTED.items()}
    (slower,) = changes_of(run, base, kind="slower").rows
    assert (slower.before, slower.after) == (2.0, 4.5)
    assert slower.after >= slower.before * SLOWER_RATIO
    assert slower.after - slower.before >= SLOWER_SECONDS
    assert [each.error for each in changes_of(run, base).rows] == ["KeyError", "AssertionError: 2 != 3"]


def test_same_results_are_no_change():
    made = mission()
    base, run = import_results(made, AFTER), import_results(made, AFTER)
    assert changes_of(run, base).counts == {"still_failing": 3}
    assert [each.test for each in changes_of(run, base).rows] == ["added_red", "breaks", "still"]


def test_test_that_appears_twice_has_failed_if_one_failed():
    made = mission()
    base = import_results(made, [result("a"), result("a")])
    run = import_results(made, [result("a"), failed("a"), result("a", "skipped")])
    assert changes_of(run, base).counts == {"newly_failing": 1}
    again = import_results(made, [result("a", "skipped"), result("a")])
    assert changes_of(again, run).counts == {"fixed": 1}


def test_default_comparison_is_last_green_run_of_same_suite():
    made, actor = mission(), Member.objects.system()

    def send(job: str, *results: dict) -> TestRun:
        ci = CiRun(commit=uuid4().hex + "0" * 8, job=job)
        return import_report(actor=actor, mission=made, file=report(list(results)), ci=ci).run

    green, _red = send("unit", result("a")), send("unit", failed("a"))
    other = send("e2e", result("z"))
    run = send("unit", failed("a"))
    assert run_to_compare(run) == green
    assert other in earlier_runs(run)
    assert run not in earlier_runs(run)
    assert run_to_compare(other) is None


def test_failures_with_same_error_are_grouped():
    run = import_results(
        mission(),
        [
            failed("a", "Timeout after 31 s at 0x7f3a"),
            failed("b", "Timeout after 2 s at 0x11"),
            failed("c", "KeyError: 'total'"),
            failed("d", ""),
            result("e"),
        ],
    )
    groups = [(each.tests, each.error, each.named) for each in errors_of(run)]
    assert groups == [
        (2, "Timeout after 31 s at 0x7f3a", ["a", "b"]),
        (1, "KeyError: 'total'", ["c"]),
        (1, "", ["d"]),
    ]


def test_changes_in_api():
    users = create_users()
    base, run = import_results(users.mission, BEFORE), import_results(users.mission, AFTER)
    client = users.client("auditor", "deck:read")
    found = client.get(users.at(f"/runs/{run.pk}/changes?against={base.pk}&kind=fixed")).json()
    assert found["counts"] == {kind: len(tests) for kind, tests in EXPECTED.items()}
    assert [each["test"] for each in found["items"]] == ["repaired"]
    default = client.get(users.at(f"/runs/{run.pk}/changes")).json()
    assert (default["against"], default["kind"]) == (str(base.pk), "newly_failing")
    rejected(client.get(users.at(f"/runs/{base.pk}/changes")), 409, "nothing_to_compare")
    assert client.get(users.at(f"/runs/{base.pk}/changes?against={run.pk}")).status_code == 404
    groups = client.get(users.at(f"/runs/{run.pk}/errors")).json()["items"]
    assert [each["tests"] for each in groups] == [2, 1]
    assert users.client("stranger", "deck:read").get(users.at(f"/runs/{run.pk}/errors")).status_code == 404


def test_changes_on_page_of_run():
    made, client = make_mission(), who_may()

    def shown(**query) -> str:
        answer = client.get(address(made), {"citizen": "sofia"} | query)
        return " ".join(strip_tags(answer.content.decode()).split())

    first = import_results(made, [result("first")])
    base, run = import_results(made, BEFORE), import_results(made, AFTER)
    text = shown(run=run.pk, show="changes", against=base.pk)
    assert "2 Newly failing" in text
    assert "1 Slower" in text
    assert "2 != 3" in text
    assert "2 s before, 4.5 s now" in shown(show="changes", kind="slower", against=base.pk)
    assert "last green run" in shown(show="changes")
    assert "nothing to compare" in shown(run=first.pk, show="changes")
    assert "2 tests" in shown(show="errors")
    assert "not an earlier run" in shown(run=base.pk, show="changes", against=run.pk)


# --- Results as rows --------------------------------------------------------------------------------


def test_rows_follow_results_of_parts_and_are_not_writable():
    made, ci = mission(), CiRun(commit="c" * 40, shards=2)
    actor = Member.objects.system()
    for shard, results in ((1, [failed("a")]), (2, [result("b", suite="web"), result("c", "skipped")])):
        part = CiRun(commit=ci.commit, shards=2, shard=shard)
        run = import_report(actor=actor, mission=made, file=report(results), ci=part).run
    stored = list(TestResult.objects.filter(run=run).values_list("rank", "number", "test"))
    assert stored == [(1, 1, "a"), (2, 3, "c"), (3, 2, "web \u203a b")]
    assert [each["name"] for each in results_of(run).results] == ["a", "c", "b"]
    for statement in ("DELETE FROM test_results", "UPDATE test_results SET rank = 3", "DELETE FROM deck_tests"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)


def test_results_of_running_run_are_replaced():
    made = mission()
    run = TestRun.objects.create(mission=made, status="running", results=[result("draft")])
    TestRun.objects.filter(pk=run.pk).update(status="passed", results=[result("final")])
    assert list(TestResult.objects.filter(run=run).values_list("test", flat=True)) == ["final"]


def test_page_of_results_reads_only_its_rows():
    run = import_results(mission(), [result(f"test_{each}") for each in range(1_000)])
    for method in ("seqscan", "bitmapscan", "sort"):
        rows(f"SET LOCAL enable_{method} = off")
    (plan,) = rows(
        """EXPLAIN (ANALYZE, FORMAT JSON)
           SELECT result FROM test_results WHERE run_id = %s ORDER BY rank, number LIMIT 50""",
        [run.pk],
    )[0]
    (scan,) = plan[0]["Plan"]["Plans"]
    assert (scan["Node Type"], scan["Index Name"], scan["Actual Rows"]) == ("Index Scan", "test_results_pkey", 50)


# --- One test ---------------------------------------------------------------------------------------


def test_history_of_test_over_runs():
    made = mission()
    for each in (result("a"), failed("a"), result("a", flaky=True), failed("a"), result("a", "skipped"), result("b")):
        import_results(made, [each, result("other")])
    found = history_of(made, key_of_test("a"))
    assert [each.ended for each in found.runs] == ["skipped", "failed", "passed", "failed", "passed"]
    assert [each.is_flaky for each in found.runs] == [False, True, True, False, False]
    assert (found.ran, found.failed, found.flaky_ratio) == (4, 2, 0.5)
    assert history_of(made, key_of_test("unknown")) is None
    assert history_of(mission(), key_of_test("a")) is None


def test_quarantined_failure_does_not_close_gate_until_it_ends():
    made = mission_in_qa(run=[])
    import_results(made, [result("good"), failed("flaky")])
    assert [each["what"] for each in missing_of(made)] == ["test_run"]
    entry = quarantined(made, "flaky")
    assert missing_of(made) == []
    # It stays visible.
    assert gate_of(made)["quarantined_tests"] == ["flaky"]
    assert "1 failed: flaky" in [check.value for check in checks_of(gate_of(made))]
    as_of_past(entry)
    assert [each["what"] for each in missing_of(made)] == ["test_run"]
    assert gate_of(made)["quarantined"] == 0


def test_quarantine_excuses_only_its_test():
    made = mission_in_qa(run=[])
    quarantined(made, "flaky")
    for results in (
        [result("good"), failed("flaky"), failed("other")],
        # No other test ran.
        [failed("flaky")],
    ):
        import_results(made, results)
        assert [each["what"] for each in missing_of(made)] == ["test_run"], results
    # The summary states another failure.
    TestRun.objects.create(
        mission=made,
        status="failed",
        results=[result("good"), failed("flaky")],
        summary={"functional_passed": 8, "functional_total": 10},
    )
    assert [each["what"] for each in missing_of(made)] == ["test_run"]
    import_results(made, [result("good"), failed("flaky")])
    assert missing_of(made) == []
    lift_quarantine(actor=Member.objects.system(), mission=made, test="flaky")
    assert [each["what"] for each in missing_of(made)] == ["test_run"]


def test_quarantined_failure_of_commit_and_of_later_run():
    made, actor = mission_in_qa(run=[]), Member.objects.system()
    results = [result("good"), failed("flaky")]
    import_report(actor=actor, mission=made, file=report(results), ci=CiRun(commit="a" * 40, job="unit"))
    import_results(made, results)
    assert [each["what"] for each in missing_of(made)] == ["suite", "later_test_run"]
    quarantined(made, "flaky")
    assert missing_of(made) == []
    confirm_baseline(actor=actor, mission=made, reason="Complete")
    assert gate_of(made)["baseline"]["tests"] == 2


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"reason": " "}, "deck_tests_quarantine_has_reason"),
        ({"issue_url": "javascript:alert(1)"}, "deck_tests_issue_url_form"),
        ({"issue_url": ""}, "deck_tests_issue_url_form"),
        ({"until": timedelta(0)}, "deck_tests_quarantine_range"),
        ({"until": MAX_QUARANTINE + timedelta(hours=1)}, "deck_tests_quarantine_range"),
    ],
)
def test_quarantine_needs_reason_issue_and_end(values, rule):
    given = {"reason": "Unreliable", "issue_url": ISSUE, "until": timedelta(days=1)} | values
    given["until"] += timezone.now()
    with pytest.raises(ConstraintViolated) as error:
        quarantine_test(actor=MemberFactory(), mission=mission(), test="a", **given)
    assert error.value.constraint == rule


def test_entry_of_test_is_unique():
    entry = quarantined(mission(), "t" * 5_000)
    with rejected_by("deck_tests_unique"):
        connection.cursor().execute("INSERT INTO deck_tests (mission_id, test) SELECT mission_id, test FROM deck_tests")
    assert set_test_owner(actor=entry.quarantined_by, mission=entry.mission, test=entry.test, owner=None) == entry


def test_owner_and_quarantine_in_api():
    users = create_users()
    import_results(users.mission, [failed("a")])
    at = users.at(f"/tests/{key_of_test('a')}")
    lead, auditor = users.client("lead", "deck:read", "deck:write"), users.client("auditor", "deck:read", "deck:write")
    assert auditor.get(at).json()["history"][0]["ended"] == "failed"
    order = {"reason": "Unreliable", "issue_url": ISSUE, "until": (timezone.now() + timedelta(days=3)).isoformat()}
    put = {"content_type": "application/json"}
    rejected(auditor.put(f"{at}/quarantine", order, **put), 403, "not_allowed")
    assert lead.put(f"{at}/quarantine", order, **put).json()["quarantine"]["is_active"] is True
    rejected(lead.put(f"{at}/quarantine", order | {"issue_url": "x"}, **put), 422, "issue_url_invalid", "/issue_url")
    rejected(lead.put(f"{at}/owner", {"owner": "FE-P-99999"}, **put), 422, "owner_unknown", "/owner")
    owner = users.people["deliverer"].member_id
    assert lead.put(f"{at}/owner", {"owner": owner}, **put).json()["owner"] == owner
    assert lead.post(f"{at}/quarantine/lift").json()["quarantine"] is None
    rejected(lead.post(f"{at}/quarantine/lift"), 409, "not_in_quarantine")
    assert lead.get(users.at(f"/tests/{uuid4()}")).status_code == 404


def test_page_of_test():
    made = make_mission()
    import_results(made, [failed("a", "AssertionError: 2 != 3")])
    key = key_of_test("a")
    page, client = address(made, "_test", key), who_may("change_deckmission", "override_deckmission")
    text = page_text(client.get(page))
    assert "AssertionError: 2 != 3" in text
    assert str(HISTORY_RUNS) in text
    values = {"reason": "Unreliable", "issue_url": ISSUE, "days": "3"}
    rejection = client.post(address(made, "_quarantine", key), values | {"issue_url": "nowhere"})
    assert (rejection.status_code, b"nowhere" in rejection.content) == (200, True)
    assert "Enter the URL of the issue" in page_text(rejection)
    assert client.post(address(made, "_quarantine", key), values, follow=True).status_code == 200
    assert "In quarantine" in page_text(client.get(page))
    unknown = client.post(address(made, "_test_owner", key), {"owner": "nobody@example.org"})
    assert "No member has this e-mail address." in page_text(unknown)
    owner = MemberFactory(email="ida@example.org", display_name="Ida")
    client.post(address(made, "_test_owner", key), {"owner": owner.email})
    assert "Ida" in page_text(client.get(page))
    client.post(address(made, "_lift_quarantine", key))
    assert DeckTest.objects.get().quarantined_until is None
    assert who_may().post(address(made, "_lift_quarantine", key)).status_code == 403
    assert client.get(address(made, "_test", uuid4())).status_code == 404
