"""The workspace of a client mission: its head, and the changes of its status."""

from datetime import timedelta

import pytest
from django.utils import timezone

from missiondeck.models import DeckMission, DeckStatusChange, TestRun
from missiondeck.services.missions import change_status
from tests.missiondeck.workspace_helpers import (
    FAILING,
    address,
    complete,
    import_report_file,
    make_item,
    make_mission,
    who_may,
)
from tests.support.admin import page_text

pytestmark = pytest.mark.django_db


class TestHead:
    def test_head_shows_mission_details(self, lead, dora):
        mission = make_mission(
            title="Telegram <Notifier>",
            assigned_to=dora.email,
            github_url="https://github.com/mind-protocol/mission-47",
        )
        page = page_text(lead.get(address(mission)))
        assert f"#{mission.number}" in page
        for text in ("Telegram <Notifier>", "for", "Acme", "USD 1,200", "10 days left", "UTC", "Active"):
            assert text in page
        assert f'href="/admin/groups/member/{dora.pk}/change/">Dora</a>' in page
        assert 'href="https://github.com/mind-protocol/mission-47"' in page
        assert f'href="/admin/missiondeck/deckmission/{mission.pk}/change/"' in page

    @pytest.mark.parametrize(
        ("away", "expected"),
        [
            (timedelta(days=2, hours=1), "2 days left"),
            (timedelta(days=1, hours=1), "1 day left"),
            (timedelta(hours=5, minutes=9), "5 hours left"),
            (timedelta(minutes=9), "less than an hour left"),
            (-timedelta(hours=3, minutes=9), "3 hours overdue"),
            (-timedelta(days=12, hours=1), "12 days overdue"),
        ],
    )
    def test_head_shows_time_left(self, lead, mission, away, expected):
        DeckMission.objects.filter(pk=mission.pk).update(deadline=timezone.now() + away)
        page = page_text(lead.get(address(mission)))
        assert expected in page
        assert ('<strong class="ws-late">' in page) == ("overdue" in expected)

    def test_times_use_time_zone_of_viewer(self, lead, mission):
        deadline = timezone.now().replace(year=2031, month=1, day=2, hour=1, minute=30)
        DeckMission.objects.filter(pk=mission.pk).update(deadline=deadline)
        assert "2 Jan 2031 01:30" in page_text(lead.get(address(mission)))
        with timezone.override("America/Sao_Paulo"):
            page = page_text(lead.get(address(mission)))
        assert "1 Jan 2031 22:30" in page
        assert "America/Sao_Paulo" in page

    def test_head_lists_what_is_missing(self, lead, mission):
        page = page_text(lead.get(address(mission)))
        assert "In progress: 10 days left" in page
        assert "The definition of done has no items." in page
        assert "There is no test run yet." in page
        make_item(mission)
        make_item(mission, "It ships", done=True)
        import_report_file(mission, FAILING)
        page = page_text(lead.get(address(mission)))
        assert "1 item is open." in page
        assert "The latest test run failed." in page
        assert "1 of 2 done" in page

    def test_ready_and_late_missions_are_marked(self, lead, mission):
        make_item(mission, done=True)
        import_report_file(mission)
        assert "Ready: 10 days left" in page_text(lead.get(address(mission)))
        DeckMission.objects.filter(pk=mission.pk).update(deadline=timezone.now() - timedelta(days=3, hours=1))
        page = page_text(lead.get(address(mission)))
        assert "Late: 3 days overdue" in page
        assert "ws-summary ws-bad" in page

    def test_complete_mission_names_member(self, lead, dora, mission):
        make_item(mission, done=True)
        import_report_file(mission)
        complete(mission, dora)
        page = page_text(lead.get(address(mission)))
        assert "All items were done and the latest test run had passed." in page
        assert "ws-summary ws-good" in page
        assert f'by <a class="row-link" href="/admin/groups/member/{dora.pk}/change/">Dora</a>' in page

    def test_override_shows_reason_and_missing(self, lead, dora, mission):
        make_item(mission, "It <ships>")
        complete(mission, dora, reason="They sign <today>")
        page = page_text(lead.get(address(mission)))
        assert "Complete with an override" in page
        assert "They sign <today>" in page
        assert "It <ships>" in page
        assert "There is no test run yet." in page
        assert "They sign <today>" not in lead.get(address(mission)).content.decode()

    def test_run_failed_after_completion_is_shown(self, lead, dora, mission):
        make_item(mission, done=True)
        import_report_file(mission)
        complete(mission, dora)
        TestRun.objects.bulk_create(
            [
                TestRun(
                    mission=mission,
                    status="failed",
                    results=[{"name": "a", "status": "failed"}],
                    created_at=timezone.now() + timedelta(minutes=1),
                )
            ]
        )
        page = page_text(lead.get(address(mission)))
        assert "Complete, but tests fail" in page
        assert "The latest test run failed after completion" in page


