"""GitHub: deliveries of its webhook, links to missions, merges, what a job fetches, and what is shown."""

import json
from datetime import timedelta
from itertools import permutations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fallback.models import (
    GithubCheckRun,
    GithubDelivery,
    GithubPrComment,
    GithubPrReview,
    GithubPullRequest,
    Mission,
    ProjectActivity,
)
from fallback.rules import GITHUB_PAYLOAD_BYTES
from fallback.services import github as service
from fallback.services.github import apply_pull_request
from fallback.services.github_events import receive_delivery
from fallback.services.missions import create_mission, review_mission
from fallback.services.retention import delete_old_deliveries
from groups.models import Member
from tests.fallback.github_payloads import (
    NAME,
    SHA,
    branch,
    check,
    comment,
    deliver,
    merged,
    payload,
    pull,
    review,
    stored,
)
from tests.support.admin import client_of, page_text
from tests.support.concurrency import CONTROL_ROUNDS, ROUNDS, crowd
from tests.support.database import rejected_by
from tests.support.factories.fallback import MissionFactory, ProjectMemberFactory, RepositoryFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.FALLBACK_GITHUB_WEBHOOK_SECRETS = ["an old secret", "a secret of the webhook"]


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


@pytest.fixture
def mission():
    repository = RepositoryFactory(name="Acme/Site")
    return MissionFactory(project=repository.project, repository=repository, title="Write the guide", list="doing")


def opened(mission, **fields):
    return payload("opened", pull_request=pull(branch=branch(mission), **fields))


def outcome(answer) -> str:
    assert answer.status_code == 200, answer.content
    return answer.json()["outcome"]


# --- Deliveries -------------------------------------------------------------------------------


@pytest.mark.seed("004 GitHub")
def test_delivery_has_one_effect_however_often_it_comes(client, mission):
    body = payload("closed", pull_request=merged(branch=branch(mission)))
    assert outcome(deliver(client, "pull_request", body, delivery="one")) == "applied"
    assert outcome(deliver(client, "pull_request", body, delivery="one")) == "repeated"
    # Sent again by hand it has another ID, and still no second effect.
    assert outcome(deliver(client, "pull_request", body, delivery="two")) == "applied"
    mission.refresh_from_db()
    assert mission.list == "done"
    assert mission.events.filter(type="mission.moved").count() == 1
    assert ProjectActivity.objects.filter(type="pull_request.merged").count() == 1
    assert GithubDelivery.objects.count() == 2


@pytest.mark.seed("004 GitHub")
def test_changed_byte_or_signature_is_rejected(client, mission):
    raw = json.dumps(opened(mission)).encode()
    good = deliver(client, "pull_request", raw, delivery="one").wsgi_request.headers["X-Hub-Signature-256"]
    changed = raw.replace(b"guide", b"gu1de")
    for signature in (good, "", "sha256=", good[:-1], good.replace("sha256", "sha1"), "é"):
        answer = deliver(client, "pull_request", changed, delivery="two", signature=signature)
        assert answer.status_code == 401
    assert GithubDelivery.objects.count() == 1


@pytest.mark.seed("004 GitHub")
def test_delivery_as_a_form_is_applied(client, mission):
    body, form = opened(mission, title="Write & send the guide é"), "application/x-www-form-urlencoded"
    assert outcome(deliver(client, "pull_request", body, delivery="one", content_type=form)) == "applied"
    assert outcome(deliver(client, "pull_request", body, delivery="one")) == "repeated", "one ID, whatever the form"
    assert GithubPullRequest.objects.get().title == "Write & send the guide é"
    # The signature is that of the form, not of the JSON in it.
    sent = deliver(client, "ping", {"zen": "Keep"}, content_type=form).wsgi_request.headers["X-Hub-Signature-256"]
    assert deliver(client, "ping", {"zen": "Kept"}, content_type=form, signature=sent).status_code == 401
    for raw in (b"x=1", b"payload=", b"payload={", b"payload={}&payload={}", b"payload=%ff", "payload=é".encode()):
        assert deliver(client, "ping", raw, content_type=form).status_code == 400, raw
    assert deliver(client, "ping", b"{}", content_type="text/plain").status_code == 415


@pytest.mark.seed("004 GitHub")
def test_delivery_of_25_mb_is_applied_and_larger_is_rejected(client, mission):
    body = opened(mission)
    body["pull_request"]["body"] = "x" * (GITHUB_PAYLOAD_BYTES - len(json.dumps(body)) - 100)
    assert outcome(deliver(client, "pull_request", body)) == "applied"
    body["pull_request"]["body"] += "x" * 1_000
    assert deliver(client, "pull_request", body).status_code == 413
    assert stored()["GithubPullRequest"] == 1


