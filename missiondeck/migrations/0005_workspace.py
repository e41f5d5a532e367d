import django.contrib.postgres.functions
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import missiondeck.models.missions
import missionsite.common.audit.fields
from missionsite.common.operations import OnDelete, RenderOnce
from missionsite.common.sql_loader import SQLFile

FUNCTIONS = (
    # A function comes after those that it calls.
    "follow_deck_numbers",
    "may_be_deck_assignee",
    "find_deck_assignee",
    "reassign_deck_missions",
    "assign_deck_missions_to_new_members",
    "update_deck_missions_of_member",
    "clear_deck_assignees_of_new_entries",
    "update_deck_assignees_of_entry",
    "update_deck_assignees_of_staff",
    "erase_person_in_deck",
    "deck_mission_missing",
    "check_deck_status_change",
    "reject_deck_initial_status",
    "reject_deck_immutable_fields",
    "log_deck_status_change",
    "reject_edit_of_deck_status_changes",
    "check_dod_open",
    "test_identity",
    "flaky_tests_of",
    "finish_test_run",
    "admit_test_run",
    "update_latest_run",
    "paginate_logs",
    "paginate_test_run_logs",
)
TRIGGERS = ("community_members", "deck_missions", "deck_status_changes", "dod_items", "members", "test_runs")


