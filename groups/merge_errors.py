"""The errors of merging people, and of possible duplicates."""

from collections.abc import Iterable

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.rules import MERGE_UNDO_DAYS
from missionsite.common.errors import DomainError


class MergeRejected(DomainError):
    """Two people cannot be merged. why: one of `messages`."""

    message = _("These two people cannot be merged.")
    code = "merge_rejected"
    messages = {
        "same": _("Both are the same person."),
        "merged": _("One of them was merged already. Merge the person they were merged into."),
        "system": _("The system member cannot be merged."),
        "erased": _("The personal data of one of them was erased."),
        "staff": _("One of the accounts has back-office access. Only an administrator can merge it."),
        "administrator": _("The account to absorb is an administrator's. Take its rights away first, or keep it."),
        "banned": _("One of them is banned. Keep that entry, so that the ban stays."),
    }

    def __init__(self, why: str = "") -> None:
        super().__init__(self.messages.get(why))


class MergeNotUndone(DomainError):
    """A merge cannot be undone. why: one of `messages`."""

    message = _("This merge cannot be undone.")
    code = "merge_not_undone"
    messages = {
        "done": _("This merge was undone already."),
        "too_late": format_lazy(_("A merge can be undone for {days} days."), days=MERGE_UNDO_DAYS),
        "merged_again": _("The kept person was merged themselves. Undo the later merge first."),
        "erased": _("The personal data of one of them was erased, so they stay merged."),
    }

    def __init__(self, why: str = "") -> None:
        super().__init__(self.messages.get(why))


class MergeTargetMerged(DomainError):
    message = _("A person cannot be merged into one who was merged.")
    code = "merge_target_merged"
    constraint = "members_merge_target"


class EntryMergeTargetMerged(DomainError):
    message = _("An entry cannot be merged into one that was merged.")
    code = "entry_merge_target_merged"
    constraint = "community_members_merge_target"


class PerhapsDuplicate(DomainError):
    """The person may be in the directory already. alike: their numbers or stable IDs."""

    message = _("Perhaps this person is in the directory already.")
    code = "perhaps_duplicate"

    def __init__(self, alike: Iterable[str] = ()) -> None:
        super().__init__(
            gettext(
                "Perhaps this person is here already: %(alike)s. If they are someone else, switch on “Add even if"
                " someone alike is in the directory” below, and save again."
            )
            % {"alike": ", ".join(alike)}
        )


class DuplicateDecided(DomainError):
    message = _("This pair was decided already. Reload the page.")
    code = "duplicate_decided"
