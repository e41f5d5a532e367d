"""Objects of the mission deck for the tests of the whole site: a mission, its items and runs, valid forms."""

from datetime import timedelta
from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from groups.models import Member
from missiondeck.models import Citizen
from missiondeck.selectors.deck_tests import key_of_test
from missiondeck.services.chats import add_message
from missiondeck.services.client_links import create_client_link
from missiondeck.services.costs import add_cost
from missiondeck.services.deck_tests import quarantine_test
from missiondeck.services.evidence import add_evidence
from missiondeck.services.feeds import create_feed
from missiondeck.services.gates import confirm_baseline
from missiondeck.services.missions import update_deck_mission
from missiondeck.services.runs import CiRun, import_report, start_run
from missiondeck.services.templates import add_template
from tests.support.factories.missiondeck import DeckMissionFactory, DodItemFactory, junit_of

# URLs whose parts are filled in here.
BELOW = ("admin/missiondeck/", "api/deck/", "client/", "deck/")


def add_missiondeck(things: dict[str, object], people: dict[str, Member]) -> None:
    """Create an active mission of the member, with an item, a message, runs, a change to revert, and a feed."""
    mission = DeckMissionFactory(title="Notifier", client="Acme", assigned_to=people["member"].email)
    things["deck mission"] = update_deck_mission(
        actor=Member.objects.system(), mission=mission, title="Telegram Notifier"
    )
    things["dod item"] = DodItemFactory(mission=mission)
    # Two more items, so that one can be moved up and down.
    things["other dod item"] = DodItemFactory(mission=mission, position=1)
    add_message(
        actor=Member.objects.system(), mission=mission, citizen="rafael", sender="user", message="Does it send yet?"
    )
    # A test of the baseline has vanished.
    for attempt, names in enumerate((("test_it", "test_gone"), ("test_it",)), 1):
        report = BytesIO(junit_of(*((name, "passed") for name in names)))
        ci = CiRun(commit="c" * 40, attempt=attempt)
        import_report(actor=people["superuser"], mission=mission, file=report, ci=ci)
        if attempt == 1:
            confirm_baseline(actor=people["superuser"], mission=mission, reason="First complete suite")
    things["deck run"] = import_report(
        mission=mission,
        file=BytesIO(junit_of(("test_it", "failed"))),
        logs=BytesIO(b"what the tool said"),
        actor=people["superuser"],
    ).run
    things["running deck run"] = start_run(mission=mission, actor=people["superuser"], name="nightly")
    things["proven dod item"] = proven = DodItemFactory(mission=mission, position=2)
    things["deck evidence"] = add_evidence(
        actor=people["superuser"], item=proven, kind="sign_off", value="Delivery Lead"
    )
    things["deck file"] = add_evidence(
        actor=people["superuser"], item=proven, kind="file", value="terms.txt", file=BytesIO(b"agreed")
    )
    until = timezone.now() + timedelta(days=14)
    quarantine_test(
        actor=people["superuser"],
        mission=mission,
        test="tests \u203a test_gone",
        reason="Unreliable",
        issue_url="https://issues.example.org/812",
        until=until,
    )
    _link, things["client secret"] = create_client_link(actor=people["superuser"], mission=mission, name="Ida")
    things["deck cost"] = add_cost(
        actor=people["superuser"], mission=mission, worked_on=timezone.localdate(), amount_cents=1_250
    )
    things["dod template"] = add_template(
        actor=people["superuser"],
        name="Online shop",
        items=[{"text": "It ships", "category": "tests", "evidence": [{"kind": "suite", "value": "e2e"}]}],
    )
    things["citizen"] = Citizen.objects.get(key="maya")
    things["deck feed"], things["deck feed secret"] = create_feed(actor=people["superuser"], name="laptop")


# The object of a URL, by model.
OBJECTS = {
    "missiondeck/deckmission": "deck mission",
    "missiondeck/citizen": "citizen",
    "missiondeck/dodtemplate": "dod template",
}
PARTS = ("number", "citizen", "item", "dod_item", "run", "test", "evidence", "cost", "form", "secret")
CHOSEN: dict[str, str] = {}


def part(things: dict[str, object], name: str, route: str) -> object:
    """Return the value of a part of a URL of this app. route: the name of the URL."""
    match name:
        case "number":
            return things["deck mission"].number
        case "citizen":
            return "rafael"
        case "item" | "dod_item":
            return things["proven dod item" if "evidence" in route or route.endswith("_sign") else "dod item"].pk
        case "run":
            is_running = route.endswith(("_deck_run", "_finish", "_give_up")) and not route.startswith("get_")
            return things["running deck run" if is_running else "deck run"].pk
        case "cost":
            return things["deck cost"].pk
        case "evidence":
            return things["deck file" if route.endswith("_file") else "deck evidence"].pk
        case "test":
            return key_of_test("tests \u203a test_gone")
        case "form":
            return "md"
        case _ if route.startswith("client"):
            return things["client secret"]
        case _:
            return things["deck feed secret"]


def _report() -> SimpleUploadedFile:
    """Return a report that was not imported before."""
    return SimpleUploadedFile("report.xml", junit_of(("test_new", "passed")), "application/xml")


def _quarantine() -> dict:
    return {"reason": "Unreliable", "issue_url": "https://issues.example.org/813"}


def _mission() -> dict:
    return {
        "title": "Landing Page",
        "client": "Beta Inc",
        "budget": "450",
        "currency": "USD",
        "assigned_to": "noor@example.org",
        "github_url": "",
    }