@pytest.mark.parametrize("event", ["ping", "star", "pull_request_review_thread"])
def test_unknown_event_is_acknowledged(client, event):
    assert outcome(deliver(client, event, {"zen": "Keep it logically awesome."}, delivery="one")) == "ignored"
    assert GithubDelivery.objects.get().outcome == "ignored"


def test_unreadable_delivery_is_rejected_and_can_be_sent_again(client, mission):
    for body in (b"{", b"[]", b"null", b"[" * 100_000, b'{"action": "opened"}', b'{"repository": 5}'):
        assert deliver(client, "pull_request", body, delivery="one").status_code == 400
    broken = opened(mission)
    broken["pull_request"]["updated_at"] = "yesterday"
    assert deliver(client, "pull_request", broken, delivery="one").status_code == 400
    assert not GithubDelivery.objects.exists()
    assert outcome(deliver(client, "pull_request", opened(mission), delivery="one")) == "applied"
    assert deliver(client, "", opened(mission)).status_code == 400


def test_other_requests_are_answered(client, settings):
    assert client.get("/github/webhook/").status_code == 405
    assert client.post("/github/webhook/", {"payload": "{}"}).status_code == 415, "as a form of several parts"
    settings.FALLBACK_GITHUB_WEBHOOK_SECRETS = []
    assert deliver(client, "ping", {}).status_code == 503


def test_texts_that_cannot_be_stored_are_replaced(client, mission):
    body = opened(mission, title="A\x00b\nc", user=None)
    raw = json.dumps(body).encode().replace(b"A\\u0000b", b"A\\u0000b\\ud800")
    assert outcome(deliver(client, "pull_request", raw)) == "applied"
    found = GithubPullRequest.objects.get()
    assert (found.title, found.author) == ("A\ufffdb\ufffd c", "ghost")


@pytest.mark.django_db(transaction=True)
@pytest.mark.seed("004 GitHub")
def test_concurrent_repetitions_have_one_effect():
    repository = RepositoryFactory(name=NAME)
    with crowd(4) as people:
        for number in range(ROUNDS):
            mission = create_mission(actor=Member.objects.system(), project=repository.project, title="Guide")
            body = payload("closed", pull_request=merged(number=number + 1, branch=branch(mission)))
            results = people.run(
                lambda _number, body=body, number=number: receive_delivery(
                    actor=Member.objects.system(), delivery=f"d{number}", event="pull_request", payload=body
                )
            )
            assert sorted(map(str, results)) == ["applied", "repeated", "repeated", "repeated"]
            again = people.run(
                lambda each, body=body, number=number: receive_delivery(
                    actor=Member.objects.system(), delivery=f"d{number}-{each}", event="pull_request", payload=body
                )
            )
            assert list(map(str, again)) == ["applied"] * 4
            assert mission.events.filter(type="mission.moved").count() == 1
            merges = ProjectActivity.objects.filter(type="pull_request.merged", payload__mission=mission.pk)
            assert merges.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.seed("004 GitHub", control=True)
def test_without_locks_a_merge_counts_twice(monkeypatch):
    monkeypatch.setattr(service, "lock_board", lambda project_id: None)
    monkeypatch.setattr(
        service,
        "_lock_pull_request",
        lambda repository, number: GithubPullRequest.objects.filter(repository=repository, number=number).first(),
    )
    repository = RepositoryFactory(name=NAME)
    with crowd(4) as people:
        for number in range(CONTROL_ROUNDS):
            mission = create_mission(actor=Member.objects.system(), project=repository.project, title="Guide")
            apply_pull_request(
                actor=Member.objects.system(), repository=repository, data=pull(number + 1, branch(mission))
            )
            body = payload("closed", pull_request=merged(number=number + 1, branch=branch(mission)))
            # Four deliveries with IDs of their own.
            results = people.run(
                lambda each, body=body, number=number: receive_delivery(
                    actor=Member.objects.system(), delivery=f"d{number}-{each}", event="pull_request", payload=body
                )
            )
            merges = ProjectActivity.objects.filter(type="pull_request.merged", payload__mission=mission.pk)
            assert [each for each in results if isinstance(each, Exception)] == []
            if merges.count() > 1:
                return
    raise AssertionError("every merge counted once: the locks prove nothing")


# --- Order ------------------------------------------------------------------------------------


