"""History of templates, profiles and reply phrases: one row for each change."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models

from engagement.models.phrases import ReplyPhrase
from engagement.models.profiles import UserProfile
from engagement.models.templates import MessageTemplate
from missionsite.common.audit.history import history_of

if TYPE_CHECKING:
    # A type checker follows neither a base class nor a manager that is made when the module is loaded.
    from pghistory.models import Event as PhraseChange
    from pghistory.models import Event as ProfileChange
    from pghistory.models import Event as TemplateChange
else:
    PhraseChange = history_of(ReplyPhrase)
    ProfileChange = history_of(UserProfile)
    TemplateChange = history_of(MessageTemplate)


class UserProfileHistory(ProfileChange):
    """Changes of profiles."""

    pgh_id = models.BigAutoField(primary_key=True)

    _default_manager: ClassVar[models.Manager[UserProfileHistory]]

    class Meta:
        db_table = "user_profiles_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="user_profiles_history_of")]


class MessageTemplateHistory(TemplateChange):
    """Changes of templates."""

    pgh_id = models.BigAutoField(primary_key=True)

    _default_manager: ClassVar[models.Manager[MessageTemplateHistory]]

    class Meta:
        db_table = "message_templates_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="message_templates_history_of")]


class ReplyPhraseHistory(PhraseChange):
    """Changes of reply phrases."""

    pgh_id = models.BigAutoField(primary_key=True)

    _default_manager: ClassVar[models.Manager[ReplyPhraseHistory]]

    class Meta:
        db_table = "reply_phrases_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="reply_phrases_history_of")]
