from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck import rules
from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missionsite.common.constraints import CheckConstraint, not_blank_check, one_line_checks
from missionsite.common.querysets import QuerySet


class ClientLink(TimestampedModel):
    """A link with which a client reads a mission without an account; only a digest of its secret is stored.

    email: the client's address; a link with one can also be used to sign, confirmed by a code sent to it.
    """

    mission = models.ForeignKey(
        "missiondeck.DeckMission",
        BY_DATABASE,
        related_name="client_links",
        db_index=False,
        verbose_name=_("client mission"),
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Who gets the link."))
    email = models.EmailField(
        _("e-mail address"),
        max_length=254,
        default="",
        db_default="",
        blank=True,
        help_text=_("To let this person sign the delivery with a code sent to the address; empty to view only."),
    )
    expires_at = models.DateTimeField(_("expires"))
    hides_deadline = models.BooleanField(_("without deadline"), default=False, db_default=False)
    hides_evidence = models.BooleanField(_("without evidence"), default=False, db_default=False)
    hides_tests = models.BooleanField(_("without test runs"), default=False, db_default=False)
    hides_budget = models.BooleanField(_("without budget"), default=False, db_default=False)
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("created by"),
    )
    last_read_at = models.DateTimeField(_("last read"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_client_links"
        verbose_name = _("link for a client")
        verbose_name_plural = _("links for clients")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("deck_client_links", "name", "email"),
            not_blank_check("deck_client_links", "name", _("Enter who gets the link."), code="name_missing"),
            CheckConstraint(
                condition=Q(expires_at__gt=F("created_at"))
                & Q(expires_at__lte=F("created_at") + timedelta(days=rules.MAX_LINK_DAYS, hours=1)),
                name="deck_client_links_expiry_range",
                violation_error_message=format_lazy(
                    _("A link can be valid for 1 to {limit} days."), limit=rules.MAX_LINK_DAYS
                ),
                violation_error_code="link_expiry_out_of_range",
                field="expires_at",
            ),
        ]
        indexes = [models.Index(F("mission"), F("created_at").desc(), name="deck_client_links_of_mission")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_valid(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def may_sign(self) -> bool:
        return bool(self.email)


class ClientCode(TimestampedModel):
    """A code sent to the address of a link, which confirms a signature once. Only a digest is stored."""

    link = models.ForeignKey(
        ClientLink, BY_DATABASE, related_name="codes", db_index=False, verbose_name=_("link for a client")
    )
    digest = models.CharField(_("digest"), max_length=64, editable=False)
    attempts = models.PositiveSmallIntegerField(_("wrong attempts"), default=0, db_default=0, editable=False)
    used_at = models.DateTimeField(_("used"), null=True, blank=True, editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_client_codes"
        verbose_name = _("code for a signature")
        verbose_name_plural = _("codes for signatures")
        ordering = [F("created_at").desc(), F("id").desc()]
        indexes = [models.Index(F("link"), F("created_at").desc(), name="deck_client_codes_of_link")]

    def __str__(self) -> str:
        return str(self.created_at)


class ClientSignature(TimestampedModel):
    """A delivery that a client signed. facts: what the page showed then; append-only."""

    link = models.ForeignKey(
        ClientLink, BY_DATABASE, related_name="signatures", db_index=False, verbose_name=_("link for a client")
    )
    name = models.CharField(_("name"), max_length=100)
    email = models.EmailField(_("e-mail address"), max_length=254)
    facts = models.JSONField(_("signed facts"))

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_client_signatures"
        verbose_name = _("signature of a client")
        verbose_name_plural = _("signatures of clients")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("deck_client_signatures", "name", "email"),
            not_blank_check("deck_client_signatures", "name", _("Enter your name."), code="name_missing"),
        ]
        indexes = [models.Index(F("link"), F("created_at").desc(), name="deck_client_signatures_of_link")]

    def __str__(self) -> str:
        return f"{self.name}, {self.created_at:%Y-%m-%d}"


class ClientComment(TimestampedModel):
    """A comment that a client wrote on the page of a link; append-only."""

    link = models.ForeignKey(
        ClientLink, BY_DATABASE, related_name="comments", db_index=False, verbose_name=_("link for a client")
    )
    text = models.TextField(_("text"))

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_client_comments"
        verbose_name = _("comment of a client")
        verbose_name_plural = _("comments of clients")
        ordering = ["created_at", "id"]
        constraints = [
            not_blank_check("deck_client_comments", "text", _("Enter a comment."), code="comment_missing"),
        ]
        indexes = [models.Index(fields=["link", "created_at"], name="deck_client_comments_of_link")]

    def __str__(self) -> str:
        return self.text[:50]