@pytest.mark.seed("004 GitHub")
def test_any_order_gives_the_same_rows(client, mission):
    name = branch(mission)
    deliveries = [
        ("pull_request", payload("opened", pull_request=pull(branch=name, title="Old"))),
        ("pull_request", payload("edited", pull_request=pull(branch=name, at=10, title="New"))),
        ("pull_request", payload("closed", pull_request=merged(branch=name, title="New"))),
    ]
    for number, order in enumerate(permutations(deliveries)):
        other = MissionFactory(project=mission.project, repository=mission.repository, list="doing")
        for event, body in order:
            given = json.loads(json.dumps(body).replace(name, branch(other)))
            given["pull_request"]["number"] = 100 + number
            deliver(client, event, given)
        found = other.pull_requests.get()
        other.refresh_from_db()
        assert (found.title, found.state, other.list) == ("New", "merged", "done")


def test_late_events_do_not_undo_later_ones(client, mission):
    found = pull(branch=branch(mission))
    deliver(client, "pull_request_review", payload("dismissed", pull_request=found, review=review(state="dismissed")))
    deliver(client, "pull_request_review", payload("submitted", pull_request=found, review=review()))
    issue = {"number": 7, "pull_request": {"url": "x"}}
    deliver(client, "issue_comment", payload("deleted", issue=issue, comment=comment()))
    deliver(client, "issue_comment", payload("created", issue=issue, comment=comment()))
    # The same number, of another kind of comment.
    deliver(client, "pull_request_review_comment", payload("edited", pull_request=found, comment=comment(at=40)))
    old = comment(body="Old", at=22)
    deliver(client, "pull_request_review_comment", payload("created", pull_request=found, comment=old))
    deliver(client, "check_run", payload("completed", check_run=check()))
    deliver(client, "check_run", payload("created", check_run=check(status="in_progress", conclusion=None)))
    assert GithubPrReview.objects.get().state == "dismissed"
    assert list(GithubPrComment.objects.order_by("kind").values_list("kind", "body")) == [
        ("conversation", ""),
        ("line", "Why?"),
    ]
    assert GithubCheckRun.objects.values_list("status", "conclusion").get() == ("completed", "success")


def test_events_of_unknown_pull_requests_and_issues_change_nothing(client, mission):
    issue = {"number": 7, "pull_request": {"url": "x"}}
    for event, body in (
        ("issue_comment", payload("created", issue={"number": 7}, comment=comment())),
        ("issue_comment", payload("created", issue=issue, comment=comment())),
        ("check_run", payload("completed", check_run=check())),
        ("pull_request", payload("opened", pull_request=pull(branch="own"))),
    ):
        assert outcome(deliver(client, event, body)) == "ignored"
    assert set(stored().values()) == {0}


# --- Links ------------------------------------------------------------------------------------


@pytest.mark.seed("004 GitHub")
def test_pull_request_is_linked_by_branch_trailer_or_hand(client, mission):
    project, repository = mission.project, mission.repository
    missions = [MissionFactory(project=project, repository=repository) for _number in range(4)]
    Mission.objects.filter(pk=missions[2].pk).update(pr_branch_name="own-branch")
    for number, given in enumerate(
        (
            pull(1, f"feature/{missions[0].pk}-guide"),
            pull(2, "any", body=f"Why.\r\n\r\nMission-Id: {missions[1].pk}\r\nOther: x"),
            pull(3, "own-branch"),
        )
    ):
        assert outcome(deliver(client, "pull_request", payload("opened", pull_request=given))) == "applied"
        assert missions[number].pull_requests.get().number == number + 1
    missions[0].refresh_from_db()
    assert (missions[0].github_pr_number, missions[0].pr_branch_name) == (1, f"feature/{missions[0].pk}-guide")
    # By hand: later deliveries find it by its number.
    person = ProjectMemberFactory(project=project, role="contributor", member=StaffFactory()).member
    link = reverse("admin:fallback_mission_link-pull-request", args=[missions[3].pk])
    browser = client_of(person)
    assert "Enter the address of a pull request" in page_text(browser.post(link, {"url": "nonsense"}))
    assert browser.post(link, {"url": f"https://github.com/{NAME}/pull/4"}).status_code == 302
    assert outcome(deliver(client, "pull_request", payload("closed", pull_request=merged(4, "x")))) == "applied"
    assert missions[3].pull_requests.get().state == "merged"


def test_mission_of_another_project_is_not_linked(client, mission):
    other = MissionFactory()
    deliver(client, "pull_request", payload("opened", pull_request=pull(branch=f"x/{other.pk}")))
    assert not GithubPullRequest.objects.exists()


# --- Merges -----------------------------------------------------------------------------------


