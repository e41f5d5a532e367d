"""Every service of this app takes an actor and records it."""

import inspect
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

import pytest
from django.core.management import call_command

import missiondeck.services
from groups.models import Event, Member
from missiondeck.models import DeckMissionHistory, DeckStatusChange, DodItemHistory, TestRun
from missiondeck.services import chats, checklist, feeds, gates, missions, runs
from tests.missiondeck.helpers import PASSED, report
from tests.support.factories.groups import MemberFactory
from tests.support.factories.missiondeck import DeckMissionFactory, DodItemFactory, RunFactory

pytestmark = pytest.mark.django_db

WITHOUT_ACTOR = {
    "feeds.read_feed": "A calendar program reads a feed without a session; only the time of the last reading changes.",
}


def add_item(actor: Member) -> None:
    checklist.add_item(actor=actor, mission=DeckMissionFactory(), text="It pays")


def add_message(actor: Member) -> None:
    chats.add_message(actor=actor, mission=DeckMissionFactory(), citizen="emma", sender="user", message="Hi")


def change_status(actor: Member) -> None:
    missions.change_status(actor=actor, mission=DeckMissionFactory(), to="qa")


def create_feed(actor: Member) -> None:
    feeds.create_feed(actor=actor, name="phone")


def create_deck_mission(actor: Member) -> None:
    deadline = DeckMissionFactory.build().deadline
    missions.create_deck_mission(
        actor=actor, title="Bot", client="Acme", budget=300, deadline=deadline, assigned_to="ana@example.org"
    )


def finish_run(actor: Member) -> None:
    runs.finish_run(actor=actor, run=RunFactory(running=True), file=report([PASSED]))


def confirm_baseline(actor: Member) -> None:
    gates.confirm_baseline(actor=actor, mission=RunFactory().mission, reason="Complete")


def confirm_vanished_tests(actor: Member) -> None:
    mission = RunFactory().mission
    gates.confirm_baseline(actor=Member.objects.system(), mission=mission, reason="Complete")
    RunFactory(mission=mission, results=[{"name": "test_other", "status": "passed"}])
    gates.confirm_vanished_tests(actor=actor, mission=mission, tests=["test_it"], reason="Removed")


def set_gate_rules(actor: Member) -> None:
    gates.set_gate_rules(actor=actor, mission=DeckMissionFactory(), min_tests=5)


def add_part(actor: Member) -> None:
    ci = runs.CiRun(commit="c" * 40)
    runs.import_report(actor=actor, mission=DeckMissionFactory(), file=report([PASSED]), ci=ci)


def give_up_run(actor: Member) -> None:
    runs.give_up_run(actor=actor, run=RunFactory(running=True))


def import_report(actor: Member) -> None:
    runs.import_report(actor=actor, mission=DeckMissionFactory(), file=report([PASSED]))


def move_item(actor: Member) -> None:
    item = DodItemFactory()
    DodItemFactory(mission=item.mission, position=1)
    checklist.move_item(actor=actor, item=item, to=1)


def remove_item(actor: Member) -> None:
    checklist.remove_item(actor=actor, item=DodItemFactory())


def revoke_feed(actor: Member) -> None:
    feed, _secret = feeds.create_feed(actor=MemberFactory(), name="phone")
    feeds.revoke_feed(actor=actor, feed=feed)


def start_run(actor: Member) -> None:
    runs.start_run(actor=actor, mission=DeckMissionFactory())


def tick_item(actor: Member) -> None:
    checklist.tick_item(actor=actor, item=DodItemFactory(), done=True)


def update_item(actor: Member) -> None:
    checklist.update_item(actor=actor, item=DodItemFactory(), text="It pays")


def update_deck_mission(actor: Member) -> None:
    missions.update_deck_mission(actor=actor, mission=DeckMissionFactory(), title="Bot")


# Each service, called once with the least data. The transaction of some is in a function of their module.
CALLS: dict[str, Callable[[Member], None]] = {
    "chats.add_message": add_message,
    "checklist.add_item": add_item,
    "checklist.move_item": move_item,
    "checklist.remove_item": remove_item,
    "checklist.tick_item": tick_item,
    "checklist.update_item": update_item,
    "feeds.create_feed": create_feed,
    "feeds.revoke_feed": revoke_feed,
    "missions._change": change_status,
    "gates.confirm_baseline": confirm_baseline,
    "gates.confirm_vanished_tests": confirm_vanished_tests,
    "gates.set_gate_rules": set_gate_rules,
    "missions.create_deck_mission": create_deck_mission,
    "missions.update_deck_mission": update_deck_mission,
    "runs._add_part": add_part,
    "runs._finish": finish_run,
    "runs._store": import_report,
    "runs.give_up_run": give_up_run,
    "runs.start_run": start_run,
}


def functions() -> dict[str, Callable]:
    """Return all functions of the services' modules by name, such as `missions.create_deck_mission`."""
    found = {}
    for module in iter_modules(missiondeck.services.__path__):
        for name, function in vars(import_module(f"missiondeck.services.{module.name}")).items():
            if inspect.isfunction(function) and function.__module__ == f"missiondeck.services.{module.name}":
                found[f"{module.name}.{name}"] = function
    return found


def services() -> dict[str, Callable]:
    return {name: function for name, function in functions().items() if hasattr(function, "is_service")}


def records_of(actor: Member) -> set[str]:
    """Return the tables with rows that name this actor: events, status changes, and versions in a changeset."""
    by_actor = {"pgh_context__metadata__user": str(actor.pk)}
    rows = [
        Event.objects.filter(actor=actor),
        DeckStatusChange.objects.filter(by=actor),
        DeckMissionHistory.objects.filter(**by_actor),
        DodItemHistory.objects.filter(**by_actor),
    ]
    return {found.model._meta.db_table for found in rows if found.exists()}


def test_every_service_is_called_here():
    assert services().keys() == CALLS.keys() | WITHOUT_ACTOR.keys()


def test_actor_comes_first_without_default():
    for name, function in functions().items():
        parameters = list(inspect.signature(function).parameters.values())
        if name in CALLS or "actor" in inspect.signature(function).parameters:
            actor = next(each for each in parameters if each.name == "actor")
            assert actor.default is inspect.Parameter.empty, name
            assert name not in CALLS or (parameters[0] is actor and actor.kind is actor.KEYWORD_ONLY), name


@pytest.mark.parametrize("name", CALLS)
def test_service_records_actor(name):
    actor = MemberFactory()
    assert not records_of(actor)
    CALLS[name](actor)
    assert records_of(actor)


def test_status_change_is_recorded_by_trigger_with_actor():
    actor = MemberFactory()
    change_status(actor)
    assert records_of(actor) == {"deck_status_changes", "deck_missions_history"}


def test_import_by_command_is_recorded_as_system(tmp_path):
    mission, file = DeckMissionFactory(), tmp_path / "report.json"
    file.write_bytes(report([PASSED]).read())
    call_command("import_test_run", str(mission.number), str(file), verbosity=0)
    event = Event.objects.get(type="test_run.imported")
    assert event.actor.is_system
    run = TestRun.objects.get(mission=mission)
    assert event.payload == {"client_mission": mission.number, "run": str(run.pk)}
    assert run.created_by == event.actor
