"""Which adapters there are. They register themselves when the modules `ms365` of the installed apps are imported."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from django.db import models
from django.utils.module_loading import autodiscover_modules

from ..errors import ConfigurationError
from .directory import DirectoryAdapter

if TYPE_CHECKING:
    from .record import RecordAdapter

KINDS = ("contacts", "events", "tasks")
AdapterClass = TypeVar("AdapterClass", bound="type[RecordAdapter]")
DirectoryClass = TypeVar("DirectoryClass", bound="type[DirectoryAdapter]")


class AlreadyRegistered(ConfigurationError):
    """Two adapters have the same name."""


class NotRegistered(LookupError):
    """No adapter has this name. A stored reference can outlive its adapter."""


class AdapterSite:
    """The adapters of a project by name, and its directory."""

    def __init__(self) -> None:
        self._adapters: dict[str, RecordAdapter] = {}
        self._directory: DirectoryAdapter = DirectoryAdapter()

    # -- registration

    def register(self, adapter_class: type[RecordAdapter], model: type[models.Model], *, name: str | None = None,
                 creates: bool | None = None) -> RecordAdapter:
        name = name or model._meta.label_lower
        if name in self._adapters:
            raise AlreadyRegistered(f"Two adapters are called {name!r}: give one of them another name=.")
        adapter = adapter_class(model, name=name, creates=creates, site=self)
        self._adapters[name] = adapter
        return adapter

    def unregister(self, name: str) -> None:
        """Take an adapter away (for tests). Raises `NotRegistered`."""
        if self._adapters.pop(name, None) is None:
            raise NotRegistered(name)

    @property
    def directory(self) -> DirectoryAdapter:
        return self._directory

    @directory.setter
    def directory(self, directory: DirectoryAdapter) -> None:
        self._directory = directory

    # -- what the sync asks

    def adapters(self, kind: str | None = None) -> list[RecordAdapter]:
        """The adapters of a kind (`contacts`, `events`, `tasks`; None: all), in the order of registration."""
        return [item for item in self._adapters.values() if kind is None or item.kind == kind]

    def get(self, name: str) -> RecordAdapter:
        """Raises `NotRegistered`."""
        try:
            return self._adapters[name]
        except KeyError:
            raise NotRegistered(name) from None

    def creators(self, kind: str) -> list[RecordAdapter]:
        """The adapters that take in new records of a kind. More than one is a fault that the checks report."""
        candidates = self.adapters(kind)
        said = [item for item in candidates if item.declared_creates]
        if said or len(candidates) != 1:
            return said
        return [] if candidates[0].declared_creates is False else candidates

    def creator(self, kind: str) -> RecordAdapter | None:
        """The adapter that takes in new records of a kind; None: what is new in Microsoft stays there."""
        found = self.creators(kind)
        return found[0] if found else None


site = AdapterSite()


def register(*model_classes: type[models.Model], name: str | None = None, creates: bool | None = None,
             site: AdapterSite = site) -> Callable[[AdapterClass], AdapterClass]:
    """Class decorator: this adapter is for these models.

    `name` (for one model only) is what links refer to; by default `"app.model"`. It must not change later. `creates`:
    whether what is new in Microsoft becomes a record of this model; by default yes if it is the only one of its kind.
    """
    if name and len(model_classes) != 1:
        raise ConfigurationError("register(): a name= is for exactly one model.")

    def wrap(adapter_class: AdapterClass) -> AdapterClass:
        for model in model_classes or (adapter_class.model,):
            if not (inspect.isclass(model) and issubclass(model, models.Model)):
                raise ConfigurationError(f"register(): {adapter_class.__name__} needs a model class.")
            site.register(adapter_class, model, name=name or (adapter_class.name or None), creates=creates)
        return adapter_class

    return wrap


def directory(directory_class: DirectoryClass) -> DirectoryClass:
    """Class decorator: this is the project's directory."""
    site.directory = directory_class()
    return directory_class


def autodiscover() -> None:
    """Import the module `ms365` of every installed app that has one."""
    autodiscover_modules("ms365")
