"""Lists of the back office beside stock Django admin on the same rows, in the same run.

`python -m benchmarks.admin_lists --scale 1.0` makes the database bench_admin_lists as the owner, fills it (1,000,000
memberships at scale 1), asks each page through Django's own request handling, prints medians and ratios against the
goals, and drops the database. Ends with 1 where a goal is missed.
"""

import argparse
import os
import statistics
import sys
import time

DATABASE = "bench_admin_lists"
ROUNDS = 9
PER_PAGE = 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0 is 1,000,000 memberships")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--keep", action="store_true", help="leave the database there, and use it if it is")
    options = parser.parse_args()
    _set_up_django()
    there = _create(options.keep)
    try:
        if not there:
            _fill(options.scale)
        return _measure(options.rounds, options.scale)
    finally:
        if not options.keep:
            _drop()


def _set_up_django() -> None:
    """Django on the benchmark's database; without DATABASE_URL the embedded server is started."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missionsite.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    from missionsite import embedded

    embedded.start_if_default()
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = DATABASE
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
    settings.DEBUG = False
    if settings.DATABASE_OWNER:
        settings.DATABASE_OWNER["NAME"] = DATABASE
    django.setup()


def _owner(name: str):
    """A psycopg connection as the owner; autocommit, so that databases can be made."""
    import psycopg
    from django.conf import settings

    owner = settings.DATABASE_OWNER or settings.DATABASES["default"]
    return psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=name,
        autocommit=True,
    )


def _create(keep: bool) -> bool:
    """Make the database; whether it was kept from an earlier run instead."""
    with _owner("postgres") as connection:
        there = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if there is not None and keep:
            return True
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    return False


def _drop() -> None:
    from django.db import connections

    connections.close_all()
    with _owner("postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _fill(scale: float) -> None:
    from django.core.management import call_command

    from benchmarks.data import Sizes, load
    from groups.models import Member

    call_command("migrate", verbosity=0)
    with _owner(DATABASE) as connection:
        connection.autocommit = False
        load(connection, Sizes().scaled(scale), log=lambda words: print(f"loading {words}", file=sys.stderr))
    Member.objects.create_superuser("bench@example.org", display_name="Benchmark")


def _sites():
    """The site's own pages, and stock ones as somebody would write them on a first day."""
    from django.contrib import admin

    from groups.admin.memberships import MembershipAdmin
    from groups.models import Membership

    class StockMembershipAdmin(admin.ModelAdmin):
        list_display = ("member", "group", "role", "joined_at", "left_at", "status")
        list_filter = ("status",)
        search_fields = ("member__member_id", "member__email", "member__display_name", "group__name")
        date_hierarchy = "joined_at"
        list_per_page = PER_PAGE
        raw_id_fields = ("member", "group")
        list_select_related = ("member", "group")

    ours = admin.site._registry[Membership]
    assert type(ours) is MembershipAdmin
    # The same rows a page on both sides.
    ours.list_per_page = PER_PAGE
    return ours, StockMembershipAdmin(Membership, admin.AdminSite(name="admin"))


def _measure(rounds: int, scale: float) -> int:
    from django.db.models import Count

    from groups.models import Member, Membership

    ours, stock = _sites()
    user = Member.objects.get(email="bench@example.org")
    # Somebody with as many stays as the average member; the busiest fill a page of their own.
    average = round(Membership.objects.count() / Member.objects.count())
    sample = Member.objects.filter(memberships__isnull=False).order_by("pk").values("pk")[:2_000]
    member = Member.objects.annotate(stays=Count("memberships")).filter(pk__in=sample, stays=average)[0]
    prefix = member.email.partition(".")[0]
    deep = max(2, round(10_000 * scale))
    pages = {
        "page 1": {},
        f"page {deep:,}": {"p": deep},
        "middle page": {"p": deep // 2},
        "search a stable ID": {"q": member.member_id},
        "search an e-mail": {"q": member.email},
        "search a first name": {"q": prefix},
        "filter: left": {"status__exact": "left"},
    }
    times = {name: ([], []) for name in pages}
    for turn in range(rounds + 1):
        for name, query in pages.items():
            # Stock searches take seconds: fewer rounds tell as much.
            slow = name.startswith("search") and turn > 3
            for side, model_admin in enumerate((ours, stock)):
                if side == 1 and slow:
                    continue
                elapsed = _ask(model_admin, user, query)
                if turn:  # The first one warms caches on both sides.
                    times[name][side].append(elapsed)
    medians = {name: [statistics.median(side) * 1000 for side in sides] for name, sides in times.items()}
    print(f"{Membership.objects.count():,} memberships, {PER_PAGE} rows a page, medians of {rounds} rounds in ms\n")
    print(f"{'':24}{'ours':>10}{'stock':>12}{'stock/ours':>13}")
    for name, (mine, theirs) in medians.items():
        print(f"{name:24}{mine:10.1f}{theirs:12.1f}{theirs / mine:12.1f}x")
    first, last = medians["page 1"], medians[f"page {deep:,}"]
    search = medians["search a stable ID"]
    goals = [
        ("search a stable ID, stock/ours", search[1] / search[0], 200, True),
        (f"page {deep:,} / page 1", last[0] / first[0], 1.5, False),
        ("page 1, ours/stock", first[0] / first[1], 0.2, False),
    ]
    print()
    for name, value, goal, at_least in goals:
        met = value >= goal if at_least else value <= goal
        print(f"{name:36}{value:8.2f}   goal {'>=' if at_least else '<='} {goal:<6} {'met' if met else 'MISSED'}")
    if scale < 1:
        print("\nThe goals are meant for scale 1.0.")
        return 0
    return 0 if all((v >= g) if more else (v <= g) for _, v, g, more in goals) else 1


def _ask(model_admin, user, query: dict) -> float:
    """Seconds one list page takes, from request to rendered bytes."""
    from django.contrib.messages.storage.cookie import CookieStorage
    from django.test import RequestFactory

    request = RequestFactory().get("/admin/groups/membership/", query)
    request.user = user
    request.session = {}
    request._messages = CookieStorage(request)
    request.resolver_match = None
    started = time.perf_counter()
    response = model_admin.changelist_view(request)
    if hasattr(response, "render"):
        response.render()
    elapsed = time.perf_counter() - started
    if response.status_code != 200:
        raise SystemExit(f"{type(model_admin).__name__} answered {response.status_code} to {query}")
    return elapsed


if __name__ == "__main__":
    sys.exit(main())
