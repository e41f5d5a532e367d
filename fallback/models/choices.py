"""The words a column may hold: TEXT with a CHECK, so that adding one needs no new type."""

from django.db.models import IntegerChoices, TextChoices


class OrganizationRole(TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Administrator"
    MEMBER = "member", "Member"


class ProjectRole(TextChoices):
    """What a person may do in a project; each role includes the ones before it."""

    VIEWER = "viewer", "Viewer"
    CONTRIBUTOR = "contributor", "Contributor"
    REVIEWER = "reviewer", "Reviewer"
    MAINTAINER = "maintainer", "Maintainer"


class Privacy(TextChoices):
    PRIVATE = "private", "Private: only its members"
    ORGANIZATION = "organization", "Organisation: everyone in it may look"


class ProjectStatus(TextChoices):
    ACTIVE = "active", "Active"
    ARCHIVED = "archived", "Archived"


class List(TextChoices):
    TODO = "todo", "Todo"
    DOING = "doing", "Doing"
    REVIEW = "review", "Review"
    DONE = "done", "Done"


class PrMode(TextChoices):
    DISABLED = "disabled", "Disabled"
    ENABLED = "enabled", "Enabled"
    AUTO = "auto", "Automatic"


class Origin(TextChoices):
    """Where a mission comes from."""

    MANUAL = "manual", "Manual"
    FALLBACK = "fallback", "Fallback"
    IMPORTED = "imported", "Imported"


class EventOrigin(TextChoices):
    """Who caused an event."""

    SYSTEM = "system", "System"
    USER = "user", "Person"
    AGENT = "agent", "Agent"
    FALLBACK = "fallback", "Fallback"


class AgentStatus(TextChoices):
    INACTIVE = "inactive", "Inactive"
    PUSHING = "pushing", "Pushing"
    ACTIVE = "active", "Active"


class ReviewStatus(TextChoices):
    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"


class ConfigStatus(TextChoices):
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    SNOOZED = "snoozed", "Snoozed"


class Trigger(TextChoices):
    AUTOMATIC = "automatic", "Automatic"
    MANUAL = "manual", "By hand"
    API = "api", "API"


class RunStatus(TextChoices):
    PENDING = "pending", "Pending"
    AWAITING_REVIEW = "awaiting_review", "Awaiting review"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"
    ERRORED = "errored", "Errored"


class ItemStatus(TextChoices):
    PROPOSED = "proposed", "Proposed"
    ACCEPTED = "accepted", "Accepted"
    DISCARDED = "discarded", "Discarded"


class DiscardReason(TextChoices):
    NOT_NEEDED = "not_needed", "Not needed now"
    DUPLICATE = "duplicate", "Duplicate of another mission"
    TOO_LARGE = "too_large", "Too large"
    UNCLEAR = "unclear", "Unclear"
    WRONG_TEMPLATE = "wrong_template", "The template is out of date"
    RUN_CANCELLED = "run_cancelled", "The run was cancelled"
    OTHER = "other", "Other: see the feedback"


class Guardrail(TextChoices):
    WEEK = "weekly_mission_cap", "Weekly cap"
    MONTH = "monthly_target_hours", "Monthly hours"
    TEMPLATES = "no_enabled_template", "No enabled template"


class Period(TextChoices):
    WEEK = "week", "Week"
    MONTH = "month", "Month"


class Priority(IntegerChoices):
    """The higher, the sooner."""

    LOWEST = 1, "Lowest"
    LOW = 2, "Low"
    NORMAL = 3, "Normal"
    HIGH = 4, "High"
    HIGHEST = 5, "Highest"


class WorkstationStatus(TextChoices):
    ONLINE = "online", "Online"
    OFFLINE = "offline", "Offline"


class WorktreeStatus(TextChoices):
    IDLE = "idle", "Idle"
    ACTIVE = "active", "Active"


class AgentSessionStatus(TextChoices):
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class PullRequestState(TextChoices):
    OPEN = "open", "Open"
    MERGED = "merged", "Merged"
    CLOSED = "closed", "Closed"


class AccessRequestStatus(TextChoices):
    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"
    EXPIRED = "expired", "Expired"


class Channel(TextChoices):
    IN_APP = "in_app", "In the back office"
    EMAIL = "email", "E-mail"
