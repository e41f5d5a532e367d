"""The values of choices that the API accepts."""

from typing import TYPE_CHECKING, Literal

from missiondeck.models import Category, ChatSender, DeckStatus, ResultStatus, RunStatus

if TYPE_CHECKING:
    # A type checker cannot read the values of a Literal from an expression.
    StatusName = str
    LastRunName = str
    CategoryName = str
    RunStatusName = str
    ResultStatusName = str
    SenderName = str
else:
    StatusName = Literal[*DeckStatus.values]
    # Of the latest run; `none`: there is no run yet.
    LastRunName = Literal[*RunStatus.values, "none"]
    CategoryName = Literal[*Category.values]
    RunStatusName = Literal[*RunStatus.values]
    ResultStatusName = Literal[*ResultStatus.values]
    SenderName = Literal[*ChatSender.values]
