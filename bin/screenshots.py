"""Take screenshots of the back office for the documentation: docs/screenshots/*.png.

Starts the site on a temporary database with the seeds, opens its pages in a headless Chromium, deletes the database.
"""

import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
MISSION = "20000000-0000-0000-0000-000000000001"
PROJECT = "01KZ8JDAM00SEEDPRJ00000001"
STARVING = "01M1XHH1M00SEEDCFG00000002"
REPORTED = "01M59HXX300SEEDRVN00000002"
REVIEW = "/admin/fallback/missionfallbackitem/review/"
BOARD = f"/admin/fallback/project/{PROJECT}/board/"
ENTRY = "/admin/groups/communitymember/40000000-0000-0000-0000-000000000012"
DECK = "/admin/missiondeck/deckmission/a7d88e18-4bdc-5412-94e4-b8d267708170/workspace/"
PAGES = {
    "home": "/admin/",
    "directory": "/admin/groups/communitymember/",
    "participation": "/admin/groups/communitymember/40000000-0000-0000-0000-000000000015/participation/",
    "tree": f"{ENTRY}/tree/",
    "missions": "/admin/groups/mission/",
    "mission": f"/admin/groups/mission/{MISSION}/members/",
    "add-member": f"/admin/groups/mission/{MISSION}/add-member/",
    "members": "/admin/groups/member/",
    "events": "/admin/groups/event/",
    "review": REVIEW,
    "board": BOARD,
    "run": f"/admin/fallback/missionfallbackrun/{REPORTED}/report/",
    "plan": f"/admin/fallback/missionfallbackconfig/{STARVING}/plan/",
    "lifecycle": "/admin/engagement/userengagementstate/lifecycle/",
    "queue": "/admin/engagement/engagementmessage/",
    "announcement": "/admin/engagement/announcement/1/change/",
    "compose": "/admin/engagement/announcement/compose/?status__exact=active",
    "deck": "/admin/missiondeck/deckmission/",
    "workspace": f"{DECK}?citizen=rafael",
    "tests": f"{DECK}?citizen=sofia",
    "engagement": "/admin/groups/member/30000000-0000-0000-0000-000000000007/engagement/",
}
PASSWORD = "only-for-the-pictures"  # noqa: S105  (of an account on a temporary database)


def main() -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("No Chromium found: install it (Debian: apt install chromium).")
    sys.path.insert(0, str(ROOT))
    from missionsite import embedded

    folder = Path(tempfile.mkdtemp(prefix="missionsite-screenshots-"))
    os.environ |= {
        "DATABASE_URL": "",
        "MISSIONSITE_VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "missionsite.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
        "LOG_LEVEL": "ERROR",
    }
    # PostgreSQL runs as another account when this one is root.
    folder.chmod(0o755)
    try:
        embedded.start(folder)
        _fill()
        _take_all(chromium)
    finally:
        embedded.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _fill() -> None:
    """Load the seeds and make a few changes."""
    import django

    django.setup()
    from django.core.management import call_command

    from engagement.models import MessageTemplate
    from fallback.models import MissionFallbackConfig
    from fallback.services.configs import update_config
    from fallback.services.reports import repair_reports
    from fallback.services.runs import run_due
    from groups.models import Group, Member
    from groups.services.memberships import change_role, join_mission, leave_mission

    call_command("migrate", verbosity=0)
    call_command("loaddata", "seeds", verbosity=0)
    call_command("roll_up_highlights", stdout=io.StringIO())
    mona = Member.objects.create_superuser("mona@example.org", PASSWORD, display_name="Mona Reis")
    mission = Group.objects.get(pk=MISSION)
    newcomers = Member.objects.filter(is_active=True, is_staff=False).exclude(memberships__group=mission)
    for member in newcomers.exclude(pk="00000000-0000-0000-0000-000000000000")[:3]:
        membership = join_mission(member=member, mission=mission, actor=mona, reason="Asked at the welcome call")
    change_role(membership=membership, role="Mentor", actor=mona, reason="Runs the next session")
    leaver = mission.memberships.active().select_related("member").order_by("joined_at")[0].member
    leave_mission(member=leaver, mission=mission, actor=mona, reason="Moves to Content Creation")
    # The project that is low on work gets its proposals.
    list(run_due(actor=Member.objects.system()))
    goodbye = MessageTemplate.objects.get(key="goodbye", locale="en")
    PAGES["template"] = f"/admin/engagement/messagetemplate/{goodbye.pk}/change/"
    config = MissionFallbackConfig.objects.get(pk=STARVING)
    update_config(actor=mona, config=config, backlog_threshold=8)
    repair_reports()


def _take_all(chromium: str) -> None:
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test.testcases import LiveServerThread
    from playwright.sync_api import sync_playwright

    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    base = f"http://127.0.0.1:{server.port}"
    OUT.mkdir(parents=True, exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"{base}/admin/")
            page.locator("[name=username]").fill("mona@example.org")
            page.locator("[name=password]").fill(PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url(f"{base}/admin/")
            for name, path in PAGES.items():
                _take(page, base + path, name)
            page.emulate_media(color_scheme="dark")
            for name in ("mission", "review", "board", "lifecycle"):
                _take(page, base + PAGES[name], f"{name}-dark")
            page.emulate_media(color_scheme="light")
            page.set_viewport_size({"width": 390, "height": 844})
            for name in ("mission", "review", "board", "lifecycle"):
                _take(page, base + PAGES[name], f"{name}-phone")
            browser.close()
    finally:
        server.terminate()


def _take(page, address: str, name: str) -> None:
    page.goto(address)
    if page.locator("#fb-live").count():
        # A live page never reaches the state networkidle.
        page.locator("#fb-live[data-state=live]").wait_for()
    else:
        page.wait_for_load_state("networkidle")
    page.screenshot(path=OUT / f"{name}.png")
    print(OUT / f"{name}.png")  # noqa: T201


if __name__ == "__main__":
    main()
