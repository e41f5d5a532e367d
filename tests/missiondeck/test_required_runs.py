"""The runs that a mission needs to be completed: same bytes again, overlapping runs, runs given up."""

import io

import pytest

from groups.models import Member
from missiondeck.errors import NotDone, RunFinished
from missiondeck.models import TestRun
from missiondeck.selectors.missions import missing_of
from missiondeck.services.missions import change_status
from missiondeck.services.runs import finish_run, give_up_run, import_report, start_run
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.helpers import junit, mission, mission_in_qa
from tests.missiondeck.reports.test_samples import DATA
from tests.support.concurrency import crowd
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

RED = '<testcase name="a"><failure message="no"/></testcase>'
GREEN = '<testcase name="a"/>'
FAILED = [{"what": "test_run", "status": "failed"}]


def sample(number: str) -> io.BytesIO:
    return io.BytesIO(next(DATA.glob(f"{number}-*")).read_bytes())


def ready():
    """A mission in QA whose items are done, without a run."""
    return mission_in_qa(run=[])


def earlier(run: TestRun, status: str) -> list[dict]:
    return [{"what": "earlier_test_run", "status": status, "run": str(run.pk)}]


# --- Same bytes again -------------------------------------------------------------------------------


@pytest.mark.seed("001 the same file after another run, or under another key, is a new run")
def test_repeated_failed_report_is_latest_run():
    made = ready()
    brought = [
        import_report(mission=made, file=sample(number), actor=Member.objects.system()) for number in ("27", "28", "27")
    ]
    assert [each.is_new for each in brought] == [True, True, True]
    assert TestRun.objects.filter(mission=made).first() == brought[2].run
    assert missing_of(made) == FAILED
    with pytest.raises(NotDone):
        change_status(mission=made, to="complete", actor=MemberFactory())


def test_runs_of_one_transaction_keep_their_order():
    made = ready()
    for number in range(20):
        import_report(mission=made, file=junit(RED if number % 2 else GREEN), actor=Member.objects.system())
    assert [run.status for run in TestRun.objects.filter(mission=made)] == ["failed", "passed"] * 10
    assert missing_of(made) == FAILED


@pytest.mark.seed("001 the same file after another run, or under another key, is a new run")
def test_same_bytes_under_other_key_are_new_run():
    made = mission()
    first, again, other = (
        import_report(mission=made, file=junit(GREEN), actor=Member.objects.system(), key=key)
        for key in ("build-1", "build-1", "build-2")
    )
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert first.run == again.run != other.run
    with pytest.raises(ConstraintViolated, match="This key was already used"):
        import_report(mission=made, file=junit(RED), actor=Member.objects.system(), key="build-1")
    assert TestRun.objects.filter(mission=made).count() == 2


def test_started_run_accepts_bytes_of_earlier_run():
    made = ready()
    import_report(mission=made, file=junit(GREEN), actor=Member.objects.system())
    import_report(mission=made, file=junit(RED), actor=Member.objects.system())
    run = start_run(mission=made, actor=Member.objects.system())
    assert missing_of(made) == [{"what": "test_run", "status": "running"}]
    assert finish_run(actor=Member.objects.system(), run=run, file=junit(GREEN)).status == "passed"
    assert missing_of(made) == []


@pytest.mark.seed("001 the same file after another run, or under another key, is a new run")
@pytest.mark.django_db(transaction=True)
def test_concurrent_retries_with_key_are_one_run():
    with crowd(8) as people:
        for number in range(3):
            made = mission()
            import_report(mission=made, file=junit(GREEN), actor=Member.objects.system())
            done = people.run(
                lambda _n, made=made, key=f"build-{number}": import_report(
                    mission=made, file=junit(GREEN), actor=Member.objects.system(), key=key
                )
            )
            assert not [one for one in done if isinstance(one, Exception)], done
            assert sum(one.is_new for one in done) == 1
            assert TestRun.objects.filter(mission=made).count() == 2


@pytest.mark.django_db(transaction=True)
def test_concurrent_reports_are_never_lost():
    """Every result with is_new is a separate run, and the last one is the latest run."""
    made = mission()
    with crowd(8) as people:
        done = people.run(
            lambda n: [
                import_report(mission=made, file=junit(RED if (n + turn) % 2 else GREEN), actor=Member.objects.system())
                for turn in range(4)
            ],
            timeout=120,
        )
    assert not [one for one in done if isinstance(one, Exception)], done
    new = {one.run.pk for each in done for one in each if one.is_new}
    assert len(new) == TestRun.objects.filter(mission=made).count()
    times = list(TestRun.objects.filter(mission=made).values_list("created_at", flat=True))
    assert len(set(times)) == len(times)


# --- Several files ----------------------------------------------------------------------------------


