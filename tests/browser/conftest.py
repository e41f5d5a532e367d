"""A real Chromium at the site as it runs, with the database role it runs under."""

import os
import shutil

import pytest

# Playwright's loop runs in the test's own thread, where Django would reject the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
NAMES = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "tr0ub4dor&3-xyz"


def pytest_collection_modifyitems(items) -> None:
    here = os.path.dirname(__file__)
    # Last: Playwright leaves an event loop running in its thread, in which others could start none.
    items.sort(key=lambda item: str(item.path).startswith(here))
    for item in items:
        if str(item.path).startswith(here) and CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="No Chromium found: install it (Debian: apt install chromium)."))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args) -> dict:
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture
def manager(transactional_db):
    """Mona, who runs missions."""
    from tests.support.admin import staff

    return staff("Mission Manager", display_name="Mona", email="mona@example.org", password=PASSWORD)


@pytest.fixture
def wrongs(page, live_server) -> list[str]:
    """What the browser complained about: console errors, failed requests, requests to anywhere else."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("response", lambda answer: found.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((live_server.url, "data:", "blob:")) else found.append(request.url)
        ),
    )
    return found


def sign_in(page, live_server, member) -> None:
    """Log in by hand, as a person does."""
    page.set_default_timeout(15_000)
    page.goto(f"{live_server.url}/admin/")
    page.locator("[name=username]").fill(member.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server.url}/admin/")


@pytest.fixture
def site(page, live_server, manager, wrongs):
    """A page on which Mona has logged in, by hand."""
    sign_in(page, live_server, manager)
    yield page
    assert wrongs == []


@pytest.fixture
def reviewer(transactional_db):
    """Remo, who decides on proposals."""
    from tests.support.admin import staff

    return staff("Fallback Reviewer", display_name="Remo", email="remo@example.org", password=PASSWORD)


@pytest.fixture
def desk(page, live_server, reviewer, wrongs):
    """A page on which Remo has logged in, by hand."""
    sign_in(page, live_server, reviewer)
    yield page
    assert wrongs == []
