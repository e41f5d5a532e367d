"""A form field for channels in an order: one list per place, for the members' website and the back office."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from engagement.rules import Channel
from engagement.selectors.addresses import site_channels
from missionsite.common.annotations import StrOrPromise

# The label of each place, for screen readers, and the text of its empty choice.
PLACES: tuple[tuple[StrOrPromise, StrOrPromise], ...] = (
    (_("First by"), _("In the order of the site")),
    (_("If that fails, by"), _("No other channel")),
    (_("Then by"), _("No other channel")),
    (_("Last by"), _("No other channel")),
)


class ChannelsField(forms.MultiValueField):
    """Channels of the site in the order in which they are used; the same one twice counts once.

    An empty first place is the order of the site. label: returns the text of a channel in the language of the page.
    """

    def __init__(self, *, select: type[forms.Select] = forms.Select, label: Callable[[str], str] = str) -> None:
        channels = [(each, label(str(Channel(each).label))) for each in site_channels() or []]
        places = PLACES[: len(channels)]
        choices = [[("", empty), *channels] for _name, empty in places]
        super().__init__(
            fields=[forms.ChoiceField(choices=each, required=False) for each in choices],
            widget=_Places(
                [
                    select(attrs={"aria-label": name}, choices=each)
                    for (name, _empty), each in zip(places, choices, strict=True)
                ]
            ),
            label=_("Channels"),
            required=False,
            require_all_fields=False,
            help_text=_(
                "Messages come by the first channel with a verified address, and by the next one if it does not work."
            ),
        )

    def compress(self, data_list: list[str]) -> list[str]:
        # Later places without the first one are no order.
        return list(dict.fromkeys(each for each in data_list if each)) if data_list and data_list[0] else []

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.clean(data)


class _Places(forms.MultiWidget):
    def decompress(self, value: list[str] | None) -> list[str]:
        known = [each for each in value or [] if each in (site_channels() or [])]
        return [*known, *[""] * len(self.widgets)][: len(self.widgets)]


def has_choice() -> bool:
    """Return whether the site has several channels to choose from."""
    return len(site_channels() or []) > 1