@pytest.mark.seed("004 GitHub")
@pytest.mark.parametrize(
    ("on_merge", "requires_review", "status", "expected"),
    [
        ("done", False, None, "done"),
        ("review", False, None, "review"),
        ("nothing", False, None, "doing"),
        ("done", True, None, "review"),
        ("done", True, "approved", "done"),
        ("nothing", True, None, "doing"),
    ],
)
def test_merge_moves_mission_as_its_project_says(client, mission, on_merge, requires_review, status, expected):
    mission.project.on_merge = on_merge
    mission.project.save(update_fields=["on_merge"])
    Mission.objects.filter(pk=mission.pk).update(requires_review=requires_review)
    if status:
        review_mission(actor=StaffFactory(), mission=mission, status=status)
    deliver(client, "pull_request", payload("closed", pull_request=merged(branch=branch(mission))))
    mission.refresh_from_db()
    assert mission.list == expected


def test_merge_waits_for_other_open_pull_request(client, mission):
    for number in (7, 8):
        deliver(client, "pull_request", payload("opened", pull_request=pull(number, branch(mission))))
    for number, expected in ((7, "doing"), (8, "done")):
        deliver(client, "pull_request", payload("closed", pull_request=merged(number, branch(mission))))
        mission.refresh_from_db()
        assert mission.list == expected


# --- Pages and erasure ------------------------------------------------------------------------


@pytest.mark.seed("004 GitHub")
def test_page_shows_state_checks_reviews_and_comments(client, mission):
    found = pull(branch=branch(mission), title="<b>Guide</b>")
    deliver(client, "pull_request_review", payload("submitted", pull_request=found, review=review()))
    deliver(client, "pull_request_review_comment", payload("created", pull_request=found, comment=comment()))
    for key, conclusion in ((70, "failure"), (71, "success")):
        deliver(client, "check_run", payload("completed", check_run=check(key, conclusion=conclusion)))
    lint = check(72, status="in_progress", conclusion=None, name="lint", pull_requests=[])
    deliver(client, "check_run", payload("created", check_run=lint))
    viewer = ProjectMemberFactory(project=mission.project, role="viewer", member=StaffFactory()).member
    answer = client_of(viewer).get(reverse("admin:fallback_mission_pull-requests", args=[mission.pk]))
    page = page_text(answer)
    # The second run of the same check replaces the first.
    for expected in (
        "<b>Guide</b>",
        "Open",
        "1 passed, 0 failed, 1 running",
        "Approved",
        "hubot",
        "Why?",
        "Looks good",
    ):
        assert expected in page
    assert "<b>Guide" not in answer.content.decode()


def test_erased_author_is_not_written_again(client, mission):
    body = payload("submitted", pull_request=pull(branch=branch(mission)), review=review())
    deliver(client, "pull_request_review", body)
    GithubPrReview.objects.update(author="ghost", body="")
    deliver(client, "pull_request_review", body)
    assert GithubPrReview.objects.values_list("author", "body").get() == ("ghost", "")


@pytest.mark.parametrize(
    ("kind", "values", "constraint"),
    [
        (GithubPrReview, {"author": "x", "state": "lost"}, "github_pr_reviews_state_known"),
        (GithubPrComment, {"author": "x", "kind": "lost"}, "github_pr_comments_kind_known"),
        (GithubPrComment, {"author": "x"}, "github_pr_comments_once"),
        (GithubPrReview, {"author": "x", "state": "approved"}, "github_pr_reviews_once"),
        (GithubCheckRun, {"name": "x", "status": "queued", "head_sha": SHA}, "github_check_runs_once"),
    ],
)
def test_table_rejects(mission, kind, values, constraint):
    request = GithubPullRequest.objects.create(mission=mission, repository=mission.repository, number=7, title="Guide")
    if constraint.endswith("_once"):
        kind.objects.create(pull_request=request, github_id=1, **values)
    with rejected_by(constraint):
        kind.objects.create(pull_request=request, github_id=1, **values)


def test_unknown_choice_of_project_or_delivery_is_rejected(mission):
    with rejected_by("projects_on_merge_known"):
        type(mission.project).objects.update(on_merge="lost")
    with rejected_by("github_deliveries_outcome_known"):
        GithubDelivery.objects.create(id="one", event="ping", outcome="lost")


def test_old_deliveries_are_deleted(client):
    deliver(client, "ping", {}, delivery="one")
    system, at = Member.objects.system(), timezone.now()
    assert delete_old_deliveries(actor=system, at=at) == 0
    assert delete_old_deliveries(actor=system, at=at + timedelta(days=31)) == 1
