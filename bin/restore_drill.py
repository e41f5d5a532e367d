"""Rehearse a restore: back up one cluster, restore into a fresh one, and compare.

The source has the example data, documents, and people with a canary in their texts: one erased before the backup, two
after it, one of them staff until then. The target is a new cluster with nothing but the roles. Checked: rows,
sequences, constraints, indexes, policies, triggers, functions and privileges are equal; the mission schema and the
database checks pass; the record of events takes no change; a member sees only what row security shows; no canary of an
erased person is in the database or the documents; the site serves a page and a job can be queued. Controls: the same
restore without the list of erasures has the canaries, and a damaged backup and a used database are rejected. Prints
PASS or FAIL for each.
"""

# ruff: noqa: S603, T201 - it runs commands of the site and prints results

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
CANARY = "kanarie"

from missionsite import embedded  # noqa: E402

# Runs in the source, as `manage.py shell` would.
PREPARE = """
from groups.models import CommunityMember, Member
from groups.services.erasure import erase
from missionsite.common import documents
from tests.support.factories.groups import EntryFactory, MemberFactory
words = {words}
for word in words:
    member = MemberFactory(display_name=f"{canary} {{word}}", email=f"{canary}-{{word}}@example.org")
    EntryFactory(person=member, name=f"{canary} {{word}}", telegram_username=f"{canary}_{{word}}")
for number in range(20):
    documents.write(f"reports/{{number}}.md", b"# A report" * number)
Member.objects.filter(display_name="{canary} staff").update(is_staff=True)
"""
ERASE = """
from groups.models import CommunityMember, Member
from groups.services.erasure import erase
Member.objects.filter(display_name="{canary} {word}").update(is_staff=False)
erase(actor=Member.objects.system(), entry=CommunityMember.objects.get(telegram_username="{canary}_{word}"))
"""
MEMBER_VIEW = """
from django.db import transaction
from groups.models import Membership
from missionsite.common.roles import member_session
member = Membership.objects.order_by("pk").first().member_id
with transaction.atomic(), member_session(member):
    own = Membership.objects.count()
assert 0 < own < Membership.objects.count(), (own, Membership.objects.count())
"""


