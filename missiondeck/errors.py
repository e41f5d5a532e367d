"""Errors of rules that Python, triggers and SQL functions check. Constraints of models have their own messages."""

from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from missiondeck.rules import (
    CODE_BLOCKS,
    LOGS_BYTES,
    MAX_EVIDENCE,
    MAX_FEEDS,
    MAX_ITEMS,
    MAX_LINKS,
    MAX_WEBHOOKS,
    MESSAGE_LENGTH,
    RESULTS_BYTES,
)
from missionsite.common.errors import DomainError


class StatusChangeRejected(DomainError):
    message = _("The status changes one step at a time: Active, In QA, Complete, and back in the same order.")
    code = "status_change_rejected"
    constraint = "deck_missions_one_step"
    field = "to"


class StepBackReasonMissing(DomainError):
    message = _("Enter a reason to move the mission back.")
    code = "step_back_reason_missing"
    constraint = "deck_missions_reason_required"
    field = "reason"
    status = 422


class NotDone(DomainError):
    """The mission cannot be completed; the message lists what is missing."""

    message = _("This mission cannot be completed yet.")
    code = "not_done"
    constraint = "deck_missions_complete_is_done"

    def __init__(self, *, missing: list[dict] | None = None) -> None:
        """missing: the value of deck_mission_missing()."""
        self.missing = missing or []
        # Added to the problem document.
        self.extensions = {"missing": self.missing}
        super().__init__(" ".join([str(self.message), *missing_sentences(self.missing)]))


def missing_sentences(missing: list[dict]) -> list[str]:
    """One sentence for each reason why a mission cannot be completed. missing: the value of deck_mission_missing()."""
    return [missing_sentence(each) for each in missing]


def missing_sentence(missing: dict) -> str:
    match missing["what"], missing.get("status"):
        case "no_items", _status:
            return gettext("The definition of done has no items.")
        case "open_items", _status:
            return _open_items(missing["count"], missing["items"])
        case "no_test_run", _status:
            return gettext("There is no test run yet.")
        case "test_run", "running":
            return gettext("The latest test run is still running.")
        case "test_run", _status:
            return gettext("The latest test run failed.")
        case "earlier_test_run", "running":
            return gettext("An earlier test run is still running.")
        case "earlier_test_run", _status:
            return gettext("An earlier test run ended after the latest one and failed.")
        case "later_test_run", _status:
            return gettext("A later test run without a commit failed.")
        case "suite", "running":
            return gettext("The latest run of %(suite)s is still running.") % {"suite": suite_label(missing)}
        case "suite", _status:
            return gettext("The latest run of %(suite)s failed.") % {"suite": suite_label(missing)}
        case "open_run", _status:
            return gettext("A run of %(suite)s is still running.") % {"suite": suite_label(missing)}
        case "suite_missing", _status:
            return gettext("The required suite %(suite)s has not run.") % {"suite": missing["suite"]}
        case "too_many_failures", _status:
            text = gettext("%(count)s tests failed; at most %(limit)s may fail.")
            return text % {"count": f"{missing['count']:,}", "limit": f"{missing['limit']:,}"}
        case "too_few_tests", _status:
            text = gettext("%(count)s tests ran; at least %(limit)s are required.")
            return text % {"count": f"{missing['count']:,}", "limit": f"{missing['limit']:,}"}
        case "vanished_tests", _status:
            return _vanished(missing["count"], missing["tests"])
        case "too_old", _status:
            return ngettext(
                "The tests ran more than %(limit)s day ago.",
                "The tests ran more than %(limit)s days ago.",
                missing["limit"],
            ) % {"limit": missing["limit"]}
    raise ValueError(missing["what"])


def suite_label(run: dict) -> str:
    """The suite and environment of a run: "unit (Python 3.12)". run: a value of deck_gate()."""
    suite = run.get("suite") or gettext("the tests")
    return f"{suite} ({run['environment']})" if run.get("environment") else suite


def _vanished(count: int, tests: list[str]) -> str:
    named = "; ".join(tests[:5])
    if count > 5:
        named = gettext("%(items)s; and %(count)s more") % {"items": named, "count": f"{count - 5:,}"}
    sentence = ngettext(
        "%(count)s test of the baseline did not run: %(tests)s.",
        "%(count)s tests of the baseline did not run: %(tests)s.",
        count,
    )
    return sentence % {"count": f"{count:,}", "tests": named}


