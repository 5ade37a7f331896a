"""System checks of the adapters: what is wrong with a declaration, with class, field and a hint.

    E101 unknown field of a record        E106 misspelt attribute             E111 unknown method
    E102 path that leads nowhere          E107 spec that does not suit it     E112 people who are no users
    E103 two adapters create one kind     E108 spec of the wrong shape        E113 condition that cannot be asked
    E104 required column without a value  E109 unsuitable primary key         E114 unknown column in an option
    E105 value outside the choices        E110 no modification stamp          E115 option with an unknown value
    W101 no adapter creates a kind        W102 organisations are not told apart
    W103 an address may not be found

No check asks the database.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import models

from .adapters import AdapterSite, DirectoryAdapter, FieldSpec, RecordAdapter, site
from .adapters.paths import BadPath, nearest, relation, resolve
from .adapters.registry import KINDS

TAG = "opencrm_ms365"
KEY_TYPES = (models.AutoField, models.IntegerField, models.UUIDField, models.CharField)
#: How alike two names must be for one to be taken for a slip of the pen.
ALIKE = 0.85


def register() -> None:
    """Called once from `AppConfig.ready`."""
    checks.register(check_adapters, TAG)


def check_adapters(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Everything that is wrong with the registered adapters and the directory."""
    return list(faults_of_site(site))


def faults_of_site(site: AdapterSite) -> Iterator[checks.CheckMessage]:
    yield from _creators(site)
    yield from _directory(site)
    for adapter in site.adapters():
        yield from faults_of(adapter)


def faults_of(adapter: RecordAdapter) -> Iterator[checks.CheckMessage]:
    """What is wrong with one adapter."""
    yield from _attributes(type(adapter), adapter)
    fields = [*_fields(adapter), *_roles(adapter)]
    yield from fields
    yield from _conditions(adapter)
    yield from _options(adapter)
    if not fields:
        yield from _required_columns(adapter)


def _message(kind: Any, about: Any, number: str, text: str, hint: str = "") -> checks.CheckMessage:
    cls = about if isinstance(about, type) else type(about)
    return kind(f"{cls.__module__}.{cls.__qualname__}: {text}", hint=hint or None, id=f"opencrm_ms365.{number}")


# -- the site ------------------------------------------------------------------------------------------


def _creators(site: AdapterSite) -> Iterator[checks.CheckMessage]:
    for kind in KINDS:
        creators = site.creators(kind)
        if len(creators) > 1:
            names = ", ".join(repr(item.name) for item in creators)
            yield _message(checks.Error, creators[0], "E103", f"several adapters create {kind}: {names}.",
                           "Leave creates=True with one of them.")
        elif site.adapters(kind) and not creators:
            yield _message(checks.Warning, site.adapters(kind)[0], "W101",
                           f"no adapter creates {kind}: what is new in Microsoft stays there.",
                           "Register one of the adapters with creates=True.")


def _directory(site: AdapterSite) -> Iterator[checks.CheckMessage]:
    directory = site.directory
    cls = type(directory)
    yield from _attributes(cls, directory)
    if _overrides(cls, DirectoryAdapter, "emails") and not _overrides(cls, DirectoryAdapter, "find_user"):
        yield _message(checks.Warning, directory, "W103", "emails() is overridden, find_user() is not.",
                       "Addresses that stand elsewhere than in the user's e-mail column will not be found: override "
                       "find_user() as well.")
    if directory.person_model is not None:
        try:
            relation(directory._person_model(), (directory.person_user_path or "").split("__")[0])
        except LookupError:
            yield _message(checks.Error, directory, "E102", f"there is no model {directory.person_model!r}.")
        except BadPath as bad:
            yield _message(checks.Error, directory, "E102", f"person_user_path: {bad}", bad.hint)
    if _overrides(cls, DirectoryAdapter, "tenants"):
        for adapter in site.adapters():
            if not adapter.tenant_field and not _overrides(type(adapter), RecordAdapter, "get_queryset"):
                yield _message(checks.Warning, adapter, "W102", "nothing tells the organisations' records apart.",
                               "Set tenant_field to the column with the organisation, or override get_queryset().")


def _overrides(cls: type, base: type, name: str) -> bool:
    return getattr(cls, name) is not getattr(base, name)


# -- one adapter ---------------------------------------------------------------------------------------


def _attributes(cls: type, about: Any) -> Iterator[checks.CheckMessage]:
    """Names in the integrator's classes that look like slips for one of ours."""
    ours = [base for base in cls.__mro__ if base.__module__.startswith("opencrm_ms365.adapters.")]
    known = {name for base in ours for name in (*vars(base), *getattr(base, "__annotations__", {}))}
    public = sorted(name for name in known if not name.startswith("_"))
    for base in cls.__mro__:
        if base in ours or base is object:
            continue
        for name in vars(base):
            near = [] if name in known or name.startswith("_") else difflib.get_close_matches(name, public, 1, ALIKE)
            if near:
                yield _message(checks.Error, base, "E106", f"{name!r} means nothing here.",
                               f"Did you mean {near[0]!r}? If not, put an underscore in front of it.")


