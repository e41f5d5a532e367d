"""Errors of this app. The docstring of a class is its message."""

from missionsite.common.errors import DomainError


class StatusChangeRejected(DomainError):
    """The status changes one step at a time: Active, In QA, Complete, and back in the same order."""

    code = "status_change_rejected"
    constraint = "deck_missions_one_step"
    field = "to"


class StepBackReasonMissing(DomainError):
    """Enter a reason to move the mission back."""

    code = "step_back_reason_missing"
    constraint = "deck_missions_reason_required"
    field = "reason"
    status = 422


class NotDone(DomainError):
    """The mission is not done yet."""

    code = "not_done"
    constraint = "deck_missions_complete_is_done"

    def __init__(self, *, missing: list[dict] | None = None) -> None:
        """missing: the value of deck_mission_missing()."""
        self.missing = missing or []
        # Added to the problem document.
        self.extensions = {"missing": self.missing}
        sentences = missing_sentences(self.missing)
        super().__init__(f"This mission cannot be completed yet. {' '.join(sentences)}" if sentences else None)


def missing_sentences(missing: list[dict]) -> list[str]:
    """One sentence for each reason why a mission cannot be completed."""
    return [_SENTENCES[each["what"]](each) for each in missing]


def _open_items(missing: dict) -> str:
    count, named = missing["count"], "; ".join(missing["items"])
    more = f"; and {count - len(missing['items'])} more" if count > len(missing["items"]) else ""
    return f"{count} item{' is' if count == 1 else 's are'} open: {named}{more}."


_SENTENCES = {
    "no_items": lambda missing: "The definition of done has no items.",
    "open_items": _open_items,
    "no_test_run": lambda missing: "There is no test run yet.",
    "test_run": lambda missing: f"The latest test run {_LATEST_RUN[missing['status']]}.",
    "earlier_test_run": lambda missing: f"An earlier test run {_EARLIER_RUN[missing['status']]}.",
}
_LATEST_RUN = {"running": "is still running", "failed": "failed"}
_EARLIER_RUN = {"running": "is still running", "failed": "ended after the latest one and failed"}


class CompletionSnapshotStale(DomainError):
    """A mission can only be completed in a READ COMMITTED transaction."""

    code = "completion_snapshot_stale"
    constraint = "deck_missions_complete_read_committed"


class OverrideReasonMissing(DomainError):
    """Enter a reason to complete a mission that is not done."""

    code = "override_reason_missing"
    constraint = "deck_missions_override_reason_required"
    field = "reason"
    status = 422


class NewMissionNotActive(DomainError):
    """A new client mission must be active."""

    code = "new_mission_not_active"
    constraint = "deck_missions_begin_active"
    field = "status"


class MissionFieldsImmutable(DomainError):
    """The number and the completion details of a client mission cannot be changed."""

    code = "mission_fields_immutable"
    constraint = "deck_missions_immutable_fields"


class CompletionInconsistent(DomainError):
    """Only a complete mission has a completion time, person and override reason."""

    code = "completion_inconsistent"
    constraint = "deck_missions_completion_consistent"


class StatusChangesImmutable(DomainError):
    """Recorded status changes cannot be edited or deleted."""

    code = "status_changes_immutable"
    constraint = "deck_status_changes_append_only"


class NumberTaken(DomainError):
    """This number is already used by another client mission."""

    code = "number_taken"
    constraint = "deck_missions_number_unique"
    field = "number"


class NumberNotPositive(DomainError):
    """The number must be at least 1."""

    code = "number_not_positive"
    constraint = "deck_missions_number_positive"
    field = "number"
    status = 422


class TitleMissing(DomainError):
    """Enter a title."""

    code = "title_missing"
    constraint = "deck_missions_title_not_empty"
    field = "title"
    status = 422


class ClientMissing(DomainError):
    """Enter the name of the client."""

    code = "client_missing"
    constraint = "deck_missions_client_not_empty"
    field = "client"
    status = 422


class BudgetNotPositive(DomainError):
    """Enter a budget greater than 0."""

    code = "budget_not_positive"
    constraint = "deck_missions_budget_positive"
    field = "budget"
    status = 422


class DeadlineOutOfRange(DomainError):
    """Enter a deadline between the years 2000 and 2199."""

    code = "deadline_out_of_range"
    constraint = "deck_missions_deadline_range"
    field = "deadline"
    status = 422


class CurrencyInvalid(DomainError):
    """Enter a currency as three capital letters, such as USD, EUR or BRL."""

    code = "currency_invalid"
    constraint = "deck_missions_currency_form"
    field = "currency"
    status = 422


