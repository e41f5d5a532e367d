"""The frame of the API: who calls, how often, under which database role, and how rejections read.

An app writes its routes in its own `api.py` on a `Router` from here; `missionsite/api.py` puts them together.
"""

from missionsite.common.api.access import Caller, needs, signed
from missionsite.common.api.operations import BodyTooLarge, Router, SiteAPI
from missionsite.common.api.pagination import Cursor, Limit

__all__ = ["BodyTooLarge", "Caller", "Cursor", "Limit", "Router", "SiteAPI", "needs", "signed"]
