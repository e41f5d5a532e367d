"""Migrations with few rendered models: Django renders a model and all related ones for each operation on it."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState, StateApps


class LazyApps(StateApps):
    """The models of one state, each rendered when it is asked for, with those that it refers to.

    All of them are rendered for what asks for all, such as Django's search for the relations from other models.
    """

    def __init__(self, real_apps: Any, models: dict[tuple[str, str], ModelState]) -> None:
        self._unrendered: dict[tuple[str, str], ModelState] | None = None
        # The state goes on to change.
        super().__init__(real_apps, {key: state.clone() for key, state in models.items()})

    def render_multiple(self, model_states: list[ModelState]) -> None:
        """Render models; at first, when the registry is made, only store their states."""
        if self._unrendered is None:
            self._unrendered = {(state.app_label, state.name_lower): state for state in model_states}
        else:
            super().render_multiple(model_states)

    def render_all(self) -> None:
        """Render the models that are not rendered yet."""
        if self._unrendered:
            states = list(self._unrendered.values())
            self._unrendered.clear()
            self.render_multiple(states)

    def get_model(self, app_label: str, model_name: str | None = None, require_ready: bool = True) -> Any:
        """Return a model, rendered with those it refers to."""
        if model_name is None:
            app_label, model_name = app_label.split(".")
        keys = [(app_label, model_name.lower())]
        while self._unrendered and (states := [self._unrendered.pop(key) for key in keys if key in self._unrendered]):
            self.render_multiple(states)
            # Models that the rendered ones wait for.
            keys = [*self._pending_operations]
        found = self.all_models[app_label].get(model_name.lower())
        return found or super().get_model(app_label, model_name, require_ready)

    # Cached and cleared as Django's, which it therefore calls without its cache.
    @functools.cache  # noqa: B019
    def get_models(self, include_auto_created: bool = False, include_swapped: bool = False) -> Any:
        self.render_all()
        return cast(Any, StateApps.get_models).__wrapped__(self, include_auto_created, include_swapped)

    def clear_cache(self) -> None:
        """Django's, but that the names of the settings stay known: they are those of the site's own models."""
        type(self).get_models.cache_clear()
        if self.ready:
            for model in self.rendered():
                model._meta._expire_cache()

    def rendered(self) -> list[Any]:
        return [model for models in self.all_models.values() for model in models.values()]

    def set_option(self, key: tuple[str, str], name: str, value: Any) -> None:
        """Set an option of a model that its columns and relations do not depend on."""
        if self._unrendered and key in self._unrendered:
            self._unrendered[key].options[name] = value
        else:
            setattr(self.all_models[key[0]][key[1]]._meta, name, value)

    def get_app_configs(self) -> Any:
        self.render_all()
        return super().get_app_configs()

    def get_app_config(self, app_label: str) -> Any:
        self.render_all()
        return super().get_app_config(app_label)


class LazyState(ProjectState):
    """The state of a project. A change discards the rendered models, and renders none.

    Constraints and indexes are changed in the rendered models, which a copy of the state before shares: operations on
    them look for the constraint or index in the state, and use the model for its table and columns.
    """

    def clone(self) -> "LazyState":
        copy = LazyState({key: state.clone() for key, state in self.models.items()}, self.real_apps)
        if "apps" in self.__dict__:
            copy.__dict__["apps"] = self.__dict__["apps"]
        return copy

    @property
    def apps(self) -> LazyApps:
        """The models of the state as it is now."""
        if "apps" not in self.__dict__:
            self.__dict__["apps"] = LazyApps(self.real_apps, self.models)
        apps: LazyApps = self.__dict__["apps"]
        return apps

    def discard_apps(self) -> None:
        self.__dict__.pop("apps", None)

    def add_model(self, model_state: ModelState) -> None:
        self.discard_apps()
        super().add_model(model_state)

    def remove_model(self, app_label: str, model_name: str) -> None:
        self.discard_apps()
        super().remove_model(app_label, model_name)

    def reload_model(self, app_label: str, model_name: str, delay: bool = False) -> None:
        self.discard_apps()

    def reload_models(self, models: Any, delay: bool = True) -> None:
        self.discard_apps()

    def _append_option(self, app_label: str, model_name: str, option_name: str, obj: Any) -> None:
        with self._option(app_label, model_name, option_name):
            cast(Any, super())._append_option(app_label, model_name, option_name, obj)

    def _remove_option(self, app_label: str, model_name: str, option_name: str, obj_name: str) -> None:
        with self._option(app_label, model_name, option_name):
            cast(Any, super())._remove_option(app_label, model_name, option_name, obj_name)

    @contextmanager
    def _option(self, app_label: str, model_name: str, name: str) -> Iterator[None]:
        """Keep the rendered models in a block that changes one option."""
        apps: LazyApps | None = self.__dict__.get("apps")
        yield
        if apps is not None:
            apps.set_option((app_label, model_name), name, self.models[app_label, model_name].options[name])
            self.__dict__["apps"] = apps

    def clear_delayed_apps_cache(self) -> None:
        """Render all models: Django calls this before code that may use any relation."""
        self.apps.render_all()


class Executor(MigrationExecutor):
    """Django's executor with a LazyState."""

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        state = cast(Any, super())._create_project_state(with_applied_migrations)
        return LazyState(state.models, state.real_apps)
