import django.contrib.postgres.functions
import django.db.models.deletion
from django.db import migrations, models

import missionsite.common.ids
from missionsite.common.operations import OnDelete
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Add reviews, checks and deliveries of GitHub, and what a merge does."""

    dependencies = [
        ("fallback", "0019_lists_by_status"),
    ]

    operations = [
        migrations.CreateModel(
            name="GithubCheckRun",
            fields=[
                (
                    "id",
                    missionsite.common.ids.UlidField(
                        db_collation="C",
                        db_default=missionsite.common.ids.Ulid(),
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("github_id", models.BigIntegerField(verbose_name="GitHub ID")),
                (
                    "pull_request",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="checks",
                        to="fallback.githubpullrequest",
                        verbose_name="pull request",
                    ),
                ),
                ("name", models.CharField(max_length=255, verbose_name="name")),
                ("status", models.TextField(verbose_name="status")),
                ("conclusion", models.TextField(blank=True, db_default="", default="", verbose_name="result")),
                ("head_sha", models.CharField(max_length=64, verbose_name="commit")),
                ("url", models.URLField(blank=True, db_default="", default="", max_length=500, verbose_name="address")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started")),
                ("completed_at", models.DateTimeField(blank=True, null=True, verbose_name="completed")),
            ],
            options={
                "verbose_name": "check",
                "verbose_name_plural": "checks",
                "db_table": "github_check_runs",
                "db_table_comment": "Checks of the commits of pull requests, as GitHub reports them.",
            },
        ),
        migrations.CreateModel(
            name="GithubDelivery",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False, verbose_name="delivery")),
                ("event", models.CharField(max_length=64, verbose_name="event")),
                (
                    "action",
                    models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="action"),
                ),
                (
                    "outcome",
                    models.TextField(choices=[("applied", "Applied"), ("ignored", "Ignored")], verbose_name="outcome"),
                ),
                (
                    "received_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="received"
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery of GitHub",
                "verbose_name_plural": "deliveries of GitHub",
                "db_table": "github_deliveries",
                "db_table_comment": "Deliveries of GitHub's webhook that had their effect, for 30 days.",
            },
        ),
        migrations.CreateModel(
            name="GithubPrReview",
            fields=[
                (
                    "id",
                    missionsite.common.ids.UlidField(
                        db_collation="C",
                        db_default=missionsite.common.ids.Ulid(),
                        editable=False,
                        max_length=26,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("github_id", models.BigIntegerField(verbose_name="GitHub ID")),
                (
                    "pull_request",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="reviews",
                        to="fallback.githubpullrequest",
                        verbose_name="pull request",
                    ),
                ),
                ("author", models.CharField(max_length=255, verbose_name="author")),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("approved", "Approved"),
                            ("changes_requested", "Changes requested"),
                            ("commented", "Commented"),
                            ("dismissed", "Dismissed"),
                            ("pending", "Pending"),
                        ],
                        verbose_name="state",
                    ),
                ),
                ("body", models.TextField(blank=True, db_default="", default="", verbose_name="body")),
                (
                    "submitted_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(), verbose_name="submitted"
                    ),
                ),
            ],
            options={
                "verbose_name": "pull request review",
                "verbose_name_plural": "pull request reviews",
                "db_table": "github_pr_reviews",
                "db_table_comment": "Reviews of pull requests, as GitHub reports them.",
            },
        ),
        migrations.AddField(
            model_name="githubprcomment",
            name="deleted_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="deleted"),
        ),
        migrations.AddField(
            model_name="githubprcomment",
            name="github_updated_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="changed at GitHub"),
        ),
        migrations.AddField(
            model_name="githubprcomment",
            name="kind",
            field=models.TextField(
                choices=[("conversation", "On the conversation"), ("line", "On a line")],
                db_default="conversation",
                default="conversation",
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="githubpullrequest",
            name="author",
            field=models.CharField(blank=True, db_default="", default="", max_length=255, verbose_name="author"),
        ),
        migrations.AddField(
            model_name="githubpullrequest",
            name="github_updated_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="changed at GitHub"),
        ),
        migrations.AddField(
            model_name="githubpullrequest",
            name="head_sha",
            field=models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="head commit"),
        ),
        migrations.AddField(
            model_name="githubpullrequest",
            name="is_draft",
            field=models.BooleanField(db_default=False, default=False, verbose_name="draft"),
        ),
        migrations.AddField(
            model_name="githubpullrequest",
            name="merged_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="merged"),
        ),
        migrations.AddField(
            model_name="githubpullrequest",
            name="needs_sync",
            field=models.BooleanField(db_default=True, default=True, verbose_name="to be fetched"),
        ),
        migrations.AddField(
            model_name="project",
            name="on_merge",
            field=models.TextField(
                choices=[("done", "Done"), ("review", "Review"), ("nothing", "Nowhere")],
                db_default="done",
                default="done",
                help_text="Where a mission moves when its pull request is merged. One that requires a review and is not approved moves to Review instead of Done.",
                verbose_name="after a merge",
            ),
        ),
        migrations.AddField(
            model_name="projectrepository",
            name="sync_error",
            field=models.TextField(blank=True, db_default="", default="", editable=False, verbose_name="error"),
        ),
        migrations.AddField(
            model_name="projectrepository",
            name="synced_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="fetched from GitHub"),
        ),
        migrations.AlterField(
            model_name="githubprcomment",
            name="github_id",
            field=models.BigIntegerField(verbose_name="GitHub ID"),
        ),
        migrations.AddConstraint(
            model_name="githubprcomment",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["conversation", "line"])), name="github_pr_comments_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="githubprcomment",
            constraint=models.UniqueConstraint(
                fields=("pull_request", "kind", "github_id"), name="github_pr_comments_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="githubpullrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("author__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="github_pull_requests_author_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubpullrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("head_sha__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                ),
                name="github_pull_requests_head_sha_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(("on_merge__in", ["done", "review", "nothing"])), name="projects_on_merge_known"
            ),
        ),
        migrations.AddIndex(
            model_name="githubdelivery",
            index=models.Index(fields=["received_at"], name="github_deliveries_oldest"),
        ),
        migrations.AddConstraint(
            model_name="githubdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("id__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="github_deliveries_id_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("event__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="github_deliveries_event_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("action__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="github_deliveries_action_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["applied", "ignored"])), name="github_deliveries_outcome_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="githubcheckrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="github_check_runs_name_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubcheckrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="github_check_runs_status_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubcheckrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("conclusion__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                ),
                name="github_check_runs_conclusion_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubcheckrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("head_sha__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                ),
                name="github_check_runs_head_sha_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubcheckrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("url__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="github_check_runs_url_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubcheckrun",
            constraint=models.UniqueConstraint(fields=("pull_request", "github_id"), name="github_check_runs_once"),
        ),
        migrations.AddConstraint(
            model_name="githubprreview",
            constraint=models.CheckConstraint(
                condition=models.Q(("author__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                name="github_pr_reviews_author_one_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubprreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["approved", "changes_requested", "commented", "dismissed", "pending"])
                ),
                name="github_pr_reviews_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="githubprreview",
            constraint=models.UniqueConstraint(fields=("pull_request", "github_id"), name="github_pr_reviews_once"),
        ),
        OnDelete("CASCADE", "github_pr_reviews.pull_request_id", "github_check_runs.pull_request_id"),
        SQLFile("fallback/tables/github"),
        SQLFile("fallback/functions/erase_person_in_projects", version=3),
    ]
