"""Bases of the back office: pages, lists, search, jobs, tabs."""

from missionsite.common.admin import tokens
from missionsite.common.admin.forms import PickOne, ServiceForm
from missionsite.common.admin.jobs import Job, JobForm, NoQuestions, ReasonForm
from missionsite.common.admin.options import ModelAdmin, ReadOnlyModelAdmin
from missionsite.common.admin.search import Found, Search
from missionsite.common.admin.tabs import Drawn, Tab

__all__ = [
    "Drawn",
    "Found",
    "Job",
    "JobForm",
    "ModelAdmin",
    "NoQuestions",
    "PickOne",
    "ReadOnlyModelAdmin",
    "ReasonForm",
    "Search",
    "ServiceForm",
    "Tab",
    "tokens",
]
