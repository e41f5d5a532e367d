"""Addresses, forms and contents of the directory's pages in the back office."""

from django.urls import reverse

LIST = "/admin/groups/communitymember/"
REASON = {"reason": "Asked for it"}
PENDING = "The status of this member is “Waiting for approval”. It can only change to “Active” or “Banned”."


def page(entry, name: str = "change") -> str:
    return reverse(f"admin:groups_communitymember_{name}", args=[entry.pk])


def shown(response) -> list[str]:
    """Return the names in a list, in its order."""
    return [entry.name for entry in response.context["cl"].result_list]


def form(**changes) -> dict:
    return {"name": "Ana", "primary_role": "designer", "telegram_id": "271828"} | changes


def buttons(response) -> set[str]:
    return {button["title"] for button in response.context["buttons"]}
