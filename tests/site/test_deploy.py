"""The files under deploy/: what they name exists, and agrees with the code and with each other."""

import json
import re
import shlex
import shutil
import subprocess

import pytest
from django.conf import settings
from prometheus_client import generate_latest

from missionsite import metrics
from missionsite.common.metrics import _registry as registry
from missionsite.demo.services import web_command

DEPLOY = settings.BASE_DIR / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def granian_options(text: str) -> dict[str, str]:
    """The options of a granian command, by name, without those that differ by place."""
    words, found = shlex.split(text), {}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("--") and word not in ("--host", "--port"):
            found[word] = "" if following.startswith("--") else following
    return found


@pytest.mark.django_db
def test_dashboard_uses_metrics_that_exist():
    page = generate_latest(registry).decode()
    computed = {metric.name for metric in metrics.collect()}
    known = {*re.findall(r"^# TYPE (\w+)", page, re.MULTILINE), *computed}
    used = set(re.findall(r"missionsite_\w+", (DEPLOY / "grafana.json").read_text()))
    assert {re.sub(r"_bucket$", "", each) for each in used} <= known
    # And all that is computed is shown.
    assert computed <= used


def test_dashboard_has_panels_with_queries():
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    assert len(dashboard["panels"]) == 17
    assert all(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])


def test_web_command_is_the_same_everywhere():
    unit = re.search(r"^ExecStart=(.*)", (DEPLOY / "systemd/missionsite-web.service").read_text(), re.MULTILINE)[1]
    image = re.search(r'CMD (\["granian".*?\])', (DEPLOY / "Dockerfile").read_text(), re.DOTALL)[1]
    of_unit = granian_options(unit)
    assert granian_options(shlex.join(json.loads(image.replace("\\\n", "")))) == of_unit
    readme = re.search(r"`(\.venv/bin/granian .*?)`", (settings.BASE_DIR / "README.md").read_text())[1]
    # The README and the demo have no limits of memory and life.
    limits = {"--workers-max-rss": "512", "--workers-lifetime": "24h"}
    assert granian_options(readme) | limits == of_unit
    demo = granian_options(shlex.join(web_command(8000)[2:]))
    assert demo | limits | {"--workers-kill-timeout": "10"} == of_unit


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit_is_hardened(unit):
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=15", str(unit)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-500:] + found.stderr


def test_settings_of_deploy_files_exist():
    """Every variable that an example sets is one of the site or of the roles."""
    known = set(re.findall(r"^#? ?([A-Z_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE))
    known |= {
        "OWNER_PASSWORD",
        "APP_PASSWORD",
        "BACKUP_PASSWORD",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONUNBUFFERED",
    }
    texts = [(DEPLOY / "compose.env.example").read_text()]
    texts += [line for unit in UNITS for line in unit.read_text().splitlines() if line.startswith("Environment=")]
    used = {name for text in texts for name in re.findall(r"(?:^|[ =])([A-Z_]{4,})=", text, re.MULTILINE)}
    assert used <= known, used - known


@pytest.mark.parametrize("script", ["build.sh", "database.sh"])
def test_shell_script_is_valid(script):
    assert subprocess.run(["sh", "-n", str(DEPLOY / script)]).returncode == 0


def test_tls_of_the_sample_is_recent():
    text = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"ssl_protocols (.*);", text) == ["TLSv1.2 TLSv1.3"]
    [ciphers] = re.findall(r"ssl_ciphers (.*);", text)
    assert all(
        re.fullmatch(r"ECDHE-(ECDSA|RSA)-(AES\d+-GCM-SHA\d+|CHACHA20-POLY1305)", each) for each in ciphers.split(":")
    )


def test_image_leaves_out_repository_and_secrets():
    left_out = (settings.BASE_DIR / ".dockerignore").read_text().split()
    assert {".git", ".env", "var", "deploy/compose.env", "deploy/tls"} <= set(left_out)
    assert "rm -rf /opt/missionsite/tests" in (DEPLOY / "Dockerfile").read_text()
