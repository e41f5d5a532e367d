import django.contrib.postgres.functions
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from missionsite.common.operations import RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """The phrases by which replies are read, with their history."""

    dependencies = [
        ("engagement", "0002_labels"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        RenderOnce(
            migrations.CreateModel(
                name="ReplyPhrase",
                fields=[
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    (
                        "reading",
                        models.TextField(
                            choices=[
                                ("opted_out", "Stop messages"),
                                ("opted_in", "Start messages again"),
                                ("to_group", "Switch to the group chat"),
                                ("to_individual", "Switch to the individual chat"),
                                ("goodbye_response_1", "Answer 1: confused"),
                                ("goodbye_response_2", "Answer 2: busy"),
                                ("goodbye_response_3", "Answer 3: all good"),
                                ("number_1", "Number 1"),
                                ("number_2", "Number 2"),
                                ("number_3", "Number 3"),
                                ("unclear", "Not clear: ask again"),
                                ("auto_reply", "Automatic reply"),
                                ("courtesy", "Courtesy, ignored at both ends"),
                                ("greeting", "Greeting, ignored at both ends"),
                                ("before_number", "Words before a number"),
                                ("choosing", "Words of choosing, before a digit"),
                                ("word", "Word of a list"),
                            ],
                            verbose_name="meaning",
                        ),
                    ),
                    (
                        "language",
                        models.TextField(
                            choices=[("en", "English"), ("pt", "Portuguese"), ("es", "Spanish")],
                            verbose_name="language",
                        ),
                    ),
                    (
                        "phrase",
                        models.CharField(
                            help_text="(words) in parentheses are optional, {name} is any word of that list, ... is up to four words.",
                            max_length=200,
                            verbose_name="phrase",
                        ),
                    ),
                    (
                        "match",
                        models.TextField(
                            choices=[("whole", "Whole text"), ("start", "Start of the text"), ("anywhere", "Anywhere")],
                            db_default="whole",
                            default="whole",
                            help_text="Automatic replies may be recognised by a part of the text; everything else by the whole text.",
                            verbose_name="found in",
                        ),
                    ),
                    (
                        "word_list",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            help_text="The list that a word belongs to; empty for a phrase.",
                            max_length=50,
                            verbose_name="word list",
                        ),
                    ),
                    (
                        "is_enabled",
                        models.BooleanField(
                            db_default=True,
                            default=True,
                            help_text="A phrase that is not in use is never matched.",
                            verbose_name="in use",
                        ),
                    ),
                    (
                        "created_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(),
                            editable=False,
                            verbose_name="created",
                        ),
                    ),
                    (
                        "updated_at",
                        models.DateTimeField(
                            db_default=django.contrib.postgres.functions.TransactionNow(),
                            editable=False,
                            verbose_name="changed",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "reply phrase",
                    "verbose_name_plural": "reply phrases",
                    "db_table": "reply_phrases",
                    "ordering": ["reading", "language", "word_list", "phrase"],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("phrase__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="reply_phrases_phrase_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("word_list__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                            ),
                            name="reply_phrases_word_list_one_line",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "reading__in",
                                    [
                                        "opted_out",
                                        "opted_in",
                                        "to_group",
                                        "to_individual",
                                        "goodbye_response_1",
                                        "goodbye_response_2",
                                        "goodbye_response_3",
                                        "number_1",
                                        "number_2",
                                        "number_3",
                                        "unclear",
                                        "auto_reply",
                                        "courtesy",
                                        "greeting",
                                        "before_number",
                                        "choosing",
                                        "word",
                                    ],
                                )
                            ),
                            name="reply_phrases_reading_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("language__in", ["en", "pt", "es"])),
                            name="reply_phrases_language_known",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("match__in", ["whole", "start", "anywhere"])),
                            name="reply_phrases_match_known",
                        ),
                        models.UniqueConstraint(
                            fields=("reading", "language", "word_list", "phrase"), name="reply_phrases_unique"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("phrase__regex", "^\\s*$"), _negated=True),
                            name="reply_phrases_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("match", "whole"), ("reading", "auto_reply"), _connector="OR"),
                            name="reply_phrases_whole_text",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("reading", "word"), models.Q(("word_list", ""), _negated=True)),
                                models.Q(models.Q(("reading", "word"), _negated=True), ("word_list", "")),
                                _connector="OR",
                            ),
                            name="reply_phrases_word_list",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ReplyPhraseHistory",
                fields=[
                    ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                    ("pgh_label", models.TextField(help_text="The event label.")),
                    ("id", models.BigIntegerField()),
                    (
                        "reading",
                        models.TextField(
                            choices=[
                                ("opted_out", "Stop messages"),
                                ("opted_in", "Start messages again"),
                                ("to_group", "Switch to the group chat"),
                                ("to_individual", "Switch to the individual chat"),
                                ("goodbye_response_1", "Answer 1: confused"),
                                ("goodbye_response_2", "Answer 2: busy"),
                                ("goodbye_response_3", "Answer 3: all good"),
                                ("number_1", "Number 1"),
                                ("number_2", "Number 2"),
                                ("number_3", "Number 3"),
                                ("unclear", "Not clear: ask again"),
                                ("auto_reply", "Automatic reply"),
                                ("courtesy", "Courtesy, ignored at both ends"),
                                ("greeting", "Greeting, ignored at both ends"),
                                ("before_number", "Words before a number"),
                                ("choosing", "Words of choosing, before a digit"),
                                ("word", "Word of a list"),
                            ],
                            verbose_name="meaning",
                        ),
                    ),
                    (
                        "language",
                        models.TextField(
                            choices=[("en", "English"), ("pt", "Portuguese"), ("es", "Spanish")],
                            verbose_name="language",
                        ),
                    ),
                    (
                        "phrase",
                        models.CharField(
                            help_text="(words) in parentheses are optional, {name} is any word of that list, ... is up to four words.",
                            max_length=200,
                            verbose_name="phrase",
                        ),
                    ),
                    (
                        "match",
                        models.TextField(
                            choices=[("whole", "Whole text"), ("start", "Start of the text"), ("anywhere", "Anywhere")],
                            db_default="whole",
                            default="whole",
                            help_text="Automatic replies may be recognised by a part of the text; everything else by the whole text.",
                            verbose_name="found in",
                        ),
                    ),
                    (
                        "word_list",
                        models.CharField(
                            blank=True,
                            db_default="",
                            default="",
                            help_text="The list that a word belongs to; empty for a phrase.",
                            max_length=50,
                            verbose_name="word list",
                        ),
                    ),
                    (
                        "is_enabled",
                        models.BooleanField(
                            db_default=True,
                            default=True,
                            help_text="A phrase that is not in use is never matched.",
                            verbose_name="in use",
                        ),
                    ),
                    ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
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
                        "pgh_obj",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="history",
                            related_query_name="history",
                            to="engagement.replyphrase",
                        ),
                    ),
                ],
                options={
                    "db_table": "reply_phrases_history",
                    "indexes": [models.Index(fields=["pgh_obj", "-pgh_id"], name="reply_phrases_history_of")],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="replyphrase",
                trigger=pgtrigger.compiler.Trigger(
                    name="insert_insert",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "reply_phrases_history" ("id", "is_enabled", "language", "match", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phrase", "reading", "word_list") SELECT new_values."id", new_values."is_enabled", new_values."language", new_values."match", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."phrase", new_values."reading", new_values."word_list" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="b64c0d0f3edac7847e4e4594df196f280e61d160",
                        level="STATEMENT",
                        operation="INSERT",
                        pgid="pgtrigger_insert_insert_e9ff0",
                        referencing="REFERENCING NEW TABLE AS new_values ",
                        table="reply_phrases",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="replyphrase",
                trigger=pgtrigger.compiler.Trigger(
                    name="update_update",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "reply_phrases_history" ("id", "is_enabled", "language", "match", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phrase", "reading", "word_list") SELECT new_values."id", new_values."is_enabled", new_values."language", new_values."match", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."phrase", new_values."reading", new_values."word_list" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."is_enabled" IS DISTINCT FROM (new_values."is_enabled") OR old_values."language" IS DISTINCT FROM (new_values."language") OR old_values."match" IS DISTINCT FROM (new_values."match") OR old_values."phrase" IS DISTINCT FROM (new_values."phrase") OR old_values."reading" IS DISTINCT FROM (new_values."reading") OR old_values."word_list" IS DISTINCT FROM (new_values."word_list")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                        hash="aa0b5704388d3639e584a167aa4138a871e90bde",
                        level="STATEMENT",
                        operation="UPDATE",
                        pgid="pgtrigger_update_update_d0cfd",
                        referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                        table="reply_phrases",
                        when="AFTER",
                    ),
                ),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name="replyphrase",
                trigger=pgtrigger.compiler.Trigger(
                    name="delete_delete",
                    sql=pgtrigger.compiler.UpsertTriggerSql(
                        func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "reply_phrases_history" ("id", "is_enabled", "language", "match", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phrase", "reading", "word_list") SELECT old_values."id", old_values."is_enabled", old_values."language", old_values."match", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."phrase", old_values."reading", old_values."word_list" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                        hash="10b861d200d98237f3d38ad9c645891a77864046",
                        level="STATEMENT",
                        operation="DELETE",
                        pgid="pgtrigger_delete_delete_f1d45",
                        referencing="REFERENCING OLD TABLE AS old_values ",
                        table="reply_phrases",
                        when="AFTER",
                    ),
                ),
            ),
            SQLFile("engagement/triggers/reply_phrases"),
            SQLFile("engagement/policies_reply_phrases"),
        ),
    ]
