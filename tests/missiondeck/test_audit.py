"""Every service of this app takes an actor and records it."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pkgutil import iter_modules

import pytest
from django.contrib.auth.models import Group as Role
from django.core.management import call_command
from django.utils import timezone

import missiondeck.services
from groups.models import Event, Member
from missiondeck.models import (
    Citizen,
    ClientLink,
    DeckCost,
    DeckMission,
    DeckMissionHistory,
    DeckStatusChange,
    DodItemHistory,
    Evidence,
    TestRun,
    Webhook,
)
from missiondeck.services import (
    chats,
    checklist,
    citizens,
    client_links,
    comments,
    costs,
    deck_tests,
    deliveries,
    evidence,
    feeds,
    gates,
    missions,
    notices,
    runs,
    templates,
)
from tests.missiondeck.helpers import PASSED, add_shop_template, report
from tests.support.factories.groups import MemberFactory
from tests.support.factories.missiondeck import DeckMissionFactory, DodItemFactory, RunFactory

pytestmark = pytest.mark.django_db

WITHOUT_ACTOR = {
    "client_links.read_client_link": "A client has no account; only the time of the last reading changes.",
    "deliveries._claim": "A job claims what is due; what is sent follows from a notice.",
    "evidence_checks._record": "A job looks at GitHub or an address; the database ticks items as the system.",
    "feeds.read_feed": "A calendar program reads a feed without a session; only the time of the last reading changes.",
    "notices._process_next": "A job; the notice is the record of what happened.",
}


def add_client_comment(actor: Member) -> None:
    client_links.add_client_comment(actor=actor, link=client_link(), text="When is it ready?")


def add_evidence(actor: Member) -> None:
    evidence.add_evidence(actor=actor, item=DodItemFactory(), kind="test", value="test_it")


def add_item(actor: Member) -> None:
    checklist.add_item(actor=actor, mission=DeckMissionFactory(), text="It pays")


def add_message(actor: Member) -> None:
    chats.add_message(actor=actor, mission=DeckMissionFactory(), citizen="emma", sender="user", message="Hi")


def change_status(actor: Member) -> None:
    missions.change_status(actor=actor, mission=DeckMissionFactory(), to="qa")


def create_client_link(actor: Member) -> None:
    client_links.create_client_link(actor=actor, mission=DeckMissionFactory(), name="Ida")


def create_feed(actor: Member) -> None:
    feeds.create_feed(actor=actor, name="phone")


def create_deck_mission(actor: Member) -> None:
    deadline = DeckMissionFactory.build().deadline
    missions.create_deck_mission(
        actor=actor, title="Bot", client="Acme", budget=300, deadline=deadline, assigned_to="ana@example.org"
    )


def add_item_comment(actor: Member) -> None:
    comments.add_item_comment(actor=actor, item=DodItemFactory(), text="The shop is missing")


def add_citizen(actor: Member) -> None:
    citizens.add_citizen(actor=actor, key="olga", name="Olga")


def change_citizen(actor: Member) -> None:
    citizens.change_citizen(actor=actor, citizen=Citizen.objects.get(key="maya"), name="Maja")


def add_template(actor: Member) -> None:
    add_shop_template(actor)


def apply_template(actor: Member) -> None:
    templates.apply_template(actor=actor, mission=DeckMissionFactory(), template=add_shop_template())


def change_template(actor: Member) -> None:
    templates.change_template(actor=actor, template=add_shop_template(), name="Shop")


def add_cost(actor: Member) -> None:
    cost_of(actor)


def remove_cost(actor: Member) -> None:
    costs.remove_cost(actor=actor, cost=cost_of(Member.objects.system()))


def cost_of(actor: Member) -> DeckCost:
    return costs.add_cost(actor=actor, mission=DeckMissionFactory(), worked_on=timezone.localdate(), minutes=5)


def create_webhook(actor: Member) -> None:
    webhook(actor)


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


def lift_quarantine(actor: Member) -> None:
    mission = DeckMissionFactory()
    quarantine(Member.objects.system(), mission)
    deck_tests.lift_quarantine(actor=actor, mission=mission, test="test_it")


def move_item(actor: Member) -> None:
    item = DodItemFactory()
    DodItemFactory(mission=item.mission, position=1)
    checklist.move_item(actor=actor, item=item, to=1)


def quarantine_test(actor: Member) -> None:
    quarantine(actor, DeckMissionFactory())


def remove_evidence(actor: Member) -> None:
    evidence.remove_evidence(actor=actor, evidence=piece_of_evidence())


def remove_item(actor: Member) -> None:
    checklist.remove_item(actor=actor, item=DodItemFactory())


def resend_delivery(actor: Member) -> None:
    made = webhook(Member.objects.system())
    RunFactory(mission=made.mission)
    notices.process_notices()
    deliveries.resend_delivery(actor=actor, delivery=made.deliveries.first())


def revoke_client_link(actor: Member) -> None:
    client_links.revoke_client_link(actor=actor, link=client_link())


def revoke_feed(actor: Member) -> None:
    feed, _secret = feeds.create_feed(actor=MemberFactory(), name="phone")
    feeds.revoke_feed(actor=actor, feed=feed)


def revoke_webhook(actor: Member) -> None:
    deliveries.revoke_webhook(actor=actor, webhook=webhook(Member.objects.system()))


def send_client_code(actor: Member) -> None:
    client_links.send_client_code(actor=actor, link=client_link(), message=lambda code: ("Code", code))


def set_test_owner(actor: Member) -> None:
    deck_tests.set_test_owner(actor=actor, mission=DeckMissionFactory(), test="test_it", owner=MemberFactory())


def sign_delivery(actor: Member) -> None:
    link, sent = client_link(), []
    client_links.send_client_code(
        actor=Member.objects.system(), link=link, message=lambda code: ("Code", sent.append(code) or code)
    )
    client_links.sign_delivery(actor=actor, link=link, name="Ida", code=sent[0])


def sign_off(actor: Member) -> None:
    actor.groups.add(Role.objects.get(name="Delivery Lead"))
    evidence.sign_off(actor=actor, evidence=piece_of_evidence("sign_off", "Delivery Lead"))


def start_run(actor: Member) -> None:
    runs.start_run(actor=actor, mission=DeckMissionFactory())


def tick_item(actor: Member) -> None:
    checklist.tick_item(actor=actor, item=DodItemFactory(), done=True)


def update_item(actor: Member) -> None:
    checklist.update_item(actor=actor, item=DodItemFactory(), text="It pays")


def update_deck_mission(actor: Member) -> None:
    missions.update_deck_mission(actor=actor, mission=DeckMissionFactory(), title="Bot")


def client_link() -> ClientLink:
    link, _secret = client_links.create_client_link(
        actor=Member.objects.system(), mission=DeckMissionFactory(), name="Ida", email="ida@client.example"
    )
    return link


def piece_of_evidence(kind: str = "test", value: str = "test_it") -> Evidence:
    return evidence.add_evidence(actor=Member.objects.system(), item=DodItemFactory(), kind=kind, value=value)


def quarantine(actor: Member, mission: DeckMission) -> None:
    deck_tests.quarantine_test(
        actor=actor,
        mission=mission,
        test="test_it",
        reason="Unreliable",
        issue_url="https://issues.example.org/812",
        until=timezone.now() + timedelta(days=7),
    )


def webhook(actor: Member) -> Webhook:
    return deliveries.create_webhook(actor=actor, mission=DeckMissionFactory(), url="https://hooks.example.org/deck")


# Each service, called once with the least data. The transaction of some is in a function of their module.
CALLS: dict[str, Callable[[Member], None]] = {
    "chats.add_message": add_message,
    "checklist.add_item": add_item,
    "checklist.move_item": move_item,
    "checklist.remove_item": remove_item,
    "checklist.tick_item": tick_item,
    "checklist.update_item": update_item,
    "comments.add_item_comment": add_item_comment,
    "citizens.add_citizen": add_citizen,
    "citizens.change_citizen": change_citizen,
    "templates.add_template": add_template,
    "templates.apply_template": apply_template,
    "templates.change_template": change_template,
    "costs.add_cost": add_cost,
    "costs.remove_cost": remove_cost,
    "client_links._sign": sign_delivery,
    "client_links.add_client_comment": add_client_comment,
    "client_links.create_client_link": create_client_link,
    "client_links.revoke_client_link": revoke_client_link,
    "client_links.send_client_code": send_client_code,
    "deck_tests.lift_quarantine": lift_quarantine,
    "deck_tests.quarantine_test": quarantine_test,
    "deck_tests.set_test_owner": set_test_owner,
    "deliveries.create_webhook": create_webhook,
    "deliveries.resend_delivery": resend_delivery,
    "deliveries.revoke_webhook": revoke_webhook,
    "evidence.add_evidence": add_evidence,
    "evidence.remove_evidence": remove_evidence,
    "evidence.sign_off": sign_off,
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
