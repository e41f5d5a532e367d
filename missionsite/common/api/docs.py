"""The page that shows the API: Swagger UI from files that come with django-ninja, nothing from elsewhere."""

from ninja.openapi.docs import Swagger


class DocsPage(Swagger):
    """Swagger UI without inline script and without an address outside this site."""

    template = "api/docs.html"

    def __init__(self) -> None:
        # Without validatorUrl the page would send the description to a service on the internet.
        super().__init__(settings={"validatorUrl": None, "persistAuthorization": False, "docExpansion": "list"})
