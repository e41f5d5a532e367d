"""Client missions, their definition of done, their conversations and their test runs."""

from missiondeck.models.chats import ChatMessage
from missiondeck.models.checklist import DodComment, DodItem
from missiondeck.models.choices import (
    FOR_READING,
    Category,
    ChatSender,
    DeckStatus,
    DeliveryChannel,
    DeliveryStatus,
    EvidenceKind,
    EvidenceState,
    NoticeKind,
    Observation,
    ResultStatus,
    RunSource,
    RunStatus,
)
from missiondeck.models.citizens import Citizen
from missiondeck.models.clients import ClientCode, ClientComment, ClientLink, ClientSignature
from missiondeck.models.costs import DeckCost
from missiondeck.models.deck_tests import DeckTest, TestResult
from missiondeck.models.evidence import Evidence, EvidenceChange, EvidenceFile
from missiondeck.models.feeds import DeckFeed
from missiondeck.models.gates import GateBaseline, GateRules, VanishedTest
from missiondeck.models.history import DeckMissionHistory, DodItemHistory
from missiondeck.models.missions import DeckMission, DeckStatusChange
from missiondeck.models.notices import Delivery, Notice, Webhook
from missiondeck.models.runs import LatestRun, RunOutcome, TestRun, TestRunLogPage, TestRunPart
from missiondeck.models.templates import DodTemplate

__all__ = [
    "FOR_READING",
    "Category",
    "ChatMessage",
    "ChatSender",
    "Citizen",
    "ClientCode",
    "ClientComment",
    "ClientLink",
    "ClientSignature",
    "DeckCost",
    "DeckFeed",
    "DeckMission",
    "DeckMissionHistory",
    "DeckStatus",
    "DeckStatusChange",
    "DeckTest",
    "Delivery",
    "DeliveryChannel",
    "DeliveryStatus",
    "DodComment",
    "DodItem",
    "DodItemHistory",
    "DodTemplate",
    "Evidence",
    "EvidenceChange",
    "EvidenceFile",
    "EvidenceKind",
    "EvidenceState",
    "GateBaseline",
    "GateRules",
    "LatestRun",
    "Notice",
    "NoticeKind",
    "Observation",
    "ResultStatus",
    "RunOutcome",
    "RunSource",
    "RunStatus",
    "TestResult",
    "TestRun",
    "TestRunLogPage",
    "TestRunPart",
    "VanishedTest",
    "Webhook",
]
