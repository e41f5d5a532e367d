"""Settings of the site, read from the environment (or a `.env` file) with django-environ.

Every setting that may be changed from outside is listed in `.env.example`.
"""

import os
from datetime import time, timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.dateparse import parse_duration, parse_time

from missionsite import embedded
from missionsite.unfold import UNFOLD  # noqa: F401

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")

# --- Where things are -------------------------------------------------------------------------

VAR_DIR = Path(env.str("MISSIONSITE_VAR_DIR", default=str(BASE_DIR / "var")))
# Without DATABASE_URL the site runs on its own embedded PostgreSQL: the default for trying and developing.
EMBEDDED = not env.str("DATABASE_URL", default="")

# --- Security ---------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)


def _secret(name: str) -> str:
    """A secret as it is written: env.str would take one that begins with $ for the name of another variable."""
    return os.environ.get(name, "")


def _secret_key() -> str:
    """The configured key; embedded, a random one kept in `var/` with mode 0600."""
    if key := _secret("SECRET_KEY"):
        return key
    if not EMBEDDED:
        raise ImproperlyConfigured("Set SECRET_KEY: see .env.example for how to make one.")
    return embedded.secret(VAR_DIR, "secret_key", get_random_secret_key)


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
# Both bind every other site below the domain; off until asked for.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
if env.bool("TRUST_X_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Networks of the proxies before the site; X-Forwarded-For is read from these alone. `unix`: one on a Unix socket.
TRUSTED_PROXIES = [each.strip() for each in env.list("TRUSTED_PROXIES", default=[]) if each.strip()]
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("DATA_UPLOAD_MAX_MEMORY_SIZE", default=2_621_440)
DATA_UPLOAD_MAX_NUMBER_FIELDS = env.int("DATA_UPLOAD_MAX_NUMBER_FIELDS", default=2_000)
# Some tools write a test report for each class.
DATA_UPLOAD_MAX_NUMBER_FILES = env.int("DATA_UPLOAD_MAX_NUMBER_FILES", default=1_000)

# --- Applications -----------------------------------------------------------------------------

INSTALLED_APPS = [
    "missionsite.apps.MissionsiteConfig",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "ninja",
    "missionsite.common",
    "missionsite.portal",
    "groups",
    "fallback",
    "engagement",
    "missiondeck",
]
MIDDLEWARE = [
    "missionsite.common.middleware.RequestIdMiddleware",
    "missionsite.common.content_policy.ContentPolicyMiddleware",
    "missionsite.common.api.problems.ProblemMiddleware",
    "missionsite.common.middleware.PageMethodsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # After static files, which are compressed once and for all; before all that reads or writes a page.
    "missionsite.common.compression.CompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "missionsite.common.middleware.CleanInputMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "missionsite.portal.history.SecretFreeHistoryMiddleware",
]
ROOT_URLCONF = "missionsite.urls"
WSGI_APPLICATION = "missionsite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "missionsite" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database ---------------------------------------------------------------------------------


def _database(url: str) -> dict:
    return env.db_url_config(url) | {
        "ENGINE": "django.db.backends.postgresql",
        # A new connection costs three times the request it serves.
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"SERIALIZE": False},
    }


