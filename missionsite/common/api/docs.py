"""The API documentation page: Swagger UI from the files of django-ninja, without external resources."""

from ninja.openapi.docs import Swagger


class DocsPage(Swagger):
    """Swagger UI without inline scripts and external addresses."""

    template = "api/docs.html"

    def __init__(self) -> None:
        # With the default validatorUrl the page would send the schema to an external service.
        super().__init__(settings={"validatorUrl": None, "persistAuthorization": False, "docExpansion": "list"})
