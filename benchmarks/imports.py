"""Compare the import of members from CSV with django-import-export row by row and with a bare COPY.

    python -m benchmarks.imports [--scale 1.0] [--rounds 3] [--sample 2000]

--scale 1.0 is 100,000 people, each with an entry in the directory. One more line in a hundred is wrong, and has to be
reported with its number; the bare COPY, which stops at the first wrong line, gets only correct ones. It runs as the
owner of the tables, since PostgreSQL rejects COPY into a table with row-level security for the site's role.
django-import-export imports a sample; rows per second are compared.
"""

import argparse
import csv
import io
import random
import time
import uuid
from collections.abc import Callable, Iterator

from benchmarks.data import FIRST, LAST
from benchmarks.database import log, medians, prepare, stop, table, truncate

PEOPLE = 100_000
TABLES = ("members", "members_history", "community_members", "community_members_history", "events")
# The member who imports.
ACTOR = "00000000-0000-4000-8000-000000000001"
COLUMNS = (
    "email",
    "name",
    "trust_score",
    "telegram_id",
    "telegram_username",
    "primary_role",
    "organization",
    "country",
    "github_username",
)
ROLES = ("student", "developer", "designer", "researcher", "founder", "other")
ORGANISATIONS = ("", "", "Open Guild", "Future Labs", "Harbour School", "Northern Institute of Design")
COUNTRIES = ("Brazil", "Kenya", "Germany", "Japan", "Portugal", "India")
GOAL_ROW_BY_ROW = 120
GOAL_BARE = 0.5


# --- Data -------------------------------------------------------------------------------------


def people(size: int, *, seed: int = 1) -> Iterator[tuple[str, ...]]:
    """Yield generated people as rows of a file; the same seed gives the same people."""
    chance = random.Random(seed)
    for number in range(size):
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        handle = f"{name.lower().replace(' ', '.')}.{number}"
        yield (
            f"{handle}@example.org",
            name,
            str(int(chance.paretovariate(1.2) * 20) % 2_000),
            str(100_000_000 + number * 7),
            handle.replace(".", "_"),
            chance.choice(ROLES),
            chance.choice(ORGANISATIONS),
            chance.choice(COUNTRIES),
            handle.replace(".", "-"),
        )


def csv_file(rows: list[tuple[str, ...]], *, wrong: int = 0) -> bytes:
    """Return a CSV file of these rows, with the given number of wrong rows among them."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    every = len(rows) // wrong if wrong else 0
    for number, row in enumerate(rows):
        writer.writerow(row)
        if wrong and number % every == every - 1:
            writer.writerow(("no address", row[1], "-1", f"x{number}", *row[4:]))
    return text.getvalue().encode()


def copy_lines(rows: list[tuple[str, ...]], *, with_ids: bool) -> dict[str, bytes]:
    """Return the input of COPY by table. with_ids: including values that triggers assign."""
    lines = {"members": [], "community_members": [], "events": []}
    # Numbers beyond those of the sequences.
    for number, (email, name, score, telegram_id, *rest) in enumerate(rows, 10_000_000):
        telegram_name, role, organization, country, github = rest
        key, stable_id = uuid.uuid4(), f"FE-P-{number}"
        given = ("\t" + stable_id, f"\t#{number}") if with_ids else ("", "")
        lines["members"].append(f"{key}\t{email}\t{name}\t{score}{given[0]}\n")
        lines["community_members"].append(
            f"{key}\t{name}\t{telegram_id}\t{telegram_name}\t{role}\t{organization or chr(92) + 'N'}\t{country}"
            f"\t{github}\tpending{given[1]}\n"
        )
        payload = f'{{"stable_id": "{stable_id}", "number": "#{number}", "by": "import"}}'
        lines["events"].append(f"member.created\t{ACTOR}\t{key}\t{payload}\n")
    return {name: "".join(each).encode() for name, each in lines.items()}


# --- Methods ----------------------------------------------------------------------------------


def site_import(file: bytes, *, good: int, wrong: int, dry_run: bool = False) -> Callable[[], object]:
    """Return a run of this site's import that writes every error of every wrong line."""
    from groups.models import CommunityMember, Member
    from groups.services.imports import import_members

    def run() -> None:
        errors = io.BytesIO()
        report = import_members(file=io.BytesIO(file), actor=_actor(), skip_bad=True, errors_to=errors, dry_run=dry_run)
        counts = (report.lines, report.added + report.updated + report.unchanged, report.rejected, report.error_count)
        # Each wrong line has three errors.
        if counts != (good + wrong, good, wrong, 3 * wrong) or errors.getvalue().count(b"\n") != 3 * wrong + 1:
            raise SystemExit(f"Unexpected report: {str(report)[:500]}")
        if not dry_run and (Member.objects.count(), CommunityMember.objects.count()) != (good + 1, good):
            raise SystemExit("The number of members differs from the file.")

    return run


