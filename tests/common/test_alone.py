"""Tests that share their PostgreSQL with no others, on a server of their own."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

pytestmark = pytest.mark.long


def test_tests_marked_alone_pass(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "alone", "tests/common"],
        cwd=settings.BASE_DIR,
        env=kept | {"MISSIONSITE_VAR_DIR": str(tmp_path / "var")},
        capture_output=True,
        text=True,
        timeout=570,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
