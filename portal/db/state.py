"""The models between two migrations, kept cheaply: with two hundred models that refer to one another, each operation
of Django's own state makes nearly all of their classes anew, which is most of what an empty database waits for."""

from typing import Any

from django.db.migrations.state import ModelState, ProjectState


class State(ProjectState):
    """Django's state, but what changes one table makes no class anew that only refers to it.

    Classes are shared with the state before the operation, which knows the new relation, constraint or index too. What
    adds these asks that state nothing about them, and it is thrown away afterwards.
    """

    def add_model(self, model_state: ModelState) -> None:
        """Add a model, and its class where classes were made."""
        apps = self.forget_classes()
        super().add_model(model_state)
        if apps is not None:
            self.__dict__["apps"] = apps
            apps.render_multiple([model_state])

    def add_constraint(self, app_label: str, model_name: str, constraint: Any) -> None:
        """Add a constraint to a model and its class."""
        apps = self.forget_classes()
        super().add_constraint(app_label, model_name, constraint)
        self._keep(apps, app_label, model_name, "constraints")

    def add_index(self, app_label: str, model_name: str, index: Any) -> None:
        """Add an index to a model and its class."""
        apps = self.forget_classes()
        super().add_index(app_label, model_name, index)
        self._keep(apps, app_label, model_name, "indexes")

    def forget_classes(self) -> Any:
        """Return the classes, and have them made again by whoever asks for them next."""
        return self.__dict__.pop("apps", None)

    def _keep(self, apps: Any, app_label: str, model_name: str, option: str) -> None:
        if apps is not None:
            self.__dict__["apps"] = apps
            model = apps.get_model(app_label, model_name)
            setattr(model._meta, option, list(self.models[app_label, model_name].options[option]))
