import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """Missions by request and by invitation, missions with a maximum number of members, and their waiting lists."""

    dependencies = [
        ("groups", "0018_order_of_names"),
    ]

    operations = [
        migrations.CreateModel(
            name="JoinRequest",
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
                    "kind",
                    models.TextField(
                        choices=[("request", "Request"), ("invitation", "Invitation"), ("waiting", "Waiting list")],
                        db_default="request",
                        default="request",
                        verbose_name="kind",
                    ),
                ),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("open", "Open"),
                            ("offered", "Place offered"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Expired"),
                        ],
                        db_default="open",
                        default="open",
                        verbose_name="status",
                    ),
                ),
                ("message", models.TextField(blank=True, db_default="", default="", verbose_name="message")),
                ("reason", models.TextField(blank=True, db_default="", default="", verbose_name="reason")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "queued_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="on the waiting list since"
                    ),
                ),
                (
                    "offered_until",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="offered until"),
                ),
                ("decided_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="decided at")),
            ],
            options={
                "verbose_name": "join request",
                "verbose_name_plural": "join requests",
                "db_table": "join_requests",
                "db_table_comment": "Requests of members to join a mission, and invitations to join one; decided rows are kept.",
                "ordering": [
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="group",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="group",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="group",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="group",
            name="join_policy",
            field=models.TextField(
                choices=[
                    ("open", "Open: eligible members join by themselves"),
                    ("request", "By request: members ask, staff decide"),
                    ("invitation", "By invitation: staff invite, members answer"),
                ],
                db_comment="How members join: open, by a request that staff decide, or by an invitation.",
                db_default="open",
                default="open",
                help_text="Staff can add members to any mission.",
                verbose_name="joining",
            ),
        ),
        migrations.AddField(
            model_name="group",
            name="max_members",
            field=models.IntegerField(
                blank=True,
                db_comment="Most members of a mission, with the places offered to its waiting list; NULL for any number.",
                help_text="Empty for no maximum. When the mission is full, members join its waiting list.",
                null=True,
                verbose_name="maximum number of members",
            ),
        ),
        migrations.AddField(
            model_name="grouphistory",
            name="join_policy",
            field=models.TextField(
                choices=[
                    ("open", "Open: eligible members join by themselves"),
                    ("request", "By request: members ask, staff decide"),
                    ("invitation", "By invitation: staff invite, members answer"),
                ],
                db_comment="How members join: open, by a request that staff decide, or by an invitation.",
                db_default="open",
                default="open",
                help_text="Staff can add members to any mission.",
                verbose_name="joining",
            ),
        ),
        migrations.AddField(
            model_name="grouphistory",
            name="max_members",
            field=models.IntegerField(
                blank=True,
                db_comment="Most members of a mission, with the places offered to its waiting list; NULL for any number.",
                help_text="Empty for no maximum. When the mission is full, members join its waiting list.",
                null=True,
                verbose_name="maximum number of members",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="group",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "groups_history" ("description", "id", "join_policy", "max_members", "min_trust_score", "name", "parent_group_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "stable_id", "status", "type") SELECT new_values."description", new_values."id", new_values."join_policy", new_values."max_members", new_values."min_trust_score", new_values."name", new_values."parent_group_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."stable_id", new_values."status", new_values."type" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="df80d45741ba3e79b977dd53f26e7676fbe0eaaa",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_6026d",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="group",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "groups_history" ("description", "id", "join_policy", "max_members", "min_trust_score", "name", "parent_group_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "stable_id", "status", "type") SELECT new_values."description", new_values."id", new_values."join_policy", new_values."max_members", new_values."min_trust_score", new_values."name", new_values."parent_group_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."stable_id", new_values."status", new_values."type" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."description" IS DISTINCT FROM (new_values."description") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."join_policy" IS DISTINCT FROM (new_values."join_policy") OR old_values."max_members" IS DISTINCT FROM (new_values."max_members") OR old_values."min_trust_score" IS DISTINCT FROM (new_values."min_trust_score") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."parent_group_id" IS DISTINCT FROM (new_values."parent_group_id") OR old_values."stable_id" IS DISTINCT FROM (new_values."stable_id") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."type" IS DISTINCT FROM (new_values."type")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="1364fc5deabd21063a3206f87dc6550907d3cfa1",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_02517",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="group",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "groups_history" ("description", "id", "join_policy", "max_members", "min_trust_score", "name", "parent_group_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "stable_id", "status", "type") SELECT old_values."description", old_values."id", old_values."join_policy", old_values."max_members", old_values."min_trust_score", old_values."name", old_values."parent_group_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."stable_id", old_values."status", old_values."type" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="b69dbc9f348826d0b2fdb9e442136f68fb64dcf6",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_13da0",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="groups",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="group",
            constraint=models.CheckConstraint(
                condition=models.Q(("join_policy__in", ["open", "request", "invitation"])),
                name="groups_join_policy_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="group",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_members__gte", 1), ("max_members__isnull", True), _connector="OR"),
                name="groups_max_members_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="group",
            constraint=models.CheckConstraint(
                condition=models.Q(("type", "mission"), ("max_members__isnull", True), _connector="OR"),
                name="groups_colony_has_no_maximum",
            ),
        ),
        migrations.AddConstraint(
            model_name="group",
            constraint=models.CheckConstraint(
                condition=models.Q(("type", "mission"), ("join_policy", "open"), _connector="OR"),
                name="groups_colony_has_no_join_policy",
            ),
        ),
        migrations.AddField(
            model_name="joinrequest",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AddField(
            model_name="joinrequest",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="decided by",
            ),
        ),
        migrations.AddField(
            model_name="joinrequest",
            name="group",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="join_requests",
                to="groups.group",
                verbose_name="mission",
            ),
        ),
        migrations.AddField(
            model_name="joinrequest",
            name="member",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="join_requests",
                to=settings.AUTH_USER_MODEL,
                verbose_name="member",
            ),
        ),
        migrations.AddIndex(
            model_name="joinrequest",
            index=models.Index(
                models.F("member"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="join_requests_of_member",
            ),
        ),
        migrations.AddIndex(
            model_name="joinrequest",
            index=models.Index(fields=["group", "status", "created_at"], name="join_requests_of_group"),
        ),
        migrations.AddIndex(
            model_name="joinrequest",
            index=models.Index(
                condition=models.Q(("kind", "waiting"), ("status", "open")),
                fields=["group", "queued_at", "id"],
                name="join_requests_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="joinrequest",
            index=models.Index(
                condition=models.Q(("status", "offered")), fields=["offered_until"], name="join_requests_offers"
            ),
        ),
        migrations.AddIndex(
            model_name="joinrequest",
            index=models.Index(
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="join_requests_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="joinrequest",
            index=models.Index(
                models.F("status"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="join_requests_by_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="joinrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["request", "invitation", "waiting"])), name="join_requests_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="joinrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "offered", "accepted", "declined", "withdrawn", "expired"])),
                name="join_requests_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="joinrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["open", "offered"])),
                fields=("member", "group"),
                name="join_requests_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="joinrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True), ("decided_by__isnull", True), ("status__in", ["open", "offered"])
                    ),
                    models.Q(
                        models.Q(("status__in", ["open", "offered"]), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="join_requests_decided_fits",
            ),
        ),
        migrations.AddConstraint(
            model_name="joinrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "waiting"), ("queued_at__isnull", False)),
                    models.Q(
                        models.Q(("kind", "waiting"), _negated=True),
                        ("offered_until__isnull", True),
                        ("queued_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="join_requests_queued_fits",
            ),
        ),
        migrations.AddConstraint(
            model_name="joinrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["offered", "expired"]), _negated=True),
                    ("offered_until__isnull", False),
                    _connector="OR",
                ),
                name="join_requests_offer_has_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="joinrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "request"), ("reason__regex", "^\\s*$"), ("status", "declined"), _negated=True
                ),
                name="join_requests_declined_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="joinrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length("message"), 500)
                ),
                name="join_requests_message_length",
            ),
        ),
        migrations.AddConstraint(
            model_name="joinrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length("reason"), 500)
                ),
                name="join_requests_reason_length",
            ),
        ),
        SQLFile("groups/functions/guard_join_requests", version=1),
        SQLFile("groups/functions/check_join_request", version=1),
        SQLFile("groups/functions/erase_join_requests", version=1),
        SQLFile("groups/functions/lock_places", version=1),
        SQLFile("groups/functions/taken_places", version=1),
        SQLFile("groups/functions/free_places", version=1),
        SQLFile("groups/functions/check_places", version=1),
        SQLFile("groups/functions/check_new_members", version=1),
        SQLFile("groups/functions/check_offer", version=1),
        SQLFile("groups/triggers/join_requests", version=1),
        SQLFile("groups/triggers/join_requests_offers", version=1),
        SQLFile("groups/triggers/memberships_places", version=1),
        SQLFile("groups/triggers/community_members_join_requests", version=1),
        SQLFile("groups/policies_join_requests", version=1),
        SQLFile("groups/functions/current_member_may_join", version=2),
    ]
