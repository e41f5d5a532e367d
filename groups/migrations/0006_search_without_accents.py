from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

import missionsite.common.search_words
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    dependencies = [
        ("groups", "0005_labels"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="communitymember", name="community_words"),
        migrations.RemoveIndex(model_name="group", name="groups_name_words"),
        migrations.RemoveIndex(model_name="member", name="members_name_words"),
        migrations.RemoveIndex(model_name="task", name="tasks_title_words"),
        SQLFile("groups/functions/search_words", version=1),
        migrations.AddIndex(
            model_name="communitymember",
            index=GinIndex(missionsite.common.search_words.SearchWords("name", "organization"), name="community_words"),
        ),
        migrations.AddIndex(
            model_name="group",
            index=GinIndex(missionsite.common.search_words.SearchWords("name"), name="groups_name_words"),
        ),
        migrations.AddIndex(
            model_name="member",
            index=GinIndex(missionsite.common.search_words.SearchWords("display_name"), name="members_name_words"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=GinIndex(missionsite.common.search_words.SearchWords("title"), name="tasks_title_words"),
        ),
    ]
