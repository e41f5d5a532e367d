"""Write the test data of a release, once, when it is made: a dump of a seeded database and a digest of each migration.

The version is that of pyproject.toml. Rows get new IDs and dates with every run, so a released dump is not made again.
"""

# ruff: noqa: T201 - it prints results

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from missionsite import embedded  # noqa: E402
from missionsite.embedded import files  # noqa: E402
from missionsite.embedded.cluster import SUPERUSER, Cluster  # noqa: E402

DATA = CHECKOUT / "tests" / "data"
NAME = "missionsite"


def main() -> None:
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    folder = embedded.var_dir() / "dump-release"
    os.environ |= {
        "DATABASE_URL": "",
        "MISSIONSITE_VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "missionsite.settings",
    }
    try:
        server = embedded.start(folder)
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        from tests.support.releases import migration_digests

        call_command("migrate", verbosity=0)
        call_command("loaddata", "seeds", verbosity=0)
        connections.close_all()
        DATA.mkdir(exist_ok=True)
        dump = DATA / f"missionsite-{version}.sql.gz"
        # Without a time in the header: equal dumps are equal files.
        dump.write_bytes(gzip.compress(dump_of(folder, server).encode(), mtime=0))
        digests = DATA / f"migrations-{version}.json"
        digests.write_text(json.dumps(migration_digests(), indent=2) + "\n")
        print(f"Wrote {dump.relative_to(CHECKOUT)} ({dump.stat().st_size:,} bytes), {digests.relative_to(CHECKOUT)}")
    finally:
        embedded.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


def dump_of(folder: Path, server: embedded.Server) -> str:
    """Return the database as SQL that any supported version of PostgreSQL reads.

    Dumped by the superuser: forced row security stops a dump by the owner.
    """
    password = files.read_private(Cluster(folder).superuser_file)
    done = subprocess.run(  # noqa: S603 - the server's own program
        [embedded.psql_path().with_name("pg_dump"), "-h", "127.0.0.1", "-p", str(server.port), "-U", SUPERUSER, NAME],
        env={"PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=True,
    )
    # Of newer versions: a random word against injected commands, and a setting that older servers do not know.
    return re.sub(r"^(\\(un)?restrict .*|SET transaction_timeout = 0;)\n", "", done.stdout, flags=re.MULTILINE)


if __name__ == "__main__":
    main()
