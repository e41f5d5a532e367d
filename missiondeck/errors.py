"""Every rejection of this app in words."""

from missionsite.common.errors import DomainError


class StatusChangeRejected(DomainError):
    """A client mission goes one step at a time: active, in QA, complete, and back the same way."""

    code = "status_change_rejected"
    constraint = "deck_missions_one_step"
    field = "to"


class ReasonMissing(DomainError):
    """A step back takes a reason."""

    code = "reason_missing"
    constraint = "deck_missions_reason_required"
    field = "reason"
    status = 422


class NotDone(DomainError):
    """The mission is not done yet."""

    code = "not_done"
    constraint = "deck_missions_complete_is_done"

    def __init__(self, *, missing: list[dict] | None = None) -> None:
        """missing: as the database's deck_mission_missing() gives it."""
        self.missing = missing or []
        # For programs, beside the sentence.
        self.extensions = {"missing": self.missing}
        sentences = missing_sentences(self.missing)
        super().__init__(f"Not complete yet. {' '.join(sentences)}" if sentences else None)


def missing_sentences(missing: list[dict]) -> list[str]:
    """What keeps a mission from being complete, a sentence each."""
    return [_SENTENCES[each["what"]](each) for each in missing]


def _open_items(missing: dict) -> str:
    count, named = missing["count"], "; ".join(missing["items"])
    more = f"; and {count - len(missing['items'])} more" if count > len(missing["items"]) else ""
    return f"{count} item{' is' if count == 1 else 's are'} open: {named}{more}."


_SENTENCES = {
    "no_items": lambda missing: "Its definition of done is empty.",
    "open_items": _open_items,
    "no_test_run": lambda missing: "There is no test run.",
    "test_run": lambda missing: f"The latest test run {_RUN[missing['status']]}.",
    "earlier_test_run": lambda missing: f"A test run that began before the latest one {_LATER[missing['status']]}.",
}
_RUN = {"running": "is still running", "failed": "failed"}
_LATER = {"running": "is still running", "failed": "ended after it and failed"}


class CompletionSnapshotStale(DomainError):
    """A mission is completed by what holds now, in a transaction that sees it (READ COMMITTED)."""

    code = "completion_snapshot_stale"
    constraint = "deck_missions_complete_read_committed"


class OverrideReasonMissing(DomainError):
    """Completing a mission that is not done takes a reason and a person."""

    code = "override_reason_missing"
    constraint = "deck_missions_override_reason_required"
    field = "reason"
    status = 422


class NewMissionNotActive(DomainError):
    """A client mission begins active."""

    code = "new_mission_not_active"
    constraint = "deck_missions_begin_active"
    field = "status"


class MissionFieldsImmutable(DomainError):
    """The number of a client mission, and how it was completed, stay."""

    code = "mission_fields_immutable"
    constraint = "deck_missions_immutable_fields"


class CompletionInconsistent(DomainError):
    """Only a complete mission says when it was completed, by whom and why."""

    code = "completion_inconsistent"
    constraint = "deck_missions_completion_consistent"


class StatusChangesImmutable(DomainError):
    """Moves of client missions are never changed."""

    code = "status_changes_immutable"
    constraint = "deck_status_changes_append_only"


class NumberTaken(DomainError):
    """Another client mission has this number."""

    code = "number_taken"
    constraint = "deck_missions_number_unique"
    field = "number"


class NumberNotPositive(DomainError):
    """Numbers begin at 1."""

    code = "number_not_positive"
    constraint = "deck_missions_number_positive"
    field = "number"
    status = 422


class TitleMissing(DomainError):
    """Give it a title."""

    code = "title_missing"
    constraint = "deck_missions_title_not_empty"
    field = "title"
    status = 422


class ClientMissing(DomainError):
    """Say for whom it is."""

    code = "client_missing"
    constraint = "deck_missions_client_not_empty"
    field = "client"
    status = 422


class BudgetNotPositive(DomainError):
    """A budget is more than nothing."""

    code = "budget_not_positive"
    constraint = "deck_missions_budget_positive"
    field = "budget"
    status = 422


class DeadlineOutOfRange(DomainError):
    """A deadline lies between the years 2000 and 2199."""

    code = "deadline_out_of_range"
    constraint = "deck_missions_deadline_range"
    field = "deadline"
    status = 422


class CurrencyInvalid(DomainError):
    """A currency is three capital letters: USD, EUR, BRL."""

    code = "currency_invalid"
    constraint = "deck_missions_currency_form"
    field = "currency"
    status = 422