class Migration(migrations.Migration):
    """Add the workspace: status changes, history, feeds, log pages, and all functions and triggers."""

    dependencies = [
        ("missiondeck", "0004_create_test_runs"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="DeckFeed",
                fields=[
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(),
                            editable=False,
                            primary_key=True,
                            serialize=False,
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(), editable=False
                        ),
                    ),
                    (
                        "member",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="deck_feeds",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("name", models.CharField(help_text="Where you use it, such as phone or laptop.", max_length=100)),
                    (
                        "only_own",
                        models.BooleanField(
                            db_default=False,
                            default=False,
                            help_text="Include only missions that are assigned to you.",
                            verbose_name="only my missions",
                        ),
                    ),
                    ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                    (
                        "last_read_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last read"),
                    ),
                    ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="revoked")),
                ],
                options={
                    "verbose_name": "calendar feed",
                    "db_table": "deck_feeds",
                    "ordering": [
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("name__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="deck_feeds_name_one_line",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="DeckStatusChange",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "mission",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="status_changes",
                            to="missiondeck.deckmission",
                        ),
                    ),
                    (
                        "from_status",
                        models.TextField(choices=[("active", "Active"), ("qa", "In QA"), ("complete", "Complete")]),
                    ),
                    (
                        "to_status",
                        models.TextField(choices=[("active", "Active"), ("qa", "In QA"), ("complete", "Complete")]),
                    ),
                    ("reason", models.TextField(blank=True, db_default="", default="")),
                    ("is_override", models.BooleanField(db_default=False, default=False, verbose_name="override")),
                    ("missing", models.JSONField(blank=True, db_default=[], default=list)),
                    (
                        "by",
                        models.ForeignKey(
                            blank=True,
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(),
                            editable=False,
                            verbose_name="time",
                        ),
                    ),
                    (
                        "changeset_id",
                        models.UUIDField(
                            blank=True,
                            db_default=missionsite.common.audit.fields.AuditChangesetId(),
                            editable=False,
                            null=True,
                        ),
                    ),
                ],
                options={
                    "verbose_name": "status change",
                    "db_table": "deck_status_changes",
                    "ordering": [models.OrderBy(models.F("id"), descending=True)],
                    "indexes": [
                        models.Index(
                            models.F("mission"),
                            models.OrderBy(models.F("id"), descending=True),
                            name="deck_status_changes_of_mission",
                        ),
                        models.Index(
                            condition=models.Q(("changeset_id__isnull", False)),
                            fields=["changeset_id"],
                            name="deck_status_changes_changeset",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("from_status__in", ["active", "qa", "complete"])),
                            name="deck_status_changes_from_status_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("to_status__in", ["active", "qa", "complete"])),
                            name="deck_status_changes_to_status_known",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="LatestRun",
                fields=[
                    (
                        "mission",
                        models.OneToOneField(
                            editable=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            primary_key=True,
                            related_name="latest_run",
                            serialize=False,
                            to="missiondeck.deckmission",
                        ),
                    ),
                    (
                        "run",
                        models.ForeignKey(
                            db_index=False,
                            editable=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="missiondeck.testrun",
                        ),
                    ),
                    (
                        "status",
                        models.TextField(
                            choices=[("running", "Running"), ("passed", "Passed"), ("failed", "Failed")], editable=False
                        ),
                    ),
                    ("created_at", models.DateTimeField(editable=False, verbose_name="time")),
                ],
                options={
                    "db_table": "deck_latest_runs",
                    "indexes": [models.Index(fields=["status"], name="deck_latest_runs_status")],
                },
            ),
            migrations.CreateModel(
                name="TestRunLogPage",
                fields=[
                    (
                        "pk",
                        models.CompositePrimaryKey(
                            "run", "page", blank=True, editable=False, primary_key=True, serialize=False
                        ),
                    ),
                    (
                        "run",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="log_pages",
                            to="missiondeck.testrun",
                        ),
                    ),
                    ("page", models.IntegerField()),
                    ("first_line", models.IntegerField()),
                    ("text", models.TextField()),
                ],
                options={
                    "db_table": "test_run_log_pages",
                    "ordering": ["run", "page"],
                },
            ),
            migrations.CreateModel(
                name="DeckMissionHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="missiondeck.deckmission",
                        ),
                    ),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, serialize=False
                        ),
                    ),
                    (
                        "number",
                        models.BigIntegerField(
                            db_default=missiondeck.models.missions.NextNumber(),
                            editable=False,
                            help_text="Assigned automatically.",
                        ),
                    ),
                    ("title", models.CharField(max_length=200)),
                    ("client", models.CharField(max_length=200)),
                    ("budget", models.PositiveIntegerField(help_text="Whole units of the currency.")),
                    (
                        "currency",
                        models.CharField(
                            db_default="USD",
                            default="USD",
                            help_text="Three-letter code (ISO 4217), such as USD, EUR or BRL.",
                            max_length=3,
                        ),
                    ),
                    ("deadline", models.DateTimeField()),
                    (
                        "status",
                        models.TextField(
                            choices=[("active", "Active"), ("qa", "In QA"), ("complete", "Complete")],
                            db_default="active",
                            default="active",
                        ),
                    ),
                    (
                        "assigned_to",
                        models.EmailField(
                            help_text="E-mail address of the person who delivers the mission.", max_length=254
                        ),
                    ),
                    (
                        "assignee",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to=settings.AUTH_USER_MODEL,
                            verbose_name="member",
                        ),
                    ),
                    (
                        "github_url",
                        models.URLField(
                            blank=True,
                            db_default="",
                            default="",
                            help_text="Optional. Example: https://github.com/owner/name",
                            verbose_name="repository",
                        ),
                    ),
                    (
                        "completed_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="completed"),
                    ),
                    (
                        "completed_by",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    (
                        "override_reason",
                        models.TextField(
                            blank=True, db_default="", default="", editable=False, verbose_name="override reason"
                        ),
                    ),
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                ],
                options={
                    "db_table": "deck_missions_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="deck_missions_history_of")],
                },
            ),
            migrations.CreateModel(
                name="DodItemHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    (
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="missiondeck.doditem",
                        ),
                    ),
                    (
                        "pgh_context",
                        models.ForeignKey(
                            db_constraint=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="pghistory.context",
                        ),
                    ),
                    (
                        "id",
                        models.UUIDField(
                            db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, serialize=False
                        ),
                    ),
                    (
                        "mission",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to="missiondeck.deckmission",
                        ),
                    ),
                    ("text", models.CharField(max_length=500)),
                    (
                        "category",
                        models.TextField(
                            choices=[
                                ("functional", "Functional"),
                                ("non-functional", "Non-functional"),
                                ("tests", "Tests"),
                            ],
                            db_default="functional",
                            default="functional",
                        ),
                    ),
                    ("completed", models.BooleanField(db_default=False, default=False, verbose_name="done")),
                    (
                        "completed_at",
                        models.DateTimeField(blank=True, editable=False, null=True, verbose_name="done at"),
                    ),
                    (
                        "completed_by",
                        models.ForeignKey(
                            blank=True,
                            db_constraint=False,
                            editable=False,
                            null=True,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            related_query_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("position", models.PositiveIntegerField(db_default=0, default=0, verbose_name="position")),
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                ],
                options={
                    "db_table": "dod_items_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="dod_items_history_of")],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="deckmission",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "deck_missions_history" ("assigned_to", "assignee_id", "budget", "client", "completed_at", "completed_by_id", "currency", "deadline", "github_url", "id", "number", "override_reason", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "title") SELECT new_values."assigned_to", new_values."assignee_id", new_values."budget", new_values."client", new_values."completed_at", new_values."completed_by_id", new_values."currency", new_values."deadline", new_values."github_url", new_values."id", new_values."number", new_values."override_reason", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."status", new_values."title" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="7683e1d81386658a25109bb2eeb835d22bebc0b4",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_894ca",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="deck_missions",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="deckmission",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "deck_missions_history" ("assigned_to", "assignee_id", "budget", "client", "completed_at", "completed_by_id", "currency", "deadline", "github_url", "id", "number", "override_reason", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "title") SELECT new_values."assigned_to", new_values."assignee_id", new_values."budget", new_values."client", new_values."completed_at", new_values."completed_by_id", new_values."currency", new_values."deadline", new_values."github_url", new_values."id", new_values."number", new_values."override_reason", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."status", new_values."title" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."assigned_to" IS DISTINCT FROM (new_values."assigned_to") OR old_values."assignee_id" IS DISTINCT FROM (new_values."assignee_id") OR old_values."budget" IS DISTINCT FROM (new_values."budget") OR old_values."client" IS DISTINCT FROM (new_values."client") OR old_values."completed_at" IS DISTINCT FROM (new_values."completed_at") OR old_values."completed_by_id" IS DISTINCT FROM (new_values."completed_by_id") OR old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."deadline" IS DISTINCT FROM (new_values."deadline") OR old_values."github_url" IS DISTINCT FROM (new_values."github_url") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."number" IS DISTINCT FROM (new_values."number") OR old_values."override_reason" IS DISTINCT FROM (new_values."override_reason") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."title" IS DISTINCT FROM (new_values."title")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="3479f699d0697361bec5982b5aa389256c2b95e8",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_64f58",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="deck_missions",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="deckmission",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "deck_missions_history" ("assigned_to", "assignee_id", "budget", "client", "completed_at", "completed_by_id", "currency", "deadline", "github_url", "id", "number", "override_reason", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "status", "title") SELECT old_values."assigned_to", old_values."assignee_id", old_values."budget", old_values."client", old_values."completed_at", old_values."completed_by_id", old_values."currency", old_values."deadline", old_values."github_url", old_values."id", old_values."number", old_values."override_reason", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."status", old_values."title" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="ea5f840bedb4dac44fffaa5de10e676172e5c366",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_7ec18",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="deck_missions",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="doditem",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dod_items_history" ("category", "completed", "completed_at", "completed_by_id", "id", "mission_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "text") SELECT new_values."category", new_values."completed", new_values."completed_at", new_values."completed_by_id", new_values."id", new_values."mission_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."position", new_values."text" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="1143e1ea3eb92049bcfe3fd316e89cc2bce968dc",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_ffffc",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="dod_items",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="doditem",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dod_items_history" ("category", "completed", "completed_at", "completed_by_id", "id", "mission_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "text") SELECT new_values."category", new_values."completed", new_values."completed_at", new_values."completed_by_id", new_values."id", new_values."mission_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."position", new_values."text" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."category" IS DISTINCT FROM (new_values."category") OR old_values."completed" IS DISTINCT FROM (new_values."completed") OR old_values."completed_at" IS DISTINCT FROM (new_values."completed_at") OR old_values."completed_by_id" IS DISTINCT FROM (new_values."completed_by_id") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."mission_id" IS DISTINCT FROM (new_values."mission_id") OR old_values."position" IS DISTINCT FROM (new_values."position") OR old_values."text" IS DISTINCT FROM (new_values."text")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="312e42a4fad1abfa79d904711b0d701c8983243d",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_776c2",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="dod_items",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="doditem",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dod_items_history" ("category", "completed", "completed_at", "completed_by_id", "id", "mission_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "text") SELECT old_values."category", old_values."completed", old_values."completed_at", old_values."completed_by_id", old_values."id", old_values."mission_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."position", old_values."text" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="72993802d432cb443aec5a7b628e7a8a51c39452",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_9bfd6",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="dod_items",
                        when="AFTER",
                    ),
                ),
            ),
        ),
        OnDelete(
            "CASCADE",
            "deck_status_changes.mission_id",
            "deck_latest_runs.mission_id",
            "deck_latest_runs.run_id",
            "test_run_log_pages.run_id",
        ),
        *(SQLFile(f"missiondeck/functions/{name}") for name in FUNCTIONS),
        *(SQLFile(f"missiondeck/triggers/{table}") for table in TRIGGERS),
        SQLFile("missiondeck/grants"),
        SQLFile("missiondeck/data/existing_rows"),
    ]
