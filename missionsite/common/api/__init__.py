"""The common part of the API: authentication, rate limits, database roles, idempotency and problem documents.

An app defines its routes in its `api.py` on a `Router` from here; `missionsite/api.py` includes them.
"""

from missionsite.common.api.access import Caller, needs, signed
from missionsite.common.api.operations import BodyTooLarge, Router, SiteAPI
from missionsite.common.api.pagination import Cursor, Limit

__all__ = ["BodyTooLarge", "Caller", "Cursor", "Limit", "Router", "SiteAPI", "needs", "signed"]
