"""Settings of this app, read from the environment; `missionsite.settings` imports them all."""

from django.core.exceptions import ImproperlyConfigured

from missionsite.environment import env, secret

# Maximum bytes of a test report and of its output.
DECK_REPORT_BYTES = env.int("DECK_REPORT_BYTES", default=100 * 1024 * 1024)
DECK_LOGS_BYTES = env.int("DECK_LOGS_BYTES", default=60 * 1024 * 1024)
# Hours after which a run that is still running is given up.
DECK_RUN_HOURS = env.int("DECK_RUN_HOURS", default=24)
# What hosts run whose names do not tell it: github, gitlab, bitbucket, gitea or forgejo. Such as git.example.org=gitlab
DECK_FORGES = env.dict("DECK_FORGES", default={})
if _wrong := set(DECK_FORGES.values()) - {"github", "gitlab", "bitbucket", "gitea", "forgejo"}:
    raise ImproperlyConfigured(
        f"DECK_FORGES: {', '.join(sorted(_wrong))} is not github, gitlab, bitbucket, gitea or forgejo."
    )
# Where commit statuses are sent for repositories on GitLab; the token needs the scope `api`.
GITLAB_API_URL = env("GITLAB_API_URL", default="https://gitlab.com/api/v4")
GITLAB_TOKEN = secret("GITLAB_TOKEN")
