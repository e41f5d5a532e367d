from django.db import migrations

from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """What the rules of the apps and erasing say about accounts."""

    dependencies = [
        ("missionsite", "0003_database_privileges"),
        ("common", "0006_role_requirements"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
        ("usersessions", "0001_initial"),
    ]

    operations = [
        SQLFile("missionsite/account_grants", version=1),
        SQLFile("groups/functions/erase_account", version=1),
        SQLFile("groups/triggers/community_members_account", version=1),
        SQLFile("missiondeck/functions/may_be_deck_assignee", version=2),
        SQLFile("missiondeck/functions/confirm_deck_assignee", version=1),
        SQLFile("missiondeck/triggers/account_emailaddress", version=1),
    ]
