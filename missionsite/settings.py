"""Settings of the site, read from the environment (or a `.env` file) with django-environ.

Every setting that may be changed from outside is listed in `.env.example`.
"""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from engagement.conf import *  # noqa: F403
from fallback.conf import *  # noqa: F403
from groups.conf import *  # noqa: F403
from missiondeck.conf import *  # noqa: F403
from missionsite import embedded
from missionsite.environment import BASE_DIR, EMBEDDED, VAR_DIR, duration, env, json_object, secret
from missionsite.unfold import UNFOLD  # noqa: F401

# --- Security ---------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)


def _secret_key() -> str:
    """The configured key; embedded, a random one kept in `var/` with mode 0600."""
    if key := secret("SECRET_KEY"):
        return key
    if not EMBEDDED:
        raise ImproperlyConfigured("Set SECRET_KEY: see .env.example for how to make one.")
    return embedded.secret(VAR_DIR, "secret_key", get_random_secret_key)


SECRET_KEY = _secret_key()
# Earlier keys, newest first: what they signed or encrypted stays valid until they are removed.
SECRET_KEY_FALLBACKS = [each for each in secret("SECRET_KEY_FALLBACKS").split(",") if each]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
# Browsers take these names from this host only, over HTTPS, for all of its paths.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
# Scripts read the token from forms.
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "missionsite.common.messages.MessageStorage"
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
# Both affect all sites below the domain, so they are off by default.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
if env.bool("TRUST_X_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Networks of the proxies in front of the site; X-Forwarded-For is trusted only from these. `unix`: a Unix socket.
TRUSTED_PROXIES = [each.strip() for each in env.list("TRUSTED_PROXIES", default=[]) if each.strip()]
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("DATA_UPLOAD_MAX_MEMORY_SIZE", default=2_621_440)
DATA_UPLOAD_MAX_NUMBER_FIELDS = env.int("DATA_UPLOAD_MAX_NUMBER_FIELDS", default=2_000)
# Some tools write a test report for each class, so an upload may have many files.
DATA_UPLOAD_MAX_NUMBER_FILES = env.int("DATA_UPLOAD_MAX_NUMBER_FILES", default=1_000)

# --- Applications -----------------------------------------------------------------------------

INSTALLED_APPS = [
    "missionsite.apps.MissionsiteConfig",
    # Before allauth, whose layout its templates replace.
    "missionsite.portal",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.openid_connect",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "ninja",
    "missionsite.common",
    "groups",
    "fallback",
    "engagement",
    "missiondeck",
]
MIDDLEWARE = [
    "missionsite.common.probes.ProbesMiddleware",
    "missionsite.common.middleware.RequestIdMiddleware",
    "missionsite.common.logs.AccessLogMiddleware",
    "missionsite.common.request_context.RequestContextMiddleware",
    "missionsite.common.activity.ActivityMiddleware",
    "missionsite.common.audit.security.DeniedAccessMiddleware",
    "missionsite.common.content_policy.ContentPolicyMiddleware",
    "missionsite.common.content_policy.PrivateAnswersMiddleware",
    "missionsite.common.api.problems.ProblemMiddleware",
    "missionsite.common.middleware.PageMethodsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # After static files, which its page does not need but other open pages do.
    "missionsite.common.maintenance.MaintenanceMiddleware",
    # After static files, which are compressed in advance; before all middleware that changes the response.
    "missionsite.common.compression.CompressionMiddleware",
    "missionsite.common.language.OfficeLanguageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "missionsite.common.middleware.CleanInputMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "missionsite.common.accounts.sessions.SessionLimitsMiddleware",
    "missionsite.common.replica.ReplicaMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "missionsite.common.accounts.factors.SecondFactorMiddleware",
    "missionsite.common.accounts.view_as.ViewAsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "missionsite.portal.history.SecretFreeHistoryMiddleware",
]
ROOT_URLCONF = "missionsite.urls"
CSRF_FAILURE_VIEW = "missionsite.common.error_pages.csrf_failure"
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
        "ENGINE": "missionsite.common.postgres",
        # Opening a connection takes three times as long as a request.
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"SERIALIZE": False},
    }


