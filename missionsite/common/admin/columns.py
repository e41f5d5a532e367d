"""The columns of a list: those it shows by itself, or those that the address names (`_columns=name,email`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.contrib.admin.utils import label_for_field
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.utils.text import capfirst

if TYPE_CHECKING:
    from missionsite.common.admin.changelist import ChangeList

PARAMETER = "_columns"


class Column(NamedTuple):
    """A column that a list offers. fixed: the list always shows it."""

    name: str
    title: str
    shown: bool
    fixed: bool


def chosen_columns(request: HttpRequest, default: Sequence, optional: Sequence, fixed: Sequence) -> list:
    """The columns to show, in the order of the list. Unknown names in the address are ignored.

    default: shown when the address names none. optional: offered beside them. fixed: shown always.
    """
    names = set(request.GET.get(PARAMETER, "").split(","))
    offered = [*default, *optional]
    if not names & set(offered):
        return list(default)
    return [name for name in offered if name in names or name in fixed]


def offered_columns(cl: ChangeList) -> list[Column]:
    """All columns that a list offers. Empty if there is nothing to choose."""
    admin = cl.model_admin
    offered = [*admin.list_display, *admin.optional_columns]
    fixed = admin.fixed_columns
    if len(offered) - len(fixed) < 2:
        return []
    return [
        Column(name, capfirst(str(label_for_field(name, cl.model, admin))), name in cl.list_display, name in fixed)
        for name in offered
    ]


def joined(request: HttpRequest) -> HttpResponseRedirect | None:
    """Redirect to the address with one parameter for all columns, if the form with the check boxes was submitted.

    The order of the list is dropped, which names its column by number.
    """
    names = request.GET.getlist(PARAMETER)
    if len(names) < 2:
        return None
    query: QueryDict = request.GET.copy()
    query[PARAMETER] = ",".join(name for name in names if name)
    if not query[PARAMETER]:
        del query[PARAMETER]
    query.pop("o", None)
    return HttpResponseRedirect(f"{request.path}?{query.urlencode(safe=',')}")
