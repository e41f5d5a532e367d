"""Reads settings from the environment or a `.env` file, for `missionsite.settings` and the `conf.py` of an app."""

import json
import os
from collections.abc import MutableMapping
from datetime import time, timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.dateparse import parse_duration, parse_time

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")

# Secrets that may be in a file instead, as those of containers are: NAME_FILE names the file of NAME.
SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_DIRECT_URL",
    "DATABASE_REPLICA_URL",
    "DATABASE_BACKUP_URL",
    "EMAIL_URL",
    "ANYMAIL",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "GITHUB_CLIENT_SECRET",
    "OIDC_CLIENT_SECRET",
    "METRICS_TOKEN",
    "DOCUMENTS_OPTIONS",
)


def read_secret_files(environment: MutableMapping[str, str]) -> None:
    """Set each secret to the content of its file, without the line end. Raises ImproperlyConfigured."""
    for name in SECRETS:
        path = environment.get(f"{name}_FILE")
        if not path:
            continue
        if environment.get(name):
            raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
        try:
            environment[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}.") from error


read_secret_files(os.environ)
VAR_DIR = Path(env.str("MISSIONSITE_VAR_DIR", default=str(BASE_DIR / "var")))
# Without DATABASE_URL the site runs on its own embedded PostgreSQL: the default for trying and developing.
EMBEDDED = not env.str("DATABASE_URL", default="")


def secret(name: str) -> str:
    """Return a secret unchanged: env.str would treat a value that starts with $ as the name of another variable."""
    return os.environ.get(name, "")


def duration(name: str, default: str) -> timedelta:
    """Return a duration, written as ISO 8601 (P14D, PT48H) or as days and a time (14 00:00:00)."""
    text = env.str(name, default=default)
    length = parse_duration(text)
    if length is None or length < timedelta(0):
        raise ImproperlyConfigured(f"{name} must be a duration such as {default}, not {text!r}.")
    return length


def time_of_day(name: str, default: str) -> time:
    """Return a time of day, written as HH:MM."""
    text = env.str(name, default=default)
    value = parse_time(text)
    if value is None:
        raise ImproperlyConfigured(f"{name} must be a time of day such as {default}, not {text!r}.")
    return value


def json_object(name: str) -> dict:
    """Return a JSON object; it may contain secrets, so an error does not show the value."""
    try:
        value = json.loads(secret(name) or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f"{name} must be a JSON object.")
    return value
