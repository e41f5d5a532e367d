"""Six submissions at once of every form that creates something: one effect.

The negative control is in tests/engagement/test_announcement_form_keys.py.
"""

import pytest
from django.db import connection
from django.test import Client

from missionsite.common.admin.form_keys import FORM_KEY_FIELD, new_form_key
from tests.site.routes import routes
from tests.site.test_form_keys import CREATING, WITHOUT_KEY, Forms, has_errors, name_of, pages  # noqa: F401
from tests.site.world import PASSING, address, body_of, build, query_of, undone
from tests.support.concurrency import crowd

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
AT_ONCE = 6


def counts() -> dict[str, int]:
    """Return the number of rows of each table that forms write to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_stat_user_tables"
            " WHERE schemaname = 'public' AND has_table_privilege(relid, 'SELECT')"
        )
        names = [name for (name,) in cursor.fetchall() if not name.startswith(PASSING)]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in names))
        return dict(cursor.fetchall())


def added(before: dict[str, int]) -> dict[str, int]:
    return {name: rows - before[name] for name, rows in counts().items() if rows != before[name]}


def test_six_submissions_at_once_take_effect_once(pages):  # noqa: F811
    world = build()
    client = world.client("superuser")
    known = {route.name: route for route in routes()}
    targets: dict[str, str] = {}
    for route, variant in pages:
        target, query = address(world, route, "superuser", variant), query_of(world, route)
        if "event" in route.template.rsplit("/", 2)[-2]:
            continue
        with undone():
            answer = client.get(target, query_params=query)
            if not answer.streaming and answer.status_code == 200 and "html" in answer["Content-Type"]:
                for form in Forms(answer.content.decode(), target).found:
                    targets |= {name_of(each): each for each in form.targets if form.key}
    effective, wrong = set(), []
    with crowd(AT_ONCE) as people:
        for name, target in targets.items():
            if name in WITHOUT_KEY or name not in known:
                continue
            bodies = [body_of(world, known[name]) for _ in range(AT_ONCE)]
            before = counts()
            with undone():
                first = client.post(target, {**body_of(world, known[name]), FORM_KEY_FIELD: new_form_key()})
                alone = added(before)
            if not alone or has_errors(first):
                continue
            key = new_form_key()
            browsers = [Client() for _ in range(AT_ONCE)]
            for browser in browsers:
                browser.cookies = client.cookies
            answers = people.run(lambda turn: browsers[turn].post(target, {**bodies[turn], FORM_KEY_FIELD: key}))  # noqa: B023
            effective.add(name)
            together = added(before)
            # What follows a commit writes to other tables.
            if {table: together.get(table) for table in alone} != alone:
                wrong.append(f"{name}: {alone} alone, {together} together, {answers}")
    assert not wrong, "\n".join(wrong)
    assert len(effective) > 40