_app_url, _owner_url = (
    embedded.urls(VAR_DIR) if EMBEDDED else (env.str("DATABASE_URL"), env.str("DATABASE_OWNER_URL", default=""))
)
_direct_url = "" if EMBEDDED else env.str("DATABASE_DIRECT_URL", default="")
# The role of the site and its workers, which owns nothing. With a direct URL beside it, this one leads through a
# pooler, which loses the cursors of a session.
DATABASES = {"default": {"DISABLE_SERVER_SIDE_CURSORS": bool(_direct_url)} | _database(_app_url)}
# The same role and database without the pooler, for workers, live pages and migrations. None: there is no pooler.
DATABASE_DIRECT = _database(_direct_url) if _direct_url else None
# The same role on a streaming replica, for reads that may be a few seconds old.
if _replica_url := "" if EMBEDDED else env.str("DATABASE_REPLICA_URL", default=""):
    _replica = _database(_replica_url)
    # One that is away is noticed within seconds, so that the primary is asked instead.
    _watched = {"connect_timeout": 3, "keepalives_idle": 3, "keepalives_interval": 2, "tcp_user_timeout": 6000}
    _replica["OPTIONS"] = _watched | _replica.get("OPTIONS", {})
    DATABASES["replica"] = _replica | {"TEST": {"MIRROR": "default"}}
# The most seconds that the replica may be behind; one that is further behind is not used.
DATABASE_REPLICA_LAG = env.float("DATABASE_REPLICA_LAG", default=5.0)
# The role of `migrate` and other commands that change the schema. None with a single database role.
DATABASE_OWNER = _database(_owner_url) if _owner_url else None
_backup_url = env.str("DATABASE_BACKUP_URL", default="")
# The role of `backup` and `restore`, which reads all rows.
DATABASE_BACKUP = _database(_backup_url) if _backup_url and not EMBEDDED else None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Members -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "groups.Member"
# E-mail is unique by an index on lower(email), which the check does not recognise. The others recommend HSTS for
# subdomains and preloading, which the operator decides: SECURE_HSTS_INCLUDE_SUBDOMAINS, SECURE_HSTS_PRELOAD.
SILENCED_SYSTEM_CHECKS = ["auth.E003", "security.W005", "security.W021"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "display_name")},
    },
    # 20,000 passwords that were leaked most often.
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "missionsite.common.passwords.CommonPartsValidator"},
    {"NAME": "missionsite.common.passwords.OwnWordsValidator"},
]
LOGIN_URL = "portal:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- Language and time ------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
# Listed here, so that it takes precedence over Django's own translations.
LOCALE_PATHS = [BASE_DIR / "missionsite" / "locale", BASE_DIR / "missionsite" / "portal" / "locale"]
FORMAT_MODULE_PATH = ["missionsite.formats"]
USE_TZ = True

# --- Static files -----------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
if EMBEDDED:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "missionsite" / "static"]
# With the embedded server, files are served from the apps; in production `collectstatic` hashes and compresses them.
WHITENOISE_USE_FINDERS = EMBEDDED
# The documents of the site: a folder, or any Django storage with DOCUMENTS_BACKEND and its options.
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

_MAIL = env.email_url("EMAIL_URL", default="consolemail://")
# Instead of the server of EMAIL_URL: the backend of a provider's API, and its settings as a JSON object.
if _BACKEND := env.str("EMAIL_BACKEND", default=""):
    _MAIL["EMAIL_BACKEND"] = _BACKEND
vars().update(_MAIL)
ANYMAIL = {"REQUESTS_TIMEOUT": ENGAGEMENT_SEND_TIMEOUT} | json_object("ANYMAIL")  # noqa: F405
# Sender of e-mail to members.
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Community <community@localhost>")

# --- History ----------------------------------------------------------------------------------

PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")

# --- Log-in -----------------------------------------------------------------------------------

# Wrong passwords per account, network and minute, and six times as many for all accounts of a network; 0 for no limit.
LOGIN_ATTEMPTS_PER_MINUTE = env.int("LOGIN_ATTEMPTS_PER_MINUTE", default=5)
# The longest life of a session, and the time without a request after which it ends.
SESSION_LIFETIME = duration("SESSION_LIFETIME", default="P14D")
SESSION_IDLE = duration("SESSION_IDLE", default="PT12H")
# How long after a log-in or a proof of identity a member may change factors, erase people, set roles, create tokens and
# export lists.
ACCOUNT_REAUTHENTICATION_TIMEOUT = int(duration("REAUTHENTICATION_TIMEOUT", default="PT15M").total_seconds())
# How long an administrator sees the site as another member.
VIEW_AS_LIFETIME = duration("VIEW_AS_LIFETIME", default="PT30M")
SESSION_COOKIE_AGE = int(SESSION_LIFETIME.total_seconds())

ACCOUNT_ADAPTER = "missionsite.common.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# A member may log in before the address is confirmed; until then it counts for nothing.
ACCOUNT_EMAIL_VERIFICATION = "optional"
# A new address replaces the old one when it is confirmed.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# A code by e-mail is no proof of identity here: who reads the mail could also set a password.
ACCOUNT_REAUTHENTICATION_METHODS = ("password", "mfa")
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/login/"
# Attempts are limited by missionsite.common.passwords, in the database, for all processes together.
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "missionsite.common.accounts.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = env.str("SITE_NAME", default="Missionsite")
# Browsers allow passkeys on http://localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