class AssigneeMissing(DomainError):
    """Enter the e-mail address of who delivers it."""

    code = "assignee_missing"
    constraint = "deck_missions_assigned_to_form"
    field = "assigned_to"
    status = 422


class RepositoryInvalid(DomainError):
    """Enter the address of a GitHub repository: https://github.com/owner/name."""

    code = "repository_invalid"
    constraint = "deck_missions_github_url_form"
    field = "github_url"
    status = 422


class ChecklistClosed(DomainError):
    """The mission is complete, so its definition of done is closed. Take it back to QA first."""

    code = "checklist_closed"
    constraint = "dod_items_closed"


class ItemMissionImmutable(DomainError):
    """An item stays with its mission."""

    code = "item_mission_immutable"
    constraint = "dod_items_mission_immutable"


class ItemCompletionInconsistent(DomainError):
    """An item that is done says when; an open one says nothing."""

    code = "item_completion_inconsistent"
    constraint = "dod_items_completion_consistent"


class ItemEmpty(DomainError):
    """Say what has to be true."""

    code = "item_empty"
    constraint = "dod_items_text_not_empty"
    field = "text"
    status = 422


class MessageEmpty(DomainError):
    """Write a message."""

    code = "message_empty"
    constraint = "chat_messages_message_not_empty"
    field = "message"
    status = 422


class MessageTooLong(DomainError):
    """A message has at most 100,000 characters."""

    code = "message_too_long"
    constraint = "chat_messages_message_length"
    field = "message"
    status = 422


class CodeBlocksInvalid(DomainError):
    """Code beside a message is a list of at most 50, each with a language and its code (100,000 characters)."""

    code = "code_blocks_invalid"
    constraint = "chat_messages_code_blocks_shape"
    field = "code_blocks"
    status = 422


class SummaryInvalid(DomainError):
    """A summary counts passed, failed, errors, skipped, total, duration, and pairs like unit_passed and unit_total."""

    code = "summary_invalid"
    constraint = "test_runs_summary_shape"
    field = "summary"
    status = 422


class ResultsInvalid(DomainError):
    """Results are a list; each has a name and a status: passed, failed, error or skipped."""

    code = "results_invalid"
    constraint = "test_runs_results_shape"
    field = "results"
    status = 422


class StatusContradictsResults(DomainError):
    """What a finished run is follows from its results: it passed when a test passed and none failed."""

    code = "status_contradicts_results"
    constraint = "test_runs_status_follows_from_results"
    field = "status"
    status = 422


class SummaryContradictsResults(DomainError):
    """The summary counts something else than the results show."""

    code = "summary_contradicts_results"
    constraint = "test_runs_summary_fits_results"
    field = "summary"
    status = 422


class RunFinished(DomainError):
    """A finished test run stays as it is."""

    code = "run_finished"
    constraint = "test_runs_finished_immutable"


class RunMissionImmutable(DomainError):
    """A test run stays with its mission and its time."""

    code = "run_mission_immutable"
    constraint = "test_runs_mission_immutable"


class RunFinishTimeInconsistent(DomainError):
    """A run says when it was finished, and only then."""

    code = "run_finish_time_inconsistent"
    constraint = "test_runs_finished_at_consistent"


class ReportAlreadyImported(DomainError):
    """This file is the latest run of the mission already."""

    code = "report_already_imported"
    constraint = "test_runs_file_unique"


class RunKeyTaken(DomainError):
    """Another report was brought under this key. Use a new key for each run."""

    code = "run_key_taken"
    constraint = "test_runs_key_unique"


class RunKeyInvalid(DomainError):
    """A key is 1 to 255 visible ASCII characters."""

    code = "run_key_invalid"
    constraint = "test_runs_key_form"
    status = 422


class DigestInvalid(DomainError):
    """A digest is 64 small hexadecimal digits."""

    code = "digest_invalid"
    constraint = "test_runs_digest_form"


class WarningsInvalid(DomainError):
    """Warnings are a list of sentences."""

    code = "warnings_invalid"
    constraint = "test_runs_warnings_shape"


class LogsTooLarge(DomainError):
    """Logs are at most 64 MB."""

    code = "logs_too_large"
    constraint = "test_runs_logs_bounded"
    field = "logs"
    status = 422


class ResultsTooLarge(DomainError):
    """The results of one run are at most 128 MB."""

    code = "results_too_large"
    constraint = "test_runs_results_bounded"
    field = "results"
    status = 422
