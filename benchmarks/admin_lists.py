"""Compare lists of the back office with stock Django admin on the same rows, in the same run.

    python -m benchmarks.admin_lists [--scale 1.0]

Fills the benchmarks' own database (1,000,000 memberships at scale 1), requests each page through Django's request
handling, prints medians and ratios beside the goals. Exits with 1 when a goal is missed.
"""

import argparse
import statistics
import sys
import time
from copy import copy

from benchmarks.database import log, prepare, stop

ROUNDS = 9
PER_PAGE = 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0 is 1,000,000 memberships")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    server = prepare()
    try:
        _fill(server.owner_url, options.scale)
        return _measure(options.rounds, options.scale)
    finally:
        stop()


def _fill(owner_url: str, scale: float) -> None:
    import psycopg

    from benchmarks.data import Sizes, load
    from groups.models import Member

    with psycopg.connect(owner_url) as connection:
        load(connection, Sizes().scaled(scale), progress=lambda text: log(f"Loading {text}"))
    Member.objects.create_superuser("bench@example.org", display_name="Benchmark")


def _sites():
    """Return the site's admin class and a plain one for the same model."""
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

    registered = admin.site._registry[Membership]
    assert type(registered) is MembershipAdmin
    current = copy(registered)
    # Both show the same number of rows.
    current.list_per_page = PER_PAGE
    return current, StockMembershipAdmin(Membership, admin.AdminSite(name="admin"))


def _measure(rounds: int, scale: float) -> int:
    from django.db.models import Count

    from groups.models import Member, Membership

    current, stock = _sites()
    user = Member.objects.get(email="bench@example.org")
    # A member with the average number of memberships; the busiest fill a page of their own.
    average = round(Membership.objects.count() / Member.objects.count())
    sample = Member.objects.filter(memberships__isnull=False).order_by("pk").values("pk")[:2_000]
    member = Member.objects.annotate(number=Count("memberships")).filter(pk__in=sample, number=average)[0]
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
            # Stock searches take seconds: fewer rounds are enough.
            slow = name.startswith("search") and turn > 3
            for side, model_admin in enumerate((current, stock)):
                if side == 1 and slow:
                    continue
                elapsed = _request_list(model_admin, user, query)
                if turn:  # The first round fills caches on both sides.
                    times[name][side].append(elapsed)
    medians = {name: [statistics.median(side) * 1000 for side in sides] for name, sides in times.items()}
    print(f"{Membership.objects.count():,} memberships, {PER_PAGE} rows per page, medians of {rounds} rounds in ms\n")
    print(f"{'':24}{'current':>10}{'stock':>12}{'stock/current':>13}")
    for name, (current_ms, stock_ms) in medians.items():
        print(f"{name:24}{current_ms:10.1f}{stock_ms:12.1f}{stock_ms / current_ms:12.1f}x")
    first, last = medians["page 1"], medians[f"page {deep:,}"]
    search = medians["search a stable ID"]
    goals = [
        ("search a stable ID, stock/current", search[1] / search[0], 200, True),
        (f"page {deep:,} / page 1", last[0] / first[0], 1.5, False),
        ("page 1, current/stock", first[0] / first[1], 0.2, False),
    ]
    print()
    for name, value, goal, at_least in goals:
        met = value >= goal if at_least else value <= goal
        print(f"{name:36}{value:8.2f}   goal {'>=' if at_least else '<='} {goal:<6} {'met' if met else 'MISSED'}")
    if scale < 1:
        print("\nThe goals are meant for scale 1.0.")
        return 0
    return 0 if all((v >= g) if more else (v <= g) for _, v, g, more in goals) else 1


def _request_list(model_admin, user, query: dict) -> float:
    """Return the seconds from request to rendered bytes of one list page."""
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
