"""Every table of this site is in the audit, or has a reason not to be."""

from django.apps import apps

from missionsite.common.audit import sources

OURS = {"auth", "common", "engagement", "fallback", "groups", "missiondeck", "missionsite"}
COUNTED = "The database or a job counts it from rows that are audited or events."
RECORD = "It is itself a record that no one changes: append-only, or written once."
FOREIGN = "It repeats what another system reported; decisions about it are audited."
MACHINE = "State of a process, a queue or a cache; no one decides it."
OWN = "A member's own view of the site, without effect on others."
EVENTS = "Each decision about it is an event, which is in the audit; the rest is work of a job."
REASONS = {
    COUNTED: """
        fallback.BacklogRollup fallback.MetricsRefresh fallback.MissionFallbackAllowance fallback.MissionFallbackSample
        fallback.MissionForecast fallback.ProposalRollup groups.MemberDailyHighlight groups.MissionCount
        groups.MissionCounter missiondeck.LatestRun missionsite.SiteFigure
    """,
    RECORD: """
        auth.Permission common.AuditActor common.AuditBlock common.AuditDetails common.AuditEntry common.RetentionRun
        fallback.AuditEvent fallback.MissionDocumentVersion fallback.MissionEvent groups.CommunityInvitationUse
        groups.MemberMerge groups.MemberParticipation groups.MergedRow missiondeck.ChatMessage missiondeck.ClientCode
        missiondeck.ClientComment missiondeck.ClientSignature missiondeck.DodComment missiondeck.EvidenceChange
        missiondeck.EvidenceFile groups.MemberRelationship
    """,
    FOREIGN: """
        fallback.GithubCheckRun fallback.GithubDelivery fallback.GithubPrComment fallback.GithubPrReview
        fallback.GithubPullRequest fallback.CodeAgentSession fallback.WorkstationRepository fallback.WorkstationSession
        fallback.WorkstationWorktree engagement.InboundMessage missiondeck.TestResult missiondeck.TestRun
        missiondeck.TestRunLogPage missiondeck.TestRunPart
    """,
    MACHINE: """
        common.Heartbeat common.IdempotencyKey common.WorkerProcess engagement.EngagementClaim
        engagement.EngagementTransport engagement.Mailbox engagement.SequenceMember missiondeck.Delivery
        missiondeck.Notice fallback.Notification engagement.MemberAddress
    """,
    OWN: """
        fallback.MissionStar fallback.ProjectStar missionsite.Favourite missionsite.SavedView
    """,
    EVENTS: """
        engagement.EngagementMessage engagement.UnassignedMessage engagement.UserEngagementState
        fallback.MissionFallbackRun groups.ImportMapping groups.PeopleJob groups.PossibleDuplicate groups.Tag
        groups.Tagging groups.Note groups.CustomField groups.CustomValue common.BulkEdit common.BulkEditRow
    """,
}


def test_every_table_is_audited_or_has_a_reason():
    without = {label for labels in REASONS.values() for label in labels.split()}
    written = {table for _name, table in sources.expected_triggers()}
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in OURS and not model._meta.proxy
    ]
    tables = {model._meta.label: model._meta.db_table for model in models}
    # Rows whose every version is kept by pghistory, with who changed it.
    history = {label for label in tables if f"{label}History" in tables}
    logs = {label for label in tables if label.removesuffix("History") in history and label.endswith("History")}
    audited = {label for label, table in tables.items() if table in written}
    assert set(tables) - audited - history - logs == without
