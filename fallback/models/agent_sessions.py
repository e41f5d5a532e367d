from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE
from fallback.models.choices import AgentSessionStatus
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.ids import UlidField
from missionsite.common.querysets import QuerySet


class CodeAgentSession(models.Model):
    """One attempt of an agent at a mission. While it runs, the agent sends heartbeats."""

    id = UlidField()
    mission = models.ForeignKey(
        "fallback.Mission", BY_DATABASE, related_name="agent_sessions", db_index=False, verbose_name=_("mission")
    )
    workstation = models.ForeignKey(
        "fallback.Workstation",
        BY_DATABASE,
        null=True,
        blank=True,
        related_name="agent_sessions",
        verbose_name=_("workstation"),
    )
    agent = models.CharField(_("agent"), max_length=120)
    status = models.TextField(
        _("status"),
        choices=AgentSessionStatus,
        default=AgentSessionStatus.RUNNING,
        db_default=AgentSessionStatus.RUNNING,
    )
    # Relative to the document root: logs/{sessionId}.log
    log_path = models.TextField(_("path of the log"), blank=True, default="", db_default="")
    # Of the file.
    log_bytes = models.IntegerField(_("size of the log"), default=0, db_default=0)
    error = models.TextField(_("error"), blank=True, default="", db_default="")
    started_at = models.DateTimeField(_("started"), db_default=TransactionNow())
    last_heartbeat_at = models.DateTimeField(_("last heartbeat"), db_default=TransactionNow())
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "code_agent_sessions"
        verbose_name = _("agent session")
        verbose_name_plural = _("agent sessions")
        ordering = [F("started_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("code_agent_sessions", "agent", "log_path"),
            choices_check("code_agent_sessions", "status", AgentSessionStatus),
            UniqueConstraint(
                fields=["mission"],
                condition=Q(status="running"),
                name="code_agent_sessions_one_running",
                violation_error_code="mission_claimed",
                violation_error_message=_("Another agent works on this mission."),
            ),
            CheckConstraint(
                condition=Q(status="running", ended_at__isnull=True)
                | (~Q(status="running") & Q(ended_at__isnull=False)),
                name="code_agent_sessions_end_fits_status",
                violation_error_message=_("A session has an end exactly if it no longer runs."),
            ),
            CheckConstraint(
                condition=Q(log_bytes__range=(0, rules.AGENT_LOG_BYTES)),
                name="code_agent_sessions_log_size",
                violation_error_code="log_full",
                violation_error_message=_("The log of this session is full."),
            ),
        ]
        indexes = [
            models.Index(F("mission"), F("started_at").desc(), F("id").desc(), name="code_agent_sessions_of_mission"),
            # The job that ends sessions without heartbeats.
            models.Index(
                fields=["last_heartbeat_at"], condition=Q(status="running"), name="code_agent_sessions_running"
            ),
        ]

    def __str__(self) -> str:
        return self.agent

    @property
    def is_running(self) -> bool:
        return self.status == AgentSessionStatus.RUNNING
