"""Messages to a gateway; to be written."""


class WebhookTransport:
    name = "webhook"
