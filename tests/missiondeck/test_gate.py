"""The gate of a mission: its rules, by API, command and page, and random histories against an oracle."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groups.models import Member
from missiondeck.errors import NotDone, NothingToConfirm
from missiondeck.models import GateBaseline, TestRun
from missiondeck.selectors.gates import checks_of, gate_of
from missiondeck.selectors.missions import missing_of
from missiondeck.services.gates import confirm_baseline, confirm_vanished_tests, set_gate_rules
from missiondeck.services.missions import change_status
from missiondeck.services.runs import CiRun, finish_run, give_up_run, import_report, start_run
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.api_helpers import at, create_users, with_role
from tests.missiondeck.helpers import mission_in_qa
from tests.missiondeck.reports.test_samples import DATA
from tests.missiondeck.workspace_helpers import address, who_may
from tests.support.admin import page_text
from tests.support.factories.groups import MemberFactory
from tests.support.factories.missiondeck import DodItemFactory, junit_of
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db

A, B = "a" * 40, "b" * 40


def ready(**values):
    return mission_in_qa(run=[], **values)


def send(made, *tests: tuple[str, str], **ci) -> TestRun:
    file = BytesIO(junit_of(*tests))
    return import_report(actor=Member.objects.system(), mission=made, file=file, ci=CiRun(**ci)).run


def passed(*names: str) -> list[tuple[str, str]]:
    return [(name, "passed") for name in names]


def many(number: int) -> list[tuple[str, str]]:
    return passed(*(f"test_{each}" for each in range(number)))


def complete(made):
    return change_status(mission=made, to="complete", actor=MemberFactory())


def reasons(made) -> list[str]:
    """What is missing; the checklist of the gate must agree."""
    missing = [each["what"] for each in missing_of(made)]
    unmet = [check for check in checks_of(gate_of(made)) if not check.is_met]
    assert bool(unmet) == bool(set(missing) - {"no_items", "open_items"}), (missing, unmet)
    return missing


# --- Rules ------------------------------------------------------------------------------------------


@pytest.mark.seed("001 a mission is complete only when its gate is open")
def test_required_suites_must_have_passed():
    made = ready()
    set_gate_rules(actor=Member.objects.system(), mission=made, required_suites=["Unit", "e2e", "unit"])
    send(made, *passed("a"), commit=A, job="unit")
    assert missing_of(made) == [{"what": "suite_missing", "suite": "e2e"}]
    with pytest.raises(NotDone, match="The required suite e2e has not run"):
        complete(made)
    # A suite of another commit does not count.
    send(made, *passed("b"), commit=B, job="e2e")
    assert missing_of(made) == [{"what": "suite_missing", "suite": "Unit"}]
    send(made, *passed("a"), commit=B, job="unit")
    assert reasons(made) == []
    assert complete(made).status == "complete"


def test_required_suites_without_commits():
    made = ready()
    set_gate_rules(actor=Member.objects.system(), mission=made, required_suites=["unit", "e2e"])
    send(made, ("a", "failed"), job="unit")
    send(made, *passed("b"), job="e2e")
    assert reasons(made) == ["suite"]
    send(made, *passed("a"), job="unit")
    assert reasons(made) == []


@pytest.mark.seed("001 a mission is complete only when its gate is open")
def test_too_few_tests_close_gate():
    made = ready()
    send(made, *many(100), commit=A)
    complete(made)
    change_status(mission=made, to="qa", actor=MemberFactory(), reason="One more thing")
    baseline = GateBaseline.objects.get()
    assert (baseline.tests, baseline.reason) == (100, "")
    send(made, *many(89), commit=B)
    few, vanished = missing_of(made)
    assert few == {"what": "too_few_tests", "count": 89, "limit": 90}
    assert (vanished["what"], vanished["count"]) == ("vanished_tests", 11)
    set_gate_rules(actor=Member.objects.system(), mission=made, min_tests=89)
    assert reasons(made) == ["vanished_tests"]
    # Skipped tests did not run.
    send(made, *many(80), *((f"test_{n}", "skipped") for n in range(80, 100)), commit=B, attempt=2)
    assert reasons(made) == ["too_few_tests"]


@pytest.mark.seed("001 vanished tests are confirmed by name")
def test_vanished_tests_are_confirmed_by_name():
    made, lead = ready(), MemberFactory()
    send(made, *many(20), commit=A)
    confirm_baseline(actor=lead, mission=made, reason="The first complete suite")
    send(made, *many(19), commit=B)
    assert missing_of(made) == [
        {"what": "vanished_tests", "count": 1, "tests": ["tests \u203a test_19"]},
    ]
    with pytest.raises(NotDone, match="1 test of the baseline did not run"):
        complete(made)
    for wrong in (["tests \u203a test_1"], []):
        with pytest.raises(NothingToConfirm):
            confirm_vanished_tests(actor=lead, mission=made, tests=wrong, reason="Gone")
    with pytest.raises(ConstraintViolated, match="Enter a reason why"):
        confirm_vanished_tests(actor=lead, mission=made, tests=["tests \u203a test_19"], reason=" ")
    confirm_vanished_tests(actor=lead, mission=made, tests=["tests \u203a test_19"], reason="Merged into test_18")
    assert reasons(made) == []


def test_baseline_needs_reason_and_tests():
    made = ready()
    with pytest.raises(NothingToConfirm):
        confirm_baseline(actor=MemberFactory(), mission=made, reason="Complete")
    with pytest.raises(ConstraintViolated, match="Enter a reason for the new baseline"):
        confirm_baseline(actor=MemberFactory(), mission=made, reason=" ")


def test_override_makes_no_baseline():
    made = ready()
    send(made, ("a", "failed"))
    change_status(mission=made, to="complete", actor=MemberFactory(), reason="The client agreed", override=True)
    assert not GateBaseline.objects.exists()


def test_failures_up_to_maximum_are_allowed():
    made = ready()
    set_gate_rules(actor=Member.objects.system(), mission=made, max_failures=2)
    send(made, *passed("a"), ("b", "failed"), ("c", "error"), commit=A, job="unit")
    assert reasons(made) == []
    send(made, *passed("d"), ("e", "failed"), commit=A, job="e2e")
    assert reasons(made) == ["too_many_failures"]
    # No test passed, or a run was given up: never green.
    send(made, ("d", "failed"), commit=B)
    assert reasons(made) == ["suite"]


def test_old_run_closes_gate():
    made = ready()
    set_gate_rules(actor=Member.objects.system(), mission=made, max_age_days=7)
    at_noon = datetime.now(UTC) - timedelta(days=8)
    send(made, *passed("a"), commit=A, started_at=at_noon)
    assert missing_of(made) == [{"what": "too_old", "limit": 7}]
    assert reasons(made) == ["too_old"]
    send(made, *passed("a"), commit=A, attempt=2)
    assert reasons(made) == []


@pytest.mark.parametrize(
    "rules",
    [{"min_tests": 0}, {"max_failures": 10**7}, {"max_age_days": 0}, {"required_suites": [str(n) for n in range(51)]}],
)
def test_rules_outside_limits_are_rejected(rules):
    with pytest.raises(ConstraintViolated), transaction.atomic():
        set_gate_rules(actor=Member.objects.system(), mission=ready(), **rules)


# --- Four ways to fool the gate -----------------------------------------------------------------------

# The files of each way, in the order they are sent; files in one tuple are sent together.
WAYS = {
    "shards": [("25",), ("26",)],
    "two files in one request": [("25", "26")],
    "the same bytes again": [("27",), ("28",), ("27",)],
    "a colour code in a failure": [("28",), ("08",)],
}


def by_api(made, files: list[SimpleUploadedFile], ci: dict) -> None:
    client = api_client(with_role("Delivery Lead"), "deck:import")
    answer = client.post(at(made, "/runs/import"), {"report": files, **ci})
    assert answer.status_code == 201, answer.content


def by_command(made, files: list[SimpleUploadedFile], ci: dict, folder) -> None:
    paths = []
    for number, file in enumerate(files):
        paths.append(folder / f"{number}.xml")
        paths[-1].write_bytes(file.read())
    options = [f"--{name.replace('_', '-')}={value}" for name, value in ci.items()]
    call_command("import_test_run", str(made.number), *map(str, paths), *options, verbosity=0)


def by_page(made, files: list[SimpleUploadedFile], ci: dict) -> None:
    client = who_may("add_testrun")
    answer = client.post(address(made, "_import"), {"report": files, **ci})
    assert answer.status_code == 302, page_text(answer)


@pytest.mark.seed("001 a mission is complete only when its gate is open")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("entry", ["api", "command", "page"])
def test_gate_is_not_fooled(way, entry, tmp_path):
    made = ready()
    for turn, numbers in enumerate(WAYS[way], 1):
        files = [
            SimpleUploadedFile(path.name, path.read_bytes()) for number in numbers for path in DATA.glob(f"{number}-*")
        ]
        # Shards are one attempt; the other ways are attempts of their own.
        ci = {"commit": A, "attempt": 1 if way == "shards" else turn}
        if entry == "command":
            by_command(made, files, ci, tmp_path)
        else:
            {"api": by_api, "page": by_page}[entry](made, files, ci)
    assert reasons(made) == ["suite"]
    with pytest.raises(NotDone):
        complete(made)


# --- The page and the API -----------------------------------------------------------------------------


def test_page_shows_checklist_and_confirms():
    made = ready()
    send(made, *many(20), commit=A)
    client = who_may("override_deckmission")
    page = client.get(address(made), {"citizen": "sofia"})
    assert "Open: every rule is met" in page_text(page)
    answer = client.post(address(made, "_baseline"), {"reason": "Complete"})
    assert answer.status_code == 302
    send(made, *many(19), commit=B)
    page = client.get(address(made), {"citizen": "sofia"})
    assert "Closed: 1 rule is not met" in page_text(page)
    values = {"tests": ["tests \u203a test_19"], "reason": "Merged"}
    assert client.post(address(made, "_vanished"), values).status_code == 302
    assert reasons(made) == []
    values = {"required_suites": "unit, e2e", "min_tests": "", "max_failures": "", "max_age_days": "7"}
    assert client.post(address(made, "_gate"), values).status_code == 302
    gate = gate_of(made)
    assert (gate["required_suites"], gate["max_age_days"], gate["missing_suites"]) == (
        ["unit", "e2e"], 7, ["unit", "e2e"],
    )  # fmt: skip
    assert "has not run" in page_text(client.get(address(made), {"citizen": "sofia"}))


def test_rejected_form_of_gate_keeps_values():
    made = ready()
    send(made, *many(2), commit=A)
    client = who_may("override_deckmission")
    client.post(address(made, "_baseline"), {"reason": "Complete"})
    send(made, *many(1), commit=B)
    answer = client.post(address(made, "_vanished"), {"tests": ["unknown"], "reason": "Merged into one"})
    assert answer.status_code == 200
    assert answer.content.decode().count('value="Merged into one"') == 1
    answer = client.post(address(made, "_vanished"), {"tests": ["tests \u203a test_1"], "reason": ""})
    assert 'value="tests \u203a test_1" checked' in answer.content.decode()
    values = {"required_suites": "unit, e2e", "min_tests": "many", "max_failures": "3", "max_age_days": "7"}
    page = client.post(address(made, "_gate"), values).content.decode()
    assert all(f'value="{value}"' in page for value in values.values())


def test_page_without_permission_only_shows_checklist():
    made = ready()
    send(made, *many(2), commit=A)
    client = who_may("change_deckmission")
    page = page_text(client.get(address(made), {"citizen": "sofia"}))
    assert "Open: every rule is met" in page
    assert "Save rules" not in page
    assert client.post(address(made, "_gate"), {}).status_code == 403


def test_api_shows_and_sets_gate():
    users = create_users()
    made = users.mission
    DodItemFactory(mission=made, done=True)
    send(made, *many(3), commit=A, job="unit")
    lead = users.client("lead", "deck:read", "deck:write")
    answer = lead.get(at(made, "/gate")).json()
    assert (answer["is_open"], answer["commit"], answer["runs"][0]["tests"]) == (True, A, 3)
    rules = {"required_suites": ["e2e"], "min_tests": 5}
    answer = lead.put(at(made, "/gate"), rules, content_type="application/json").json()
    assert [(each["rule"], each["is_met"]) for each in answer["checks"]] == [
        ("suite", True), ("suite", False), ("open", True), ("tests", False),
    ]  # fmt: skip
    assert [each["what"] for each in lead.get(at(made)).json()["missing"]] == ["suite_missing", "too_few_tests"]
    deliverer = users.client("deliverer", "deck:read", "deck:write")
    assert deliverer.put(at(made, "/gate"), rules, content_type="application/json").status_code == 403


# --- Random histories -----------------------------------------------------------------------------------

COMMITS = (A, B)
JOBS = ("unit", "e2e")
SHARDS = 2

events = st.lists(
    st.tuples(
        st.sampled_from(["part", "part", "part", "part", "begin", "finish", "give up", "by hand"]),
        st.sampled_from(range(len(COMMITS))),
        st.sampled_from(JOBS),
        st.integers(1, 2),
        st.integers(1, SHARDS),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


class Oracle:
    """What should be known of the runs: a dict by identity of {"parts": {shard}, "bad", "state"}."""

    def __init__(self) -> None:
        self.runs: dict[tuple, dict] = {}
        self.order: list[tuple] = []
        self.last_by_hand: bool | None = None
        self.commits: list[int] = []

    def is_open(self) -> bool:
        if not self.runs:
            return self.last_by_hand is True
        # The second commit is the newer one.
        newest = max(commit for commit, _job, _attempt in self.runs)
        of_commit = {key: run for key, run in self.runs.items() if key[0] == newest}
        if any(run["state"] == "running" for run in of_commit.values()):
            return False
        for job in {key[1] for key in of_commit}:
            last = max(key[2] for key in of_commit if key[1] == job)
            run = of_commit[newest, job, last]
            if run["state"] == "given up" or run["bad"]:
                return False
        # A run by hand is later than every start that CI stated.
        return self.last_by_hand is not False


@pytest.mark.seed("001 a mission is complete only when its gate is open")
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events)
def test_gate_opens_as_oracle_says(db, history):
    system = Member.objects.system()
    with transaction.atomic():
        made, oracle = ready(), Oracle()
        noon = datetime.now(UTC) - timedelta(days=30)
        for place, (what, commit, job, attempt, shard, is_green) in enumerate(history):
            key = (commit, job, attempt)
            ci = CiRun(
                commit=COMMITS[commit],
                build_url="https://ci.example.org/1",
                job=job,
                attempt=attempt,
                shard=shard,
                shards=SHARDS,
                committed_at=noon + timedelta(hours=commit),
                started_at=noon + timedelta(days=1),
            )
            known = oracle.runs.get(key)
            file = BytesIO(junit_of((f"test_{place}", "passed" if is_green else "failed")))
            if what == "by hand":
                import_report(actor=system, mission=made, file=file)
                oracle.last_by_hand = is_green
            elif what == "begin":
                if known is None:
                    start_run(actor=system, mission=made, ci=ci)
                    oracle.runs[key] = {"parts": set(), "bad": False, "state": "running"}
            elif what == "part":
                if known and known["state"] == "given up":
                    continue
                import_report(actor=system, mission=made, file=file, ci=ci)
                run = oracle.runs.setdefault(key, {"parts": set(), "bad": False, "state": "running"})
                run["parts"].add(shard)
                run["bad"] |= not is_green
                if len(run["parts"]) == SHARDS and run["state"] == "running":
                    run["state"] = "finished"
            elif known and known["state"] == "running":
                run = TestRun.objects.get(mission=made, **ci.identity)
                if what == "give up":
                    give_up_run(actor=system, run=run)
                    known["state"] = "given up"
                elif known["parts"]:
                    finish_run(actor=system, run=run)
                    known["state"] = "finished"
                    known["bad"] |= len(known["parts"]) < SHARDS
            assert (missing_of(made) == []) == oracle.is_open(), history[: place + 1]
        transaction.set_rollback(True)


def test_negative_control_without_commit_latest_report_opens_gate():
    """The same two reports as runs of no commit: only the latest one decides."""
    made = ready()
    send(made, ("pay", "failed"), job="1")
    send(made, *passed("css"), job="2")
    assert reasons(made) == []
    send(made, ("pay", "failed"), commit=A, job="1")
    send(made, *passed("css"), commit=A, job="2")
    assert reasons(made) == ["suite"]
