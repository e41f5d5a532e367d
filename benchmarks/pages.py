"""Compare pages of the back office with a bare Django view of the same rows and session, in the same run.

    python -m benchmarks.pages [--rounds 30] [--profile PAGE]

Each page is requested through all middleware of the site; the bare view only through sessions and authentication, and
it renders the same rows with one Django template. Both run in turn, in CPU time of the process. Also prints what a
page weighs: bytes, bytes on the wire, DOM nodes and queries.
"""

import argparse
import cProfile
import gzip
import os
import pstats
import statistics
import time
from html.parser import HTMLParser

from benchmarks.database import bulk, log, prepare, stop, table

MEMBERS = 300
PROJECT = "01" + "P" * 24
MISSION = "00000000-0000-4000-8000-000000000002"
LISTS = {
    "members": "/admin/groups/member/",
    "memberships": "/admin/groups/membership/",
    "board missions": "/admin/fallback/mission/",
}
REVIEW, BOARD = "/admin/fallback/missionfallbackitem/review/", f"/admin/fallback/project/{PROJECT}/board/"
# What a page of a list may cost, as a multiple of the bare view, and weigh on the wire.
MOST_TIMES, MOST_BYTES, MOST_NODES = 4, 20_000, 2_500

ROWS = {
    ("members",): f"""
        INSERT INTO members (id, member_id, email, display_name)
        SELECT md5(i::text)::uuid, 'FE-P-' || 10000 + i, 'member' || i || '@example.org', 'Member ' || i
        FROM generate_series(1, {MEMBERS}) i
    """,
    ("groups",): f"""
        INSERT INTO groups (id, stable_id, name, type, parent_group_id, min_trust_score) VALUES
            ('00000000-0000-4000-8000-000000000001', 'FE-G-00001', 'Colony', 'colony', NULL, NULL),
            ('{MISSION}', 'FE-M-00001', 'Mission', 'mission', '00000000-0000-4000-8000-000000000001', 0)
    """,
    ("memberships",): f"""
        INSERT INTO memberships (member_id, group_id, joined_at)
        SELECT md5(i::text)::uuid, '{MISSION}', now() - i * interval '1 minute' FROM generate_series(1, {MEMBERS}) i
    """,
    ("organizations", "projects", "flows", "actors", "project_repositories", "mission_fallback_templates"): f"""
        INSERT INTO organizations (id, name, slug) VALUES ('{PROJECT}', 'Organisation', 'organisation');
        INSERT INTO projects (id, organization_id, name, slug) VALUES ('{PROJECT}', '{PROJECT}', 'Project', 'project');
        INSERT INTO flows (id, project_id, name) VALUES ('{PROJECT}', '{PROJECT}', 'Flow');
        INSERT INTO actors (id, project_id, name) VALUES ('{PROJECT}', '{PROJECT}', 'Actor');
        INSERT INTO project_repositories (id, project_id, name) VALUES ('{PROJECT}', '{PROJECT}', 'Repository');
        INSERT INTO mission_fallback_templates (id, project_id, name, flow_id, actor_id, repository_id,
            estimated_effort_minutes)
        VALUES ('{PROJECT}', '{PROJECT}', 'Template', '{PROJECT}', '{PROJECT}', '{PROJECT}', 60)
    """,
    ("missions",): f"""
        INSERT INTO missions (id, project_id, title, list, list_order, ready, actor_id, repository_id, created_at)
        SELECT lpad(i::text, 26, '0'), '{PROJECT}', 'Mission ' || i,
            (ARRAY['todo', 'doing', 'review', 'done'])[1 + i %% 4], i, i %% 8 = 0, '{PROJECT}', '{PROJECT}',
            now() - i * interval '1 minute'
        FROM generate_series(1, 240) i
    """,
    ("mission_fallback_runs", "mission_fallback_items"): f"""
        INSERT INTO mission_fallback_runs (id, project_id, triggered_by, status)
        VALUES ('{PROJECT}', '{PROJECT}', 'automatic', 'awaiting_review');
        INSERT INTO mission_fallback_items (id, mission_fallback_run_id, template_id, project_id, title, description,
            flow_id, actor_id, repository_id, estimated_effort_minutes)
        SELECT lpad(i::text, 26, '0'), '{PROJECT}', '{PROJECT}', '{PROJECT}', 'Proposal ' || i, 'What it is about.',
            '{PROJECT}', '{PROJECT}', '{PROJECT}', 60
        FROM generate_series(1, 60) i
    """,
}
URLS = "benchmarks_pages_urls"
BARE = """<!doctype html><title>Rows</title><table>{% for row in rows %}<tr>{% for name in names %}
<td>{{ row|attribute:name }}</td>{% endfor %}</tr>{% endfor %}</table>"""


def load(connection) -> None:
    """Insert the rows; enough for full pages."""
    with connection.cursor() as cursor:
        for tables, script in ROWS.items():
            with bulk(cursor, *tables):
                for statement in script.replace("%%", "%").split(";"):
                    cursor.execute(statement)