def bare_copy(owner, lines: dict[str, bytes], *, events: bool) -> Callable[[], object]:
    """Return a run of COPY into the tables, in one transaction."""
    targets = {
        "members": "members (id, email, display_name, trust_score{})",
        "community_members": "community_members (person_id, name, telegram_id, telegram_username, primary_role,"
        " organization, country, github_username, status{})",
        "events": "events (type, actor_id, member_id, payload)",
    }
    with_ids = lines["members"].split(b"\n", 1)[0].count(b"\t") == 4

    def run() -> None:
        with owner.transaction(), owner.cursor() as cursor:
            for name, target in targets.items():
                if name == "events" and not events:
                    continue
                target = target.format(", member_id" if with_ids else "")
                with cursor.copy(f"COPY {target} FROM STDIN") as copy:
                    for start in range(0, len(lines[name]), 1 << 17):
                        copy.write(lines[name][start : start + (1 << 17)])

    return run


def import_export(rows: list[tuple[str, ...]], *, validating: bool) -> Callable[[], object]:
    """Return a run of django-import-export row by row: the member, the entry and the event.

    validating: validate the models of each row, which is needed to report every wrong line.
    """
    from import_export import fields, resources
    from tablib import Dataset

    from groups.models import CommunityMember, Member
    from missionsite.common.audit.events import audit

    actor = None

    class Members(resources.ModelResource):
        display_name = fields.Field("display_name", "name")

        class Meta:
            model = Member
            fields = ("email", "display_name", "trust_score")
            import_id_fields = ("email",)
            clean_model_instances = validating
            skip_diff = True
            use_transactions = True

        def get_instance(self, instance_loader, row):
            # Uses the index on lower(email), which a plain lookup would not.
            try:
                return Member.objects.get_by_natural_key(row["email"])
            except Member.DoesNotExist:
                return None

        def after_save_instance(self, instance, row, **kwargs):
            instance.refresh_from_db(fields=["member_id"])
            entry = CommunityMember.objects.filter(person=instance).first()
            is_new = entry is None
            entry = entry or CommunityMember(person=instance, status="pending")
            entry.name = row["name"]
            for name in COLUMNS[3:]:
                setattr(entry, name, row[name] or None)
            if validating:
                entry.full_clean()
            entry.save()
            entry.refresh_from_db(fields=["member_id"])
            if is_new:
                audit(
                    "member.created",
                    actor=actor,
                    member=instance,
                    stable_id=instance.member_id,
                    number=entry.member_id,
                )

    def run() -> None:
        nonlocal actor
        actor = _actor()
        data = Dataset(*rows, headers=COLUMNS)
        result = Members().import_data(data, use_transactions=True, raise_errors=True)
        if result.totals["new"] != len(rows) or CommunityMember.objects.count() != len(rows):
            raise SystemExit(f"import-export made {result.totals}")

    return run


