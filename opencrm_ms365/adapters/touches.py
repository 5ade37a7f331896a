"""Which signals tell that a record may have changed although no modification stamp of its own moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.db.models.signals import post_save
from django.dispatch import Signal

from .deletion import Deleting
from .fields import Col, Related

Touch = tuple[Signal, type[Model], Callable[..., list[str]]]

#: A record that so many depend on (a country, say) marks none of them: the daily full pass finds those.
MOST_DEPENDENTS = 500


class Touching(Deleting):
    """The part of an adapter that says which signals concern its records."""

    def touch_models(self) -> list[Touch]:
        """(signal, sender, function from the signal's arguments to ids of records that may have changed)."""
        found = [touch for spec in self.all_specs() for touch in spec.touches()]
        for path in sorted({path for spec in self.all_specs() for path in _related_paths(spec)}):
            found.append((post_save, self._model_at(path), self._dependents(path)))
        if not self.modified_field:
            found.append((post_save, self.model, lambda instance, **_: [instance.pk]))
        return [(signal, model, _as_text(ids)) for signal, sender, ids in found for model in _and_proxies(sender)]

    def _model_at(self, path: str) -> type[Model]:
        model = self.model
        for part in path.split("__"):
            model = model._meta.get_field(part).related_model
        return model

    def _dependents(self, path: str) -> Callable[..., Iterable[Any]]:
        def dependents(instance: Any, created: bool = False, **_: Any) -> list[Any]:
            if created:
                return []
            rows = self.model._base_manager.filter(**{path: instance.pk}).order_by().values_list("pk", flat=True)
            keys = list(rows[: MOST_DEPENDENTS + 1])
            return keys if len(keys) <= MOST_DEPENDENTS else []

        return dependents


def _related_paths(spec: Any) -> tuple[str, ...]:
    inner = (*getattr(spec, "specs", ()), *getattr(spec, "parts", {}).values())
    if inner:
        return tuple(path for part in inner for path in _related_paths(part))
    return spec.select_related if isinstance(spec, (Col, Related)) else ()


def _as_text(ids: Callable[..., Iterable[Any]]) -> Callable[..., list[str]]:
    return lambda **arguments: [str(key) for key in ids(**arguments) if key is not None]


def _and_proxies(model: type[Model]) -> list[type[Model]]:
    concrete = model._meta.concrete_model
    proxies = [item for item in apps.get_models() if item._meta.proxy and item._meta.concrete_model is concrete]
    return list(dict.fromkeys([model, *proxies]))