class AssigneeMissing(DomainError):
    """Enter the e-mail address of the assignee."""

    code = "assignee_missing"
    constraint = "deck_missions_assigned_to_form"
    field = "assigned_to"
    status = 422


class RepositoryInvalid(DomainError):
    """Enter the URL of a GitHub repository: https://github.com/owner/name."""

    code = "repository_invalid"
    constraint = "deck_missions_github_url_form"
    field = "github_url"
    status = 422


class ChecklistClosed(DomainError):
    """The mission is complete, so its definition of done is locked. Move the mission back to QA first."""

    code = "checklist_closed"
    constraint = "dod_items_closed"


class ItemMissionImmutable(DomainError):
    """An item cannot be moved to another mission."""

    code = "item_mission_immutable"
    constraint = "dod_items_mission_immutable"


class ItemCompletionInconsistent(DomainError):
    """A done item needs a completion time; an open item must not have one."""

    code = "item_completion_inconsistent"
    constraint = "dod_items_completion_consistent"


class ItemEmpty(DomainError):
    """Enter the text of the item."""

    code = "item_empty"
    constraint = "dod_items_text_not_empty"
    field = "text"
    status = 422


class MessageEmpty(DomainError):
    """Enter a message."""

    code = "message_empty"
    constraint = "chat_messages_message_not_empty"
    field = "message"
    status = 422


class MessageTooLong(DomainError):
    """A message can have at most 100,000 characters."""

    code = "message_too_long"
    constraint = "chat_messages_message_length"
    field = "message"
    status = 422


class CodeBlocksInvalid(DomainError):
    """Code blocks must be a list of at most 50, each with a language and code (up to 100,000 characters)."""

    code = "code_blocks_invalid"
    constraint = "chat_messages_code_blocks_shape"
    field = "code_blocks"
    status = 422


class SummaryInvalid(DomainError):
    """A summary may hold passed, failed, errors, skipped, total, duration, and pairs: unit_passed, unit_total."""

    code = "summary_invalid"
    constraint = "test_runs_summary_shape"
    field = "summary"
    status = 422


class ResultsInvalid(DomainError):
    """Results must be a list; each needs a name and a status: passed, failed, error or skipped."""

    code = "results_invalid"
    constraint = "test_runs_results_shape"
    field = "results"
    status = 422


class StatusContradictsResults(DomainError):
    """The status must follow from the results: passed if at least one test passed and none failed."""

    code = "status_contradicts_results"
    constraint = "test_runs_status_follows_from_results"
    field = "status"
    status = 422


class SummaryContradictsResults(DomainError):
    """The counts in the summary do not match the results."""

    code = "summary_contradicts_results"
    constraint = "test_runs_summary_fits_results"
    field = "summary"
    status = 422


class RunFinished(DomainError):
    """This test run is finished and cannot be changed."""

    code = "run_finished"
    constraint = "test_runs_finished_immutable"


class RunMissionImmutable(DomainError):
    """The mission and the start time of a test run cannot be changed."""

    code = "run_mission_immutable"
    constraint = "test_runs_mission_immutable"


class RunFinishTimeInconsistent(DomainError):
    """A finished run needs a finish time; a running one must not have one."""

    code = "run_finish_time_inconsistent"
    constraint = "test_runs_finished_at_consistent"


class ReportAlreadyImported(DomainError):
    """This file was already imported as the latest run of the mission."""

    code = "report_already_imported"
    constraint = "test_runs_file_unique"


class RunKeyTaken(DomainError):
    """This key was already used for another report. Use a new key for each run."""

    code = "run_key_taken"
    constraint = "test_runs_key_unique"


class RunKeyInvalid(DomainError):
    """A key must have 1 to 255 visible ASCII characters."""

    code = "run_key_invalid"
    constraint = "test_runs_key_form"
    status = 422


class DigestInvalid(DomainError):
    """A digest must have 64 lower-case hexadecimal digits."""

    code = "digest_invalid"
    constraint = "test_runs_digest_form"


class WarningsInvalid(DomainError):
    """Warnings must be a list of texts."""

    code = "warnings_invalid"
    constraint = "test_runs_warnings_shape"


class LogsTooLarge(DomainError):
    """Logs can be at most 64 MB."""

    code = "logs_too_large"
    constraint = "test_runs_logs_bounded"
    field = "logs"
    status = 422


class ResultsTooLarge(DomainError):
    """The results of a run can be at most 128 MB."""

    code = "results_too_large"
    constraint = "test_runs_results_bounded"
    field = "results"
    status = 422
