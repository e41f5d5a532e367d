"""History of templates and profiles: one row for each change."""

from django.db import models

from engagement.models.profiles import UserProfile
from engagement.models.templates import MessageTemplate
from missionsite.common.audit.history import history_of


class UserProfileHistory(history_of(UserProfile)):
    """Changes of profiles."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "user_profiles_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="user_profiles_history_of")]


class MessageTemplateHistory(history_of(MessageTemplate)):
    """Changes of templates."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "message_templates_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="message_templates_history_of")]
