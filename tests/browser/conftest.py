"""Fixtures for tests in Chromium, with the site's database role."""

import os
import shutil
import time

import pytest

# Playwright runs an event loop in the test's thread, where Django would reject database access.
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
    # Run these last: Playwright leaves an event loop running in the thread, so other tests could not start one.
    items.sort(key=lambda item: str(item.path).startswith(here))
    for item in items:
        if str(item.path).startswith(here) and CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="No Chromium found: install it (Debian: apt install chromium)."))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args) -> dict:
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture
def manager(transactional_db):
    """Return Mona, a mission manager."""
    from tests.support.admin import staff

    return staff("Mission Manager", display_name="Mona", email="mona@example.org", password=PASSWORD)


@pytest.fixture
def wrongs(page, live_server) -> list[str]:
    """Return what went wrong in the browser: errors, warnings of Alpine, failed requests, requests to other hosts."""
    found: list[str] = []
    page.on(
        "console",
        lambda message: found.append(message.text) if message.type == "error" or "Alpine" in message.text else None,
    )
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("response", lambda answer: found.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((live_server.url, "data:", "blob:")) else found.append(request.url)
        ),
    )
    return found


def wait_until(page, expression: str, arg=None) -> None:
    """Wait until an expression is true in the page. Playwright's own wait needs eval, which the policy forbids."""
    deadline = time.monotonic() + 60
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def sign_in(page, live_server, member) -> None:
    """Log in by hand, as a person does."""
    page.set_default_timeout(60_000)
    page.goto(f"{live_server.url}/admin/")
    page.locator("[name=username]").fill(member.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server.url}/admin/")


@pytest.fixture
def site(page, live_server, manager, wrongs):
    """Return a page on which Mona is logged in."""
    sign_in(page, live_server, manager)
    yield page
    assert wrongs == []


@pytest.fixture
def reviewer(transactional_db):
    """Return Remo, a fallback reviewer."""
    from tests.support.admin import staff

    return staff("Fallback Reviewer", display_name="Remo", email="remo@example.org", password=PASSWORD)


@pytest.fixture
def desk(page, live_server, reviewer, wrongs):
    """Return a page on which Remo is logged in."""
    sign_in(page, live_server, reviewer)
    yield page
    assert wrongs == []