# Sign-in with other providers; each exists if its client ID is set.
SOCIALACCOUNT_ADAPTER = "missionsite.common.accounts.adapter.SocialAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
# A verified e-mail of a provider opens the account with the same confirmed e-mail, and links them.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
# The provider that name and e-mail of members follow: `oidc`, `github` or none.
SOCIAL_CANONICAL_PROVIDER = env.str("SOCIAL_CANONICAL_PROVIDER", default="")
SOCIALACCOUNT_PROVIDERS: dict = {}
if OIDC_CLIENT_ID := env.str("OIDC_CLIENT_ID", default=""):
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": env.str("OIDC_NAME", default="Single sign-on"),
                "client_id": OIDC_CLIENT_ID,
                "secret": secret("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": env.str("OIDC_SERVER_URL"), "fetch_userinfo": True},
            }
        ],
    }
if GITHUB_CLIENT_ID := env.str("GITHUB_CLIENT_ID", default=""):
    SOCIALACCOUNT_PROVIDERS["github"] = {
        "SCOPE": ["read:user", "user:email"],
        "APPS": [{"client_id": GITHUB_CLIENT_ID, "secret": secret("GITHUB_CLIENT_SECRET"), "key": ""}],
    }

# --- Links ------------------------------------------------------------------------------------

# Public URL of this site: the start of links in messages and of invitation addresses.
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")

# --- API --------------------------------------------------------------------------------------

# Requests per token and minute; 0 for no limit.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=300)
NINJA_PAGINATION_PER_PAGE = 50
NINJA_PAGINATION_MAX_LIMIT = 200

# --- Live pages -------------------------------------------------------------------------------

# Open streams per web process; an open stream uses a connection of the browser, and no thread.
LIVE_STREAMS = env.int("LIVE_STREAMS", default=1500)
# Concurrent requests per web process; each uses a thread with a database connection.
WEB_THREADS = env.int("WEB_THREADS", default=3)
# Most database connections of a web process, besides one while live pages are open; 0: a connection per thread.
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=WEB_THREADS + 1)

# Processes of all machines together, for the check that PostgreSQL allows enough connections; 0: not checked.
WEB_PROCESSES = env.int("WEB_PROCESSES", default=0)
WORKER_PROCESSES = env.int("WORKER_PROCESSES", default=0)

# --- Watching the site ------------------------------------------------------------------------

# The bearer token of /metrics; without it there is no such page.
METRICS_TOKEN = secret("METRICS_TOKEN")
# Where the web processes of this machine add up their metrics.
METRICS_DIR = Path(env.str("METRICS_DIR", default=str(VAR_DIR / "metrics")))
# Where the digest of the audit of each day is written, and to whom it is mailed: outside of what an attacker of the
# database reaches. Neither is needed.
AUDIT_DIGEST_FOLDER = env.str("AUDIT_DIGEST_FOLDER", default="")
AUDIT_DIGEST_MAIL = env.list("AUDIT_DIGEST_MAIL", default=[])
# While this file exists, the site is under maintenance: `manage.py maintenance on`.
MAINTENANCE_FILE = Path(env.str("MAINTENANCE_FILE", default=str(VAR_DIR / "maintenance")))
# Error reports and traces, with the packages of requirements-telemetry.txt.
SENTRY_DSN = secret("SENTRY_DSN")
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
# Removes secrets in addresses from them.
MASK_SECRETS = "missionsite.portal.logs.mask_secrets"
# A line for each request.
ACCESS_LOG = env.bool("ACCESS_LOG", default=not EMBEDDED)
LOG_FORMAT = env.str("LOG_FORMAT", default="line")
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured(f"LOG_FORMAT must be line or json, not {LOG_FORMAT!r}.")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "missionsite.common.middleware.RequestIdFilter"},
        "hide_secrets": {"()": "missionsite.portal.logs.HideSecretsFilter"},
        "no_traceback": {"()": "missionsite.common.middleware.NoTracebackFilter"},
    },
    "formatters": {
        "line": {"()": "missionsite.common.logs.LineFormatter"},
        "json": {"()": "missionsite.common.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id", "hide_secrets", "no_traceback"],
            "formatter": LOG_FORMAT,
        }
    },
    # They log all tasks at every start.
    "loggers": {"procrastinate.blueprints": {"level": "WARNING"}, "procrastinate.periodic": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