_app_url, _owner_url = (
    embedded.urls(VAR_DIR) if EMBEDDED else (env.str("DATABASE_URL"), env.str("DATABASE_OWNER_URL", default=""))
)
# The site and its workers connect as a role that owns nothing.
DATABASES = {"default": _database(_app_url)}
# `migrate` and the other commands that change the schema connect as the owner. None: a single-role hosting.
DATABASE_OWNER = _database(_owner_url) if _owner_url else None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "groups.Member"
# E-mail is unique by an index on lower(email), which this check does not see. The others ask for HSTS beyond this
# site, which is the operator's decision: SECURE_HSTS_INCLUDE_SUBDOMAINS, SECURE_HSTS_PRELOAD.
SILENCED_SYSTEM_CHECKS = ["auth.E003", "security.W005", "security.W021"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- Language and time ------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
# Named here and not left to its app: its words go before those Django has for its own pages.
LOCALE_PATHS = [BASE_DIR / "missionsite" / "portal" / "locale"]
FORMAT_MODULE_PATH = ["missionsite.formats"]
USE_TZ = True

# --- Static files -----------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
if EMBEDDED:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "missionsite" / "static"]
# Embedded, files are served from where they lie; in production `collectstatic` hashes and compresses them.
WHITENOISE_USE_FINDERS = EMBEDDED
# Documents the site keeps: a folder, or with DOCUMENTS_BACKEND any other storage of Django with its options.
DOCUMENTS_ROOT = Path(env.str("DOCUMENTS_ROOT", default=str(VAR_DIR / "documents")))
DOCUMENTS_BACKEND = env.str("DOCUMENTS_BACKEND", default="")
STORAGES = {
    "documents": {"BACKEND": DOCUMENTS_BACKEND, "OPTIONS": env.json("DOCUMENTS_OPTIONS", default={})}
    if DOCUMENTS_BACKEND
    else {"BACKEND": "missionsite.common.documents.LocalDocuments", "OPTIONS": {"location": DOCUMENTS_ROOT}},
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Mail -------------------------------------------------------------------------------------

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
# Who e-mail to members is from.
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Community <community@localhost>")

# --- History ----------------------------------------------------------------------------------

PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")

# --- Community directory ----------------------------------------------------------------------

INVITATION_DAYS = env.int("INVITATION_DAYS", default=3)
# Invitations in one member's name in 24 hours: made by themselves, and by staff who may invite many.
INVITATIONS_PER_DAY = env.int("INVITATIONS_PER_DAY", default=20)
INVITATIONS_PER_DAY_BY_STAFF = env.int("INVITATIONS_PER_DAY_BY_STAFF", default=500)
# Wrong invitation codes from one network in a minute, and registrations tried with one code; 0 is no limit.
JOIN_ATTEMPTS_PER_MINUTE = env.int("JOIN_ATTEMPTS_PER_MINUTE", default=10)
# Wrong passwords from one network in a minute for one account, and six times as many for all accounts; 0 is no limit.
LOGIN_ATTEMPTS_PER_MINUTE = env.int("LOGIN_ATTEMPTS_PER_MINUTE", default=5)
# Points a member earns for taking part, by what it was; a voice minute counts as one VOICE. At most so many a day.
PARTICIPATION_POINTS = {
    "MESSAGE": env.int("POINTS_PER_MESSAGE", default=1),
    "REACTION": env.int("POINTS_PER_REACTION", default=1),
    "VOICE": env.int("POINTS_PER_VOICE_MINUTE", default=1),
    "ACTION": env.int("POINTS_PER_ACTION", default=5),
    "JOIN": 0,
    "LEAVE": 0,
}
PARTICIPATION_POINTS_PER_DAY = env.int("PARTICIPATION_POINTS_PER_DAY", default=50)
# Where GitHub's REST API answers; a token raises what it allows in an hour. Seconds for one verification.
GITHUB_API_URL = env("GITHUB_API_URL", default="https://api.github.com")
GITHUB_TOKEN = _secret("GITHUB_TOKEN")
GITHUB_TIMEOUT = env.int("GITHUB_TIMEOUT", default=20)
# Bytes of a file of members to import.
IMPORT_BYTES = env.int("IMPORT_BYTES", default=50 * 1024 * 1024)
# A test report, and the output beside it, at most.
DECK_REPORT_BYTES = env.int("DECK_REPORT_BYTES", default=100 * 1024 * 1024)
DECK_LOGS_BYTES = env.int("DECK_LOGS_BYTES", default=60 * 1024 * 1024)

# --- Engagement -------------------------------------------------------------------------------


def _duration(name: str, default: str) -> timedelta:
    """A duration as ISO 8601 has it (P14D, PT48H), or as days and a clock (14 00:00:00)."""
    text = env.str(name, default=default)
    length = parse_duration(text)
    if length is None or length < timedelta(0):
        raise ImproperlyConfigured(f"{name} is a duration such as {default}, not {text!r}.")
    return length


def _hour(name: str, default: str) -> time:
    text = env.str(name, default=default)
    hour = parse_time(text)
    if hour is None:
        raise ImproperlyConfigured(f"{name} is a time of day such as {default}, not {text!r}.")
    return hour


# Where this site is reached from outside: the beginning of links in messages and of addresses of invitations.
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
# How long a member is quiet before the goodbye, how long it waits for an answer, and how long "busy" is left alone.
ENGAGEMENT_INACTIVE_AFTER = _duration("ENGAGEMENT_INACTIVE_AFTER", "P14D")
ENGAGEMENT_GOODBYE_EXPIRES_AFTER = _duration("ENGAGEMENT_GOODBYE_EXPIRES_AFTER", "PT48H")
ENGAGEMENT_REMIND_AFTER = _duration("ENGAGEMENT_REMIND_AFTER", "P14D")
# A dormant member who was quiet this long and writes has come back unprompted.
ENGAGEMENT_RETURN_AFTER = _duration("ENGAGEMENT_RETURN_AFTER", "P3D")
# What a member does to finish each tier of the onboarding.
ENGAGEMENT_TIERS = env.json(
    "ENGAGEMENT_TIERS",
    default={
        "1": ["introduce_yourself", "verify_github", "join_mission"],
        "2": ["complete_task", "invite_member"],
        "3": ["lead_mission", "mentor_member"],
    },
)
# Messages no one asked for: at most so many to a member in any span of this length, and none at night in their zone.
# 0 messages is no limit; the same hour twice is no night.
ENGAGEMENT_FREQUENCY_CAP = env.int("ENGAGEMENT_FREQUENCY_CAP", default=3)
ENGAGEMENT_FREQUENCY_CAP_PERIOD = _duration("ENGAGEMENT_FREQUENCY_CAP_PERIOD", "P7D")
ENGAGEMENT_QUIET_FROM = _hour("ENGAGEMENT_QUIET_FROM", "21:00")
ENGAGEMENT_QUIET_TO = _hour("ENGAGEMENT_QUIET_TO", "08:00")
# How messages go out: console, file, email or webhook.
ENGAGEMENT_TRANSPORT = env.str("ENGAGEMENT_TRANSPORT", default="file" if EMBEDDED else "console")
ENGAGEMENT_OUTBOX = Path(env.str("ENGAGEMENT_OUTBOX", default=str(VAR_DIR / "outbox")))
ENGAGEMENT_WEBHOOK_URL = env.str("ENGAGEMENT_WEBHOOK_URL", default="")
ENGAGEMENT_WEBHOOK_SECRET = _secret("ENGAGEMENT_WEBHOOK_SECRET")
# Seconds one message may take to be sent.
ENGAGEMENT_SEND_TIMEOUT = env.int("ENGAGEMENT_SEND_TIMEOUT", default=10)
# Messages a sender takes at once, and how long they are its own.
ENGAGEMENT_BATCH = env.int("ENGAGEMENT_BATCH", default=100)
ENGAGEMENT_LEASE = _duration("ENGAGEMENT_LEASE", "PT1M")
# Tries of a message, the pause after the first failed one (doubled after each more), and the longest.
ENGAGEMENT_ATTEMPTS = env.int("ENGAGEMENT_ATTEMPTS", default=3)
ENGAGEMENT_RETRY_AFTER = _duration("ENGAGEMENT_RETRY_AFTER", "PT1M")
ENGAGEMENT_RETRY_AT_MOST = _duration("ENGAGEMENT_RETRY_AT_MOST", "PT1H")
# Failures in a row after which a transport is taken for down, and how long it is left alone then (doubled to a limit).
ENGAGEMENT_CIRCUIT_FAILURES = env.int("ENGAGEMENT_CIRCUIT_FAILURES", default=5)
ENGAGEMENT_CIRCUIT_PAUSE = _duration("ENGAGEMENT_CIRCUIT_PAUSE", "PT10S")
ENGAGEMENT_CIRCUIT_PAUSE_AT_MOST = _duration("ENGAGEMENT_CIRCUIT_PAUSE_AT_MOST", "PT5M")
# After it is back it sends at most twice what it sent before; where that was next to nothing, twice this a minute.
ENGAGEMENT_RECOVERY_PER_MINUTE = env.int("ENGAGEMENT_RECOVERY_PER_MINUTE", default=60)
# Secrets a gateway signs messages from members and receipts with; two while one is replaced. None: nothing comes in.
ENGAGEMENT_INBOUND_SECRETS = [each.strip() for each in _secret("ENGAGEMENT_INBOUND_SECRETS").split(",") if each.strip()]
if EMBEDDED and not ENGAGEMENT_INBOUND_SECRETS:
    ENGAGEMENT_INBOUND_SECRETS = [embedded.secret(VAR_DIR, "inbound_secret", get_random_secret_key)]

# --- API --------------------------------------------------------------------------------------

# Requests a token may make in a minute; 0 switches the limit off.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=300)
NINJA_PAGINATION_PER_PAGE = 50
NINJA_PAGINATION_MAX_LIMIT = 200

# --- Live pages -------------------------------------------------------------------------------

# Streams one web process keeps open; each takes a thread of its own, none of those for requests.
LIVE_STREAMS = env.int("LIVE_STREAMS", default=32)
# Requests one web process runs at a time; each takes a thread, with a connection to the database.
WEB_THREADS = env.int("WEB_THREADS", default=3)

# --- Stories that may be taken back -----------------------------------------------------------

# Rolling groups back to 0001 meets rows its primary key cannot hold (a second stay). Off: the rollback stops
# and names them. On: they move to `memberships_set_aside`, from which going forward again restores them.
GROUPS_ROLLBACK_SETS_ASIDE = env.bool("GROUPS_ROLLBACK_SETS_ASIDE", default=False)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "missionsite.common.middleware.RequestIdFilter"},
        "hide_secrets": {"()": "missionsite.portal.logs.HideSecretsFilter"},
        "no_traceback": {"()": "missionsite.common.middleware.NoTracebackFilter"},
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id", "hide_secrets", "no_traceback"],
            "formatter": "line",
        }
    },
    # They say at every start which tasks there are.
    "loggers": {"procrastinate.blueprints": {"level": "WARNING"}, "procrastinate.periodic": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
