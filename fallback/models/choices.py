"""The choices of columns: TEXT with a CHECK, so that a new value needs no new type."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _

from missionsite.common.annotations import StrOrPromise


class OrganizationRole(TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Administrator")
    MEMBER = "member", _("Member")


class ProjectRole(TextChoices):
    """The role of a member in a project. Each role includes the ones before it."""

    VIEWER = "viewer", _("Viewer")
    CONTRIBUTOR = "contributor", _("Contributor")
    REVIEWER = "reviewer", _("Reviewer")
    MAINTAINER = "maintainer", _("Maintainer")


class Privacy(TextChoices):
    PRIVATE = "private", _("Private: members only")
    ORGANIZATION = "organization", _("Organisation: everyone in it can view")


class ProjectStatus(TextChoices):
    ACTIVE = "active", _("Active")
    ARCHIVED = "archived", _("Archived")


class List(TextChoices):
    TODO = "todo", _("Todo")
    DOING = "doing", _("Doing")
    REVIEW = "review", _("Review")
    DONE = "done", _("Done")


class PrMode(TextChoices):
    DISABLED = "disabled", _("Disabled")
    ENABLED = "enabled", _("Enabled")
    AUTO = "auto", _("Automatic")


class MissionOrigin(TextChoices):
    """How a mission was created."""

    MANUAL = "manual", _("Manual")
    FALLBACK = "fallback", _("Fallback")
    IMPORTED = "imported", _("Imported")


class AgentStatus(TextChoices):
    INACTIVE = "inactive", _("Inactive")
    PUSHING = "pushing", _("Pushing")
    ACTIVE = "active", _("Active")


class ReviewStatus(TextChoices):
    PENDING = "pending", _("Pending")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class ConfigStatus(TextChoices):
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    SNOOZED = "snoozed", _("Snoozed")


class Trigger(TextChoices):
    AUTOMATIC = "automatic", _("Automatic")
    MANUAL = "manual", _("Manual")
    API = "api", _("API")


class RunStatus(TextChoices):
    PENDING = "pending", _("Pending")
    AWAITING_REVIEW = "awaiting_review", _("Awaiting review")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")
    ERRORED = "errored", _("Errored")


class ItemStatus(TextChoices):
    PROPOSED = "proposed", _("Proposed")
    ACCEPTED = "accepted", _("Accepted")
    DISCARDED = "discarded", _("Discarded")


class DiscardReason(TextChoices):
    NOT_NEEDED = "not_needed", _("Not needed now")
    WRONG_TIME = "wrong_time", _("Wrong time: not before a date")
    DUPLICATE = "duplicate", _("Duplicate of another mission")
    TOO_LARGE = "too_large", _("Too large")
    UNCLEAR = "unclear", _("Unclear")
    WRONG_TEMPLATE = "wrong_template", _("Template out of date")
    RUN_CANCELLED = "run_cancelled", _("Run cancelled")
    OTHER = "other", _("Other (see feedback)")

    @classmethod
    def of_reviewers(cls) -> list[tuple[str, StrOrPromise]]:
        """Return the choices of a reviewer; the others are set by the site."""
        return [choice for choice in cls.choices if choice[0] != cls.RUN_CANCELLED]


class Guardrail(TextChoices):
    WEEK = "weekly_mission_cap", _("Weekly cap")
    MONTH = "monthly_target_hours", _("Monthly hours")
    TEMPLATES = "no_enabled_template", _("No enabled template")
    REST = "template_rests", _("Rests after a discard")
    MAX_OPEN = "max_open", _("Open already")
    DUPLICATE = "duplicate_open", _("Duplicate is in Todo")
    SNOOZED = "proposal_snoozed", _("Proposal snoozed")


class Schedule(TextChoices):
    WEEKLY = "weekly", _("Every week")
    MONTHLY = "monthly", _("Every month")


class Period(TextChoices):
    WEEK = "week", _("Week")
    MONTH = "month", _("Month")


class Priority(IntegerChoices):
    """The priority of a mission; higher is more urgent."""

    LOWEST = 1, _("Lowest")
    LOW = 2, _("Low")
    NORMAL = 3, _("Normal")
    HIGH = 4, _("High")
    HIGHEST = 5, _("Highest")


class WorkstationStatus(TextChoices):
    ONLINE = "online", _("Online")
    OFFLINE = "offline", _("Offline")


class WorktreeStatus(TextChoices):
    IDLE = "idle", _("Idle")
    ACTIVE = "active", _("Active")


class AgentSessionStatus(TextChoices):
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    TIMED_OUT = "timed_out", _("Timed out")


class PullRequestState(TextChoices):
    OPEN = "open", _("Open")
    MERGED = "merged", _("Merged")
    CLOSED = "closed", _("Closed")


class CommentKind(TextChoices):
    CONVERSATION = "conversation", _("On the conversation")
    LINE = "line", _("On a line")


class PrReviewState(TextChoices):
    APPROVED = "approved", _("Approved")
    CHANGES_REQUESTED = "changes_requested", _("Changes requested")
    COMMENTED = "commented", _("Commented")
    DISMISSED = "dismissed", _("Dismissed")
    PENDING = "pending", _("Pending")


class DeliveryOutcome(TextChoices):
    APPLIED = "applied", _("Applied")
    IGNORED = "ignored", _("Ignored")


class OnMerge(TextChoices):
    """Where a mission moves when its pull request is merged."""

    DONE = "done", _("Done")
    REVIEW = "review", _("Review")
    NOTHING = "nothing", _("Nowhere")


class NotificationKind(TextChoices):
    """The kinds of this app; other apps may add notifications of their own."""

    PROPOSAL_WAITING = "proposal.waiting", _("Proposals to review")
    RUN_FAILED = "run.failed", _("Run failed")
    GUARDRAIL_REACHED = "guardrail.reached", _("Guardrail reached")
    ACCESS_REQUESTED = "access.requested", _("Access requested")
    ACCESS_DECIDED = "access.decided", _("Access request decided")
    MENTION = "mention", _("Mention in a comment")
    MISSION_ASSIGNED = "mission.assigned", _("Mission assigned")
    REVIEW_REQUESTED = "review.requested", _("Review requested")
    DEPUTY_NAMED = "deputy.named", _("Deputy during an absence")
    TEMPLATE_UPDATED = "template.updated", _("Template of the library changed")
    STARRED_MOVED = "starred.moved", _("Starred mission moved")


class AssignmentKind(TextChoices):
    """For what a mission is assigned. A proposal is assigned for review."""

    WORK = "work", _("Work")
    REVIEW = "review", _("Review")


class AccessRequestStatus(TextChoices):
    PENDING = "pending", _("Pending")
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Expired")


class Channel(TextChoices):
    IN_APP = "in_app", _("In the back office")
    EMAIL = "email", _("E-mail at once")
    DIGEST = "digest", _("Daily e-mail")
