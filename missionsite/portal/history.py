"""The context that pghistory stores with each change."""

from django.http import HttpRequest
from pghistory.middleware import HistoryMiddleware

from missionsite.portal.logs import mask_secrets


class SecretFreeHistoryMiddleware(HistoryMiddleware):
    """Stores the member and the address of a request with its changes, without secrets in the address."""

    def get_context(self, request: HttpRequest) -> dict:
        context = super().get_context(request)
        return context | {"url": mask_secrets(context["url"])}