def _actor():
    from groups.models import Member

    return Member.objects.get(pk=ACTOR)


# --- Measuring --------------------------------------------------------------------------------


def clocked(
    owner, run: Callable[[], object], *, rows: int, into_empty: bool = True, triggers: bool = True
) -> Callable[[], float]:
    """Return a workload that measures rows per second. into_empty: empty the tables first."""

    def measure() -> float:
        if into_empty:
            empty(owner)
        switch_triggers(owner, on=triggers)
        started = time.perf_counter()
        run()
        took = time.perf_counter() - started
        switch_triggers(owner, on=True)
        return rows / took

    return measure


def empty(owner) -> None:
    """Empty the tables and create the member who imports."""
    from groups.models import Member

    truncate(owner.cursor(), *TABLES)
    Member.objects.create_superuser("bench@example.org", id=ACTOR, display_name="Benchmark")


def switch_triggers(owner, *, on: bool) -> None:
    for name in ("members", "community_members"):
        owner.execute(f"ALTER TABLE {name} {'ENABLE' if on else 'DISABLE'} TRIGGER USER")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 100,000 people")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sample", type=int, default=2_000, help="rows for django-import-export")
    options = parser.parse_args()
    server = prepare()
    import psycopg

    started = time.monotonic()
    size = round(PEOPLE * options.scale)
    rows = list(people(size))
    wrong = size // 100
    mixed = csv_file(rows, wrong=wrong)
    sample = rows[: options.sample]
    triggered, plain = copy_lines(rows, with_ids=False), copy_lines(rows, with_ids=True)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        log(f"Importing {size:,} people, {options.rounds} rounds after one for warming up")
        rates = medians(
            {
                "import": clocked(owner, site_import(mixed, good=size, wrong=wrong), rows=size),
                "import, again": clocked(
                    owner, site_import(mixed, good=size, wrong=wrong), rows=size, into_empty=False
                ),
                "copy": clocked(owner, bare_copy(owner, triggered, events=False), rows=size),
                "copy and events": clocked(owner, bare_copy(owner, triggered, events=True), rows=size),
                "copy without triggers": clocked(
                    owner, bare_copy(owner, plain, events=False), rows=size, triggers=False
                ),
                "row by row": clocked(owner, import_export(sample, validating=False), rows=len(sample)),
                "row by row, validating": clocked(owner, import_export(sample, validating=True), rows=len(sample)),
                "import, dry run": clocked(owner, site_import(mixed, good=size, wrong=wrong, dry_run=True), rows=size),
            },
            rounds=options.rounds,
        )
    stop()
    print(f"\n{size:,} people with their entries in the directory, from a file of {len(mixed) / 1e6:.1f} MB")
    table(
        [
            (NAMES[name].format(wrong=wrong, sample=len(sample)), f"{rate:,.0f}", f"{rates['import'] / rate:.2f}x")
            for name, rate in rates.items()
        ],
        head=("method", "people a second", "import/this"),
    )
    validating, plain_rows, bare = (
        rates["import"] / rates[method] for method in ("row by row, validating", "row by row", "copy")
    )
    print(
        f"\nGoals: {GOAL_ROW_BY_ROW} times row by row: {validating:.0f} where that reports wrong lines too,"
        f" {plain_rows:.0f} where it does not; {GOAL_BARE} of a bare COPY: {bare:.2f}."
    )
    print(f"Took {time.monotonic() - started:.0f} s.")


NAMES = {
    "import": "import, {wrong:,} wrong lines reported",
    "import, again": "import of the same file again",
    "copy": "bare COPY, triggers on",
    "copy and events": "bare COPY, triggers on, events copied too",
    "copy without triggers": "bare COPY, triggers off",
    "row by row": "django-import-export, sample of {sample:,}",
    "row by row, validating": "django-import-export, reporting wrong lines, sample of {sample:,}",
    "import, dry run": "import, dry run",
}


if __name__ == "__main__":
    main()
