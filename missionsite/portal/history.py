"""Who changes what, as the history tables keep it."""

from django.http import HttpRequest
from pghistory.middleware import HistoryMiddleware

from missionsite.portal.logs import without_secrets


class HistoryWithoutSecrets(HistoryMiddleware):
    """Notes who changed what at which address in the history, without the secret in the address."""

    def get_context(self, request: HttpRequest) -> dict:
        context = super().get_context(request)
        return context | {"url": without_secrets(context["url"])}