class _Nodes(HTMLParser):
    """Counts elements."""

    number = 0

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.number += 1


def weigh(html: bytes) -> dict[str, int]:
    """The bytes of a page, as they are and on the wire, and its elements."""
    nodes = _Nodes()
    nodes.feed(html.decode())
    return {"bytes": len(html), "wire": len(gzip.compress(html, 6)), "nodes": nodes.number}


def bare_view(model_admin):
    """A view that renders the first page of the rows of a list, and nothing else."""
    from django.contrib.auth.decorators import login_required
    from django.http import HttpResponse
    from django.template import Context, Engine, Library

    library = Library()
    library.filter("attribute", lambda row, name: getattr(row, name, ""))
    engine = Engine()
    engine.template_builtins.append(library)
    template = engine.from_string(BARE)
    fields = [field.attname for field in model_admin.opts.fields][:6]

    @login_required
    def view(request):
        rows = model_admin.get_queryset(request)
        if model_admin.list_select_related:
            rows = rows.select_related(*model_admin.list_select_related)
        return HttpResponse(template.render(Context({"rows": rows[: model_admin.list_per_page], "names": fields})))

    return view


def own_addresses(get_response):
    """Middleware that resolves addresses to the bare views."""

    def call(request):
        request.urlconf = URLS
        return get_response(request)

    return call


def clients(user):
    """A client of the site, and one of the bare views with sessions and authentication only."""
    from django.test import Client, override_settings

    site, bare = Client(HTTP_HOST="localhost"), Client(HTTP_HOST="localhost")
    for client in (site, bare):
        client.force_login(user)
    middleware = [
        "benchmarks.pages.own_addresses",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    with override_settings(MIDDLEWARE=middleware):
        bare.handler.load_middleware()
    site.handler.load_middleware()
    return site, bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--profile", help="a page: print where its time goes", default="")
    options = parser.parse_args()
    import psycopg

    server = prepare()
    try:
        with psycopg.connect(server.owner_url, autocommit=True) as owner:
            log("Loading rows")
            load(owner)
        _measure(options)
    finally:
        stop()


def _measure(options) -> None:
    import sys
    import types

    from django.contrib import admin
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.urls import path

    from groups.models import Member

    user = Member.objects.create_superuser("bench@example.org", display_name="Benchmark")
    site, bare = clients(user)
    admins = {str(model_admin.opts.model_name): model_admin for model_admin in admin.site._registry.values()}
    urls = types.ModuleType(URLS)
    urls.urlpatterns = [path(address[1:], bare_view(admins[address.split("/")[3]])) for address in LISTS.values()]
    sys.modules[URLS] = urls

    def cpu(client, address) -> float:
        started = time.process_time()
        response = client.get(address)
        took = time.process_time() - started
        assert response.status_code == 200, (address, response.status_code)
        return took

    weights, spent = [], []
    for name, address in {**LISTS, "review": REVIEW, "board": BOARD}.items():
        html = site.get(address).content
        with CaptureQueriesContext(connection) as queries:
            site.get(address)
        weight = weigh(html)
        weights.append((name, *(f"{value:,}" for value in weight.values()), len(queries)))
        pairs = []
        for turn in range(options.rounds + 2):
            ours = cpu(site, address)
            limit = cpu(bare, address) if address in LISTS.values() else 0
            if turn >= 2:
                pairs.append((ours, limit))
        row = [name, f"{statistics.median(ours for ours, _ in pairs) * 1000:.1f} ms"]
        if pairs[0][1]:
            ratios = sorted(ours / limit for ours, limit in pairs)
            row += [
                f"{statistics.median(limit for _, limit in pairs) * 1000:.1f} ms",
                f"{statistics.median(ratios):.1f}",
                f"{ratios[len(ratios) // 4]:.1f} to {ratios[-1 - len(ratios) // 4]:.1f}",
                "met" if statistics.median(ratios) <= MOST_TIMES else "missed",
            ]
        else:
            row += ["", "", "", ""]
        spent.append(tuple(row))
        if options.profile == name:
            profile = cProfile.Profile()
            profile.enable()
            for _ in range(options.rounds):
                site.get(address)
            profile.disable()
            pstats.Stats(profile).sort_stats("cumulative").print_stats(70)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    print(f"Load average {os.getloadavg()[0]:.1f}; CPU time, medians of {options.rounds} rounds in turn\n")
    table(spent, head=("page", "page", "bare view", "page/bare", "middle half", f"goal: at most {MOST_TIMES}"))
    print()
    table(weights, head=("page", "bytes", "on the wire", "nodes", "queries"))
    print(f"\nGoals: at most {MOST_BYTES:,} bytes on the wire for a list, {MOST_NODES:,} nodes on review and board.")


if __name__ == "__main__":
    main()