def forms(things: dict[str, object]) -> dict[str, dict]:
    """Return valid data of this app's forms, by the name of their route."""
    form = _mission() | {"deadline_0": "2099-12-10", "deadline_1": "18:00:00"}
    return {
        "missiondeck_deckmission_add": {**form, "functional": "It loads", "non_functional": "", "tests": "All pass"},
        "missiondeck_deckmission_change": form,
        "missiondeck_citizen_add": {"key": "olga", "name": "Olga", "position": "6", "is_enabled": "on"},
        "missiondeck_citizen_change": {"name": "Maja", "position": "5", "is_enabled": "on"},
        "missiondeck_dodtemplate_add": {
            "name": "Blog",
            "is_enabled": "on",
            "functional": "It opens\n  test: test_opens",
        },
        "missiondeck_dodtemplate_change": {"name": "Shop", "is_enabled": "on", "tests": "All pass"},
        "missiondeck_workspace_template": {"template": str(things["dod template"].pk)},
        "missiondeck_feeds": {"name": "phone", "only_own": "on"},
        "missiondeck_workspace_status": {"to": "qa", "reason": "Built"},
        "missiondeck_workspace_add_message": {
            "citizen": "rafael",
            "sender": "user",
            "message": "Good.",
            "language": "python",
            "code": "print('hello')",
        },
        "missiondeck_workspace_add_comment": {"text": "The shop is missing"},
        "missiondeck_workspace_import": {"report": _report(), "logs": SimpleUploadedFile("logs.txt", b"all of it")},
        "missiondeck_workspace_start": {"name": "nightly", "commit": "d" * 40, "shards": "2"},
        "missiondeck_workspace_finish": {"report": _report()},
        "missiondeck_workspace_gate": {"required_suites": "unit, e2e", "min_tests": "1", "max_failures": "0"},
        "missiondeck_workspace_baseline": {"reason": "The complete suite"},
        "missiondeck_workspace_vanished": {"tests": ["tests \u203a test_gone"], "reason": "Removed"},
        "missiondeck_workspace_test_owner": {"owner": things["deck mission"].assigned_to},
        "missiondeck_workspace_quarantine": _quarantine() | {"days": "7"},
        "missiondeck_workspace_add": {"text": "It is fast", "category": "non-functional"},
        "client": {"do": "comment", "comment-text": "Good."},
        "missiondeck_workspace_clients": {"name": "Bo", "email": "", "days": "30"},
        "missiondeck_workspace_budget": {"worked_on": "2026-03-02", "amount": "12.50", "currency": "USD"},
        "missiondeck_workspace_webhooks": {"url": "https://hooks.example.org/deck"},
        "missiondeck_workspace_add_evidence": {"kind": "test", "value": "tests \u203a *"},
        "missiondeck_workspace_sign": {"signed": "1"},
        "missiondeck_workspace_tick": {"done": "1"},
        "missiondeck_workspace_edit": {"text": "It is faster", "category": "tests"},
        "missiondeck_workspace_position": {"to": "down"},
    }


def bodies(things: dict[str, object]) -> dict[tuple[str, str], dict]:
    """Return valid bodies of this app's API operations, by URL and method; with files in
    it as multipart.
    """
    at = "api/deck/missions"
    return {
        (at, "POST"): {**_mission(), "budget": 450, "deadline": "2099-12-10T18:00:00Z"},
        (f"{at}/<number>", "PATCH"): {"title": "A better title", "budget": 500},
        (f"{at}/<number>/status", "POST"): {"to": "qa"},
        (f"{at}/<number>/gate", "PUT"): {"required_suites": ["unit"], "min_tests": 1},
        (f"{at}/<number>/gate/baseline", "POST"): {"reason": "The complete suite"},
        (f"{at}/<number>/gate/vanished", "POST"): {"tests": ["tests \u203a test_gone"], "reason": "Removed"},
        (f"{at}/<number>/tests/<test>/owner", "PUT"): {
            "owner": Member.objects.get(email=things["deck mission"].assigned_to).member_id
        },
        (f"{at}/<number>/tests/<test>/quarantine", "PUT"): {
            **_quarantine(),
            "until": (timezone.now() + timedelta(days=7)).isoformat(),
        },
        (f"{at}/<number>/dod", "POST"): {"text": "It is fast", "category": "tests"},
        (f"{at}/<number>/template", "POST"): {"template": str(things["dod template"].pk)},
        (f"{at}/<number>/dod/<item>", "PATCH"): {"completed": True},
        (f"{at}/<number>/dod/<item>/evidence", "POST"): {"kind": "suite", "value": "unit"},
        (f"{at}/<number>/costs", "POST"): {"worked_on": "2026-03-02", "minutes": 90, "rate_cents": 8000},
        (f"{at}/<number>/dod/<item>/comments", "POST"): {"text": "The shop is missing"},
        (f"{at}/<number>/dod/<item>/files", "POST"): {"file": SimpleUploadedFile("scope.txt", b"agreed")},
        (f"{at}/<number>/dod/<item>/evidence/<evidence>/signature", "PUT"): {"signed": True},
        (f"{at}/<number>/chats/<citizen>", "POST"): {"sender": "user", "message": "Good."},
        (f"{at}/<number>/runs", "POST"): {"name": "nightly"},
        (f"{at}/<number>/runs/import", "POST"): {"report": _report()},
        (f"{at}/<number>/runs/<run>/finish", "POST"): {"report": _report()},
    }
