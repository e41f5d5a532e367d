"""Secrets in the environment are read literally."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

SECRETS = ("SECRET_KEY", "GITHUB_TOKEN", "ENGAGEMENT_WEBHOOK_SECRET", "ENGAGEMENT_INBOUND_SECRETS")
SAY = "from django.conf import settings; print(*[getattr(settings, name) for name in {names}], sep='\\n')"


@pytest.mark.parametrize("secret", ["$fh#2", "$$", "\\$x", "a$b", "plain"])
def test_secrets_starting_with_dollar_are_literal(secret):
    done = subprocess.run(
        [sys.executable, "-c", SAY.format(names=SECRETS)],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "missionsite.settings", "DATABASE_URL": "postgres://a:b@localhost/c"}
        | dict.fromkeys(SECRETS, secret),
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert [line in (secret, f"[{secret!r}]") for line in done.stdout.split("\n")[:-1]] == [True] * len(SECRETS)
