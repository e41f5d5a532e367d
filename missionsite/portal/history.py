"""The context that pghistory stores with each change."""

from typing import cast

from django.http import HttpRequest
from pghistory.middleware import HistoryMiddleware

from missionsite.common.addresses import client_address
from missionsite.common.annotations import SiteRequest
from missionsite.common.audit.security import user_agent
from missionsite.portal.logs import mask_secrets


class SecretFreeHistoryMiddleware(HistoryMiddleware):
    """Stores the member and the page of a request with its changes, without secrets in the page's address.

    client: the address and browser, and the id of the request, which only the audit records, where they can be erased.
    """

    def get_context(self, request: HttpRequest) -> dict:
        context = super().get_context(request)
        address = client_address(request)
        client = {
            "address": str(address) if address else None,
            "browser": user_agent(request) or None,
            "request": getattr(cast(SiteRequest, request), "id", None),
        }
        return context | {"url": mask_secrets(context["url"]), "client": client}