class Drill:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results: list[bool] = []
        self.backups = folder / "backups"

    def check(self, passed: bool, text: str) -> None:
        self.results.append(passed)
        print(f"{time.strftime('%H:%M:%S')} {'PASS' if passed else 'FAIL'} {text}", flush=True)

    def manage(self, name: str, *arguments: str) -> subprocess.CompletedProcess:
        """Run a command of the site on the cluster of this name."""
        environment = os.environ | {
            "DATABASE_URL": "",
            "MISSIONSITE_VAR_DIR": str(self.folder / name),
            "SECRET_KEY": "of-the-drill",
            "LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, str(CHECKOUT / "manage.py"), *arguments]
        return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)

    def must(self, name: str, *arguments: str) -> str:
        """The output of a command that must succeed."""
        done = self.manage(name, *arguments)
        if done.returncode:
            sys.exit(f"manage.py {arguments[0]} failed on {name}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def text(self, name: str) -> str:
        """All of the database as SQL, and all documents."""
        program = embedded.psql_path().with_name("pg_dump")
        _, owner_url = embedded.urls(self.folder / name)
        user, password = embedded.superuser(self.folder / name)
        environment = os.environ | {"PGPASSWORD": password}
        target = owner_url.partition("@")[2]
        dumped = subprocess.run(
            [program, f"--dbname=postgres://{user}@{target}"], env=environment, capture_output=True, check=True
        ).stdout
        documents = [each.read_bytes() for each in (self.folder / name / "documents").rglob("*") if each.is_file()]
        return b"\n".join([dumped, *documents]).decode(errors="replace").lower()

    def target(self, name: str) -> None:
        """Start a fresh cluster with nothing but the roles and an empty database."""
        embedded.remove(self.folder / name)
        embedded.start(self.folder / name)


def main() -> int:
    folder = embedded.var_dir().absolute() / "restore-drill"
    drill = Drill(folder)
    for name in ("source", "target", "control"):
        embedded.remove(folder / name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        rehearse(drill)
    finally:
        for name in ("source", "target", "control"):
            embedded.remove(folder / name)
    if all(drill.results):
        shutil.rmtree(folder)
    passed = sum(drill.results)
    print(f"{passed} passed, {len(drill.results) - passed} failed")
    return 0 if all(drill.results) else 1


def rehearse(drill: Drill) -> None:
    check, must = drill.check, drill.must
    must("source", "migrate", "--verbosity", "0")
    must("source", "loaddata", "seeds", "--verbosity", "0")
    must("source", "shell", "-c", PREPARE.format(canary=CANARY, words=["before", "after", "staff", "kept"]))
    must("source", "shell", "-c", ERASE.format(canary=CANARY, word="before"))
    first = Path(must("source", "backup", str(drill.backups)).strip())
    manifest = json.loads((first / "manifest.json").read_text())
    for word in ("after", "staff"):
        must("source", "shell", "-c", ERASE.format(canary=CANARY, word=word))
    second = Path(must("source", "backup", str(drill.backups / "newer")).strip())

    drill.target("target")
    began = time.monotonic()
    done = drill.manage("target", "restore", str(first), "--erasures-of", str(second))
    rows, objects = manifest["database"]["rows"], manifest["database"]["objects"]
    kinds = {kind: sum(name.startswith(f"{kind} ") for name in objects) for kind in _KINDS}
    counted = ", ".join(f"{number} {_KINDS[kind]}" for kind, number in kinds.items())
    equal = f"{sum(rows.values())} rows in {len(rows)} tables, {len(manifest['database']['sequences'])} sequences, "
    equal += f"{counted} and {manifest['documents']} documents are equal"
    check(done.returncode == 0, f"restored in {time.monotonic() - began:.1f} s: {equal}{_error(done)}")
    check(
        "2 of these people are erased again" in done.stdout, "the two people erased after the backup are erased again"
    )

    def succeeds(text: str, *arguments: str) -> None:
        done = drill.manage("target", *arguments)
        check(done.returncode == 0, f"{text}{_error(done)}")

    succeeds("migrations are applied", "migrate", "--check")
    succeeds("the mission schema is valid (validate_missions)", "validate_missions")
    succeeds(
        "roles and connections are as they must be (check)",
        *("check", "--database", "default", "--fail-level", "WARNING"),
    )
    succeeds("a member sees some memberships and not all", "shell", "-c", MEMBER_VIEW)
    rejected = "from django.db import connection; connection.cursor().execute(\"UPDATE events SET payload = '{}'\")"
    done = drill.manage("target", "shell", "-c", rejected)
    check("permission denied" in done.stderr, "the record of events takes no change")
    text = drill.text("target")
    for word in ("before", "after", "staff"):
        found = text.count(f"{CANARY} {word}") + text.count(f"{CANARY}_{word}") + text.count(f"{CANARY}-{word}")
        check(not found, f"canaries of the person erased {_WHEN[word]}: {found}")
    check(f"{CANARY} kept" in text, "the person who was not erased is there")
    page = (
        "from django.test import Client; assert Client(headers={'host': 'localhost'}).get('/login/').status_code == 200"
    )
    succeeds("the site serves a page", "shell", "-c", page)
    deferred = "from missionsite.common.tasks import prune_request_counts as task; task.defer(timestamp=0)"
    succeeds("a job can be queued", "shell", "-c", deferred)

    drill.target("control")
    done = drill.manage("control", "restore", str(first))
    text = drill.text("control")
    check(f"{CANARY} after" in text, f"control: without the list of erasures the canary is there{_error(done)}")
    done = drill.manage("control", "restore", str(first))
    check("Restore into an empty one" in done.stderr, "control: a database with tables is rejected")
    with open(first / "database.dump", "r+b") as file:
        file.seek(1000)
        file.write(b"damaged")
    done = drill.manage("control", "restore", str(first))
    check("is damaged" in done.stderr, "control: a damaged backup is rejected")


_KINDS = {
    "constraint": "constraints",
    "index": "indexes",
    "policy": "policies",
    "trigger": "triggers",
    "function": "functions",
}
_WHEN = {"before": "before the backup", "after": "after it", "staff": "after it, staff in the backup"}


def _error(done: subprocess.CompletedProcess) -> str:
    return f"\n{done.stdout}{done.stderr}" if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
