"""What one app adds to the pages of another app's model: tabs of its objects and buttons above its list.

An app registers them in its admin modules. They are read when the URLs and the pages are built, so they do not depend
on the order in which the modules are imported.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.http import HttpRequest

if TYPE_CHECKING:
    from missionsite.common.admin.tabs import CustomTab, Tab

Buttons = Callable[[HttpRequest], list[dict]]
T = TypeVar("T")

_tabs: dict[type[Model], dict[int, "Tab | CustomTab"]] = defaultdict(dict)
_list_buttons: dict[type[Model], dict[int, Buttons]] = defaultdict(dict)


def register_tab(model: type[Model], tab: "Tab | CustomTab", *, order: int) -> None:
    """Add a tab to the pages of a model's objects, after the tabs of its own admin.

    order: its position among the registered tabs. Raises ImproperlyConfigured if another tab has it.
    """
    _add(_tabs[model], order, tab)


def register_list_button(model: type[Model], buttons: Buttons, *, order: int) -> None:
    """Add buttons above the list of a model, after those of its own admin.

    buttons: returns the buttons that the current member may use, each with title, icon and link. order: as for a tab.
    """
    _add(_list_buttons[model], order, buttons)


def tabs_of(model: type[Model]) -> list["Tab | CustomTab"]:
    """Return the tabs registered for a model, in their order."""
    return _sorted(_tabs.get(model, {}))


def list_buttons_of(model: type[Model], request: HttpRequest) -> list[dict]:
    """Return the buttons registered for the list of a model, in their order."""
    return [button for buttons in _sorted(_list_buttons.get(model, {})) for button in buttons(request)]


def _add(registered: dict[int, T], order: int, added: T) -> None:
    if registered.setdefault(order, added) is not added:
        raise ImproperlyConfigured(f"The order {order} of {added} belongs to {registered[order]}.")


def _sorted(registered: dict[int, T]) -> list[T]:
    return [registered[order] for order in sorted(registered)]