def _open_items(count: int, items: list[str]) -> str:
    named = "; ".join(items)
    if count > len(items):
        named = gettext("%(items)s; and %(count)s more") % {"items": named, "count": f"{count - len(items):,}"}
    sentence = ngettext("%(count)s item is open: %(items)s.", "%(count)s items are open: %(items)s.", count)
    return sentence % {"count": f"{count:,}", "items": named}


class CompletionSnapshotStale(DomainError):
    message = _("A mission can only be completed in a READ COMMITTED transaction.")
    code = "completion_snapshot_stale"
    constraint = "deck_missions_complete_read_committed"


class NewMissionNotActive(DomainError):
    message = _("A new client mission must be active.")
    code = "new_mission_not_active"
    constraint = "deck_missions_begin_active"
    field = "status"


class MissionFieldsImmutable(DomainError):
    message = _("The number and the completion details of a client mission cannot be changed.")
    code = "mission_fields_immutable"
    constraint = "deck_missions_immutable_fields"


class StatusChangesImmutable(DomainError):
    message = _("Recorded status changes cannot be edited or deleted.")
    code = "status_changes_immutable"
    constraint = "deck_status_changes_append_only"


class CitizenUnknown(DomainError):
    message = _("This citizen does not exist. Choose another one.")
    code = "citizen_unknown"
    constraint = "chat_messages_citizen_known"
    field = "citizen"


class CitizenDisabled(DomainError):
    message = _("No messages can be added for this citizen any more.")
    code = "citizen_disabled"
    field = "citizen"


class ChecklistClosed(DomainError):
    message = _("The mission is complete, so its definition of done is locked. Move the mission back to QA first.")
    code = "checklist_closed"
    constraint = "dod_items_closed"


class TooManyItems(DomainError):
    message = format_lazy(_("A mission can have at most {limit:,} items. Remove one first."), limit=MAX_ITEMS)
    code = "too_many_items"
    constraint = "dod_items_limit"


class EvidenceNotMet(DomainError):
    message = _("The evidence of this item is not met yet. It is ticked as soon as it is.")
    code = "evidence_not_met"
    constraint = "dod_items_evidence_met"


class ItemDoneByEvidence(DomainError):
    message = _("This item is done by its evidence. Remove the evidence to open it by hand.")
    code = "item_done_by_evidence"
    constraint = "dod_items_evidence_ticks"


class TemplateInvalid(DomainError):
    """reason: one of `messages`. value: the item, the role or the value. detail: the error of the evidence."""

    message = _("Enter each item as a line of its own, without control characters.")
    messages = {
        "twice": _("The item “{value}” is in the template twice."),
        "role": _("There is no role “{value}” for a sign-off."),
        "evidence": _("The evidence “{value}” is not valid: {detail}"),
    }
    code = "template_invalid"
    constraint = "deck_dod_templates_items_shape"
    status = 422

    def __init__(self, reason: str = "", value: str = "", detail: str = "") -> None:
        message = self.messages.get(reason)
        super().__init__(format_lazy(message, value=value, detail=detail) if message else None)


class TemplateDisabled(DomainError):
    message = _("This template is not offered any more. Choose another one.")
    code = "template_disabled"


class RoleUnknown(DomainError):
    message = _("There is no role with this name.")
    code = "role_unknown"
    field = "value"
    status = 422


class TooManyWebhooks(DomainError):
    message = format_lazy(_("A mission can have at most {limit} webhooks. Revoke one first."), limit=MAX_WEBHOOKS)
    code = "too_many_webhooks"
    field = "url"
    status = 422


class OtherRepository(DomainError):
    message = _("The pull request must belong to the repository of the mission.")
    code = "other_repository"
    field = "value"
    status = 422


class FileMissing(DomainError):
    message = _("Choose a file, and only for evidence of the kind file.")
    code = "file_missing"
    field = "file"
    status = 422


class TooMuchEvidence(DomainError):
    message = format_lazy(_("An item can have at most {limit} pieces of evidence."), limit=MAX_EVIDENCE)
    code = "too_much_evidence"


class SignatureNeedsRole(DomainError):
    """The actor does not have the role that signs."""

    message = _("Only members with the role of this sign-off can sign it.")
    code = "signature_needs_role"
    status = 403

    def __init__(self, *, role: str = "") -> None:
        super().__init__(
            gettext("Only members with the role %(role)s can sign this.") % {"role": role} if role else None
        )


class TooManyLinks(DomainError):
    message = format_lazy(_("A mission can have at most {limit} valid links. Revoke one first."), limit=MAX_LINKS)
    code = "too_many_links"


class TooManyComments(DomainError):
    message = _("Too many comments. Try again in an hour.")
    code = "too_many_comments"


