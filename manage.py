#!/usr/bin/env python3
"""Run a management command; the embedded PostgreSQL is started first when no DATABASE_URL is set."""

import os
import sys

# Commands that need no server, or start it themselves.
OFFLINE = {
    "--help",
    "--version",
    "-h",
    "collectstatic",
    "demo",
    "help",
    "makemessages",
    "compilemessages",
    "postgres",
    "version",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missionsite.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        sys.exit(f"{error}. Run bin/demo or bin/test once: they install what is needed into .venv.")
    if len(sys.argv) > 1 and sys.argv[1] not in OFFLINE:
        from missionsite import embedded

        embedded.start_if_default()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the output has seen enough, as `head` has; nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