@pytest.mark.seed("001 all files of one request are one run")
def test_failed_shard_fails_run():
    made = ready()
    run = import_report(mission=made, file=sample("25"), more=[sample("26")], actor=Member.objects.system()).run
    assert (run.status, run.summary["total"], run.summary["failed"]) == ("failed", 2, 1)
    again = import_report(mission=made, file=sample("26"), more=[sample("25")], actor=Member.objects.system())
    assert (again.is_new, again.run) == (False, run)
    assert missing_of(made) == FAILED


def test_started_run_is_finished_with_several_files():
    run = start_run(mission=mission(), actor=Member.objects.system())
    done = finish_run(actor=Member.objects.system(), run=run, file=sample("26"), more=[sample("25")])
    assert (done.status, done.summary["total"]) == ("failed", 2)


# --- Overlapping runs -------------------------------------------------------------------------------


@pytest.mark.seed("001 runs that overlap or are given up count")
def test_running_run_blocks_completion():
    made = ready()
    first, second = (start_run(mission=made, actor=Member.objects.system()) for _ in range(2))
    finish_run(actor=Member.objects.system(), run=second, file=junit(GREEN))
    assert missing_of(made) == earlier(first, "running")
    with pytest.raises(NotDone, match="An earlier test run is still running"):
        change_status(mission=made, to="complete", actor=MemberFactory())
    import_report(mission=made, file=junit(GREEN, name="later"), actor=Member.objects.system())
    assert missing_of(made) == earlier(first, "running")
    finish_run(actor=Member.objects.system(), run=first, file=junit(GREEN))
    assert missing_of(made) == []


@pytest.mark.seed("001 runs that overlap or are given up count")
def test_last_started_and_last_ended_run_count():
    made = ready()
    first, second = (start_run(mission=made, actor=Member.objects.system()) for _ in range(2))
    finish_run(actor=Member.objects.system(), run=second, file=junit(GREEN))
    finish_run(actor=Member.objects.system(), run=first, file=junit(RED))
    assert missing_of(made) == earlier(first, "failed")
    import_report(mission=made, file=junit(GREEN, name="later"), actor=Member.objects.system())
    assert missing_of(made) == []


def test_slow_passed_run_does_not_hide_failed_run():
    made = ready()
    slow = start_run(mission=made, actor=Member.objects.system())
    import_report(mission=made, file=junit(RED), actor=Member.objects.system())
    finish_run(actor=Member.objects.system(), run=slow, file=junit(GREEN))
    assert missing_of(made) == FAILED


def test_earlier_failed_run_does_not_count():
    made = ready()
    first, second = (start_run(mission=made, actor=Member.objects.system()) for _ in range(2))
    finish_run(actor=Member.objects.system(), run=first, file=junit(RED))
    finish_run(actor=Member.objects.system(), run=second, file=junit(GREEN))
    assert missing_of(made) == []


# --- Given up ---------------------------------------------------------------------------------------


def test_given_up_run_counts_as_failed():
    made = ready()
    import_report(mission=made, file=junit(GREEN), actor=Member.objects.system())
    run = give_up_run(actor=Member.objects.system(), run=start_run(mission=made, actor=Member.objects.system()))
    assert (run.status, missing_of(made)) == ("failed", FAILED)
    # Not a retry of the passed run before.
    assert import_report(mission=made, file=junit(GREEN), actor=Member.objects.system()).is_new
    assert missing_of(made) == []


@pytest.mark.seed("001 runs that overlap or are given up count")
def test_earlier_given_up_run_counts_as_failed():
    made = ready()
    first, second = (start_run(mission=made, actor=Member.objects.system()) for _ in range(2))
    finish_run(actor=Member.objects.system(), run=second, file=junit(GREEN))
    give_up_run(actor=Member.objects.system(), run=first)
    assert missing_of(made) == earlier(first, "failed")
    import_report(mission=made, file=junit(GREEN), actor=Member.objects.system(), key="once-more")
    assert missing_of(made) == []


def test_given_up_run_rejects_report():
    run = give_up_run(actor=Member.objects.system(), run=start_run(mission=mission(), actor=Member.objects.system()))
    with pytest.raises(RunFinished):
        finish_run(actor=Member.objects.system(), run=run, file=junit(GREEN))


@pytest.mark.django_db(transaction=True)
def test_concurrent_give_up_and_finish_do_one():
    with crowd(2) as people:
        for _turn in range(5):
            run = start_run(mission=mission(), actor=Member.objects.system())
            acts = (
                lambda run=run: give_up_run(actor=Member.objects.system(), run=run),
                lambda run=run: finish_run(actor=Member.objects.system(), run=run, file=junit(GREEN)),
            )
            done = people.run(lambda number, acts=acts: acts[number]())
            assert sum(isinstance(one, RunFinished) for one in done) == 1
            assert TestRun.objects.get(pk=run.pk).status == next(
                one.status for one in done if not isinstance(one, Exception)
            )