def _fields(adapter: RecordAdapter) -> Iterator[checks.CheckMessage]:
    known = {*adapter.shapes, *adapter.spellings}
    for given, declared in adapter.fields.items():
        name = adapter.spellings.get(given, given)
        if name not in adapter.shapes:
            kind = adapter.kind.rstrip("s")
            yield _message(checks.Error, adapter, "E101", f"a record has no field {given!r} ({kind}).",
                           nearest(given, known))
        elif name not in adapter.specs:
            yield _message(checks.Error, adapter, "E108", f"{given!r} is declared as {type(declared).__name__}.",
                           "Give a path, a field spec, the name of a method or a function of (obj, ctx).")
        else:
            yield from _spec(adapter, adapter.specs[name])


def _roles(adapter: RecordAdapter) -> Iterator[checks.CheckMessage]:
    for name in adapter.roles:
        declared = getattr(adapter, name, None)
        if declared is not None and name not in adapter.role_specs:
            yield _message(checks.Error, adapter, "E108", f"{name!r} is declared as {type(declared).__name__}.",
                           "Give a field spec or a path.")
    for spec in adapter.role_specs.values():
        yield from _spec(adapter, spec)


def _spec(adapter: RecordAdapter, spec: FieldSpec) -> Iterator[checks.CheckMessage]:
    if spec.shape not in spec.shapes:
        yield spec.error("E108", f"{type(spec).__name__} cannot stand for this field ({spec.shape.name.lower()}).",
                         "Lists take Columns, Split, Rows or M2M, addresses take Address, texts the others.")
        return
    try:
        yield from spec.check()
    except (FieldDoesNotExist, LookupError) as error:
        yield spec.error("E102", str(error))


def _conditions(adapter: RecordAdapter) -> Iterator[checks.CheckMessage]:
    for name in ("base_filter", "soft_delete"):
        condition = getattr(adapter, name)
        if condition is None:
            continue
        try:
            adapter.model._base_manager.filter(condition)
        except (FieldError, ValueError, TypeError) as error:
            yield _message(checks.Error, adapter, "E113", f"{name}: {error}")


def _options(adapter: RecordAdapter) -> Iterator[checks.CheckMessage]:
    if not isinstance(adapter.key_field, KEY_TYPES):
        yield _message(checks.Error, adapter, "E109",
                       f"the primary key of {adapter.model.__name__} is a {type(adapter.key_field).__name__}.",
                       "Whole numbers, UUIDs and texts can be referred to.")
    if adapter.body_format not in ("text", "html"):
        yield _message(checks.Error, adapter, "E115", f"body_format is {adapter.body_format!r}.",
                       "It is 'text' or 'html'.")
    columns = [field.name for field in adapter.model._meta.get_fields()]
    for option in ("fallbacks", "clean_exclude", "soft_delete_set", "restore_set"):
        for name in getattr(adapter, option) or ():
            if adapter.column(name) is None:
                yield _message(checks.Error, adapter, "E114",
                               f"{option}: {adapter.model.__name__} has no column {name!r}.", nearest(name, columns))
    if adapter.tenant_field:
        yield from _path(adapter, "tenant_field", adapter.tenant_field)
    for path in adapter.select_related:
        yield from _path(adapter, "select_related", path)
    if adapter.modified_field:
        bad = list(_path(adapter, "modified_field", adapter.modified_field))
        yield from bad
        if not bad and not isinstance(adapter.modified_target, models.DateField):
            yield _message(checks.Error, adapter, "E110", f"modified_field {adapter.modified_field!r} holds no time.",
                           "Name the column with the time of the last modification, or leave it out.")


def _path(adapter: RecordAdapter, option: str, path: str) -> Iterator[checks.CheckMessage]:
    try:
        resolve(adapter.model, path)
    except BadPath as bad:
        yield _message(checks.Error, adapter, "E102", f"{option}: {bad}", bad.hint)


def _required_columns(adapter: RecordAdapter) -> Iterator[checks.CheckMessage]:
    """Columns that a new record needs and nobody fills."""
    hooks = ("create_defaults", "new_instance", "before_save")
    if adapter.site.creator(adapter.kind) is not adapter or any(
            _overrides(type(adapter), RecordAdapter, hook) for hook in hooks):
        return
    owner = adapter.role_specs.get("owner")
    filled = {column for name in adapter.writable for column in adapter.specs[name].columns}
    filled |= {column.name for name in adapter.fallbacks if (column := adapter.column(name)) is not None}
    filled |= set(owner.columns) if owner is not None else set()
    filled |= {adapter.tenant_field} if adapter.tenant_field else set()
    for column in adapter.model._meta.concrete_fields:
        if column.name not in filled and _is_required(column, adapter):
            yield _message(checks.Error, adapter, "E104",
                           f"new records need {column.name!r}, and nothing gives it a value.",
                           "Map it, name a value in fallbacks, or override create_defaults().")


def _is_required(column: Any, adapter: RecordAdapter) -> bool:
    if column.primary_key or column.has_default() or column.auto_created or getattr(column, "generated", False):
        return False
    if column.db_default is not models.NOT_PROVIDED:
        return False
    if getattr(column, "auto_now", False) or getattr(column, "auto_now_add", False):
        return False
    validated = adapter.full_clean and column.name not in set(adapter.clean_exclude)
    if validated and not column.blank:
        return True
    return not column.null and not column.empty_strings_allowed