class TestStatusChanges:
    def test_page_offers_only_next_steps(self, lead, dora, mission):
        def steps():
            page = lead.get(address(mission)).content.decode()
            return {to for to in ("active", "qa", "complete") if f'name="to" value="{to}"' in page}

        assert steps() == {"qa"}
        change_status(mission=mission, to="qa", actor=dora)
        assert steps() == {"active", "complete"}
        complete(DeckMission.objects.get(), dora, reason="Today")
        assert steps() == {"qa"}

    def test_step_forward_records_member(self, lead, dora, mission):
        lead.post(address(mission, "_status"), {"to": "qa"})
        move = DeckStatusChange.objects.get()
        assert (move.from_status, move.to_status, move.by) == ("active", "qa", dora)
        page = page_text(lead.get(address(mission)))
        assert f"#{mission.number} Shop is in QA." in page
        assert "Status history (1)" in page

    def test_step_back_needs_reason(self, lead, dora, mission):
        change_status(mission=mission, to="qa", actor=dora)
        page = page_text(lead.post(address(mission, "_status"), {"to": "active", "reason": " "}))
        assert "Enter a reason to move the mission back." in page
        lead.post(address(mission, "_status"), {"to": "active", "reason": "They <changed> their mind"})
        assert DeckMission.objects.get().status == "active"
        assert "They <changed> their mind" in page_text(lead.get(address(mission)))

    @pytest.mark.parametrize("to", ["complete", "active", "gone", "", "\x00", "9" * 999])
    def test_invalid_status_is_rejected(self, lead, mission, to):
        page = lead.post(address(mission, "_status"), {"to": to})
        assert DeckMission.objects.get().status == "active"
        assert page.status_code in (200, 302)
        if to != "active":
            assert 'role="alert" id="ws-status-rejection"' in page.content.decode()

    def test_reason_is_kept_if_status_changed_meanwhile(self, lead, mission):
        page = page_text(lead.post(address(mission, "_status"), {"to": "complete", "reason": "They <changed> it"}))
        assert "changes one step at a time" in page
        assert "They <changed> it</blockquote>" in page
        assert "Complete anyway" not in page

    def test_rejected_completion_keeps_reason(self, lead, dora, mission):
        for number in range(25):
            make_item(mission, f"Promise <{number}>")
        change_status(mission=mission, to="qa", actor=dora)
        page = page_text(lead.post(address(mission, "_status"), {"to": "complete", "reason": "Nearly <there>"}))
        assert "This mission cannot be completed yet. Still missing:" in page
        assert "25 items are open:" in page
        assert "Promise <0>" in page
        assert "and 5 more" in page
        assert "There is no test run yet." in page
        assert ">Nearly <there></textarea>" in page
        assert "Complete anyway" in page
        assert DeckMission.objects.get().status == "qa"

    def test_override_needs_permission_and_reason(self, lead, dora, mission):
        make_item(mission)
        change_status(mission=mission, to="qa", actor=dora)
        mover = who_may("change_deckmission_status")
        page = page_text(mover.post(address(mission, "_status"), {"to": "complete"}))
        assert "1 item is open:" in page
        assert "Complete anyway" not in page
        body = {"to": "complete", "override": "1", "reason": "They sign today"}
        assert mover.post(address(mission, "_status"), body).status_code == 403
        page = page_text(lead.post(address(mission, "_status"), body | {"reason": "  "}))
        assert "Enter a reason to complete" in page
        assert DeckMission.objects.get().status == "qa"
        lead.post(address(mission, "_status"), body)
        done = DeckMission.objects.get()
        assert (done.status, done.completed_by, done.override_reason) == ("complete", dora, "They sign today")
        assert [each["what"] for each in DeckStatusChange.objects.first().missing] == ["open_items", "no_test_run"]