class TooManyCodes(DomainError):
    message = _("Too many codes were sent. Try again in an hour.")
    code = "too_many_codes"


class CodeWrong(DomainError):
    message = _("This code is wrong or no longer valid. Ask for a new one.")
    code = "code_wrong"
    field = "code"
    status = 422


class ItemMissionImmutable(DomainError):
    message = _("An item cannot be moved to another mission.")
    code = "item_mission_immutable"
    constraint = "dod_items_mission_immutable"


class CodeBlocksInvalid(DomainError):
    message = format_lazy(
        _(
            "Code blocks must be a list of at most {blocks}, each with a language and code"
            " (up to {length:,} characters)."
        ),
        blocks=CODE_BLOCKS,
        length=MESSAGE_LENGTH,
    )
    code = "code_blocks_invalid"
    constraint = "chat_messages_code_blocks_shape"
    field = "code_blocks"
    status = 422


class SummaryInvalid(DomainError):
    message = _(
        "A summary can have the keys passed, failed, errors, skipped, total and duration,"
        " and pairs such as unit_passed and unit_total."
    )
    code = "summary_invalid"
    constraint = "test_runs_summary_shape"
    field = "summary"
    status = 422


class ResultsInvalid(DomainError):
    message = _("Results must be a list; each needs a name and a status: passed, failed, error or skipped.")
    code = "results_invalid"
    constraint = "test_runs_results_shape"
    field = "results"
    status = 422


class StatusContradictsResults(DomainError):
    message = _("The status must follow from the results: passed if at least one test passed and none failed.")
    code = "status_contradicts_results"
    constraint = "test_runs_status_follows_from_results"
    field = "status"
    status = 422


class SummaryContradictsResults(DomainError):
    message = _("The counts in the summary do not match the results.")
    code = "summary_contradicts_results"
    constraint = "test_runs_summary_fits_results"
    field = "summary"
    status = 422


class RunFinished(DomainError):
    message = _("This test run is finished and cannot be changed.")
    code = "run_finished"
    constraint = "test_runs_finished_immutable"


class NoReportReceived(DomainError):
    message = _("No report of this run was received. Send its report, or give it up.")
    code = "no_report_received"
    field = "report"
    status = 422


class NothingToConfirm(DomainError):
    message = _("There is nothing to confirm: no test ran, or a chosen test has not vanished.")
    code = "nothing_to_confirm"
    status = 409


class NotInQuarantine(DomainError):
    message = _("This test is not in quarantine.")
    code = "not_in_quarantine"
    status = 409


class OwnerUnknown(DomainError):
    message = _("No member has this ID.")
    code = "owner_unknown"
    field = "owner"
    status = 422


class NothingToCompare(DomainError):
    message = _("There is no earlier run to compare with.")
    code = "nothing_to_compare"
    status = 409


class CiRunImmutable(DomainError):
    message = _("The commit, branch, build, suite, attempt and environment of a test run cannot be changed.")
    code = "ci_run_immutable"
    constraint = "test_runs_ci_run_immutable"


class RunMissionImmutable(DomainError):
    message = _("The mission and the start time of a test run cannot be changed.")
    code = "run_mission_immutable"
    constraint = "test_runs_mission_immutable"


class RunFinishTimeInconsistent(DomainError):
    message = _("A finished run needs a finish time; a running one must not have one.")
    code = "run_finish_time_inconsistent"
    constraint = "test_runs_finished_at_consistent"
    status = 422


class ReportAlreadyImported(DomainError):
    message = _("This file was already imported as the latest run of the mission.")
    code = "report_already_imported"
    constraint = "test_runs_file_unique"


class WarningsInvalid(DomainError):
    message = _("Warnings must be a list of texts, or of messages with a code and values.")
    code = "warnings_invalid"
    constraint = "test_runs_warnings_shape"
    status = 422


class LogsTooLarge(DomainError):
    message = format_lazy(_("Logs can be at most {size} MB."), size=LOGS_BYTES // 1024**2)
    code = "logs_too_large"
    constraint = "test_runs_logs_bounded"
    field = "logs"
    status = 422


class ResultsTooLarge(DomainError):
    message = format_lazy(_("The results of a run can be at most {size} MB."), size=RESULTS_BYTES // 1024**2)
    code = "results_too_large"
    constraint = "test_runs_results_bounded"
    field = "results"
    status = 422


class TooManyFeeds(DomainError):
    message = format_lazy(_("You already have {count} active feeds. Revoke one first."), count=MAX_FEEDS)
    code = "too_many_feeds"
