"""The control API: what the Python API can do, as JSON for other processes, under `/control/` and not under `/v1.0`.

    GET  /control/                          what there is, with the names of the arguments
    POST /control/add_user                  {"tenant": "brightwell.example", "upn": "dora@brightwell.example"}
    POST /control/mailbox/edit_contact      {"account": "ada@...", "contact_id": "...", "values": {"jobTitle": "CEO"}}
    POST /control/planner/add_task      {"account": "ada@...", "plan": "Spring fair", "values": {"title": "Order oak"}}
    POST /control/login/withdraw_consent    {"account": "ada@..."}
    GET  /control/requests?path=contacts    reading actions take their arguments from the query, too

An answer is `{"result": ...}`, a mistake `{"error": "..."}` with 400 or 404. There is no password: this machine only.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from . import control_actions
from .origin import is_foreign_post
from .outlook_user import OutlookUser
from .planner_user import PlannerUser
from .refusal import Refusal

if TYPE_CHECKING:
    from .simulator import Sandbox

#: What somebody does, by the method of the sandbox that gives it for an `account`.
PEOPLE: dict[str, type] = {"mailbox": OutlookUser, "planner": PlannerUser}


class _Mistake(Exception):
    """The caller's, with the status of the answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def handle(sandbox: Sandbox, request: Request) -> Response:
    """Answer a request to the control API."""
    try:
        if is_foreign_post(request):
            raise _Mistake("The control API takes nothing from pages of other sites.", 403)
        result = _answer(sandbox, request)
    except _Mistake as mistake:
        return _json({"error": str(mistake)}, mistake.status)
    except Refusal as refusal:
        return _json({"error": refusal.message, "code": refusal.code}, 404 if refusal.status == 404 else 400)
    except (ValueError, TypeError) as error:
        return _json({"error": str(error)}, 400)
    return _json({"result": result}, 200)


def _answer(sandbox: Sandbox, request: Request) -> Any:
    name = request.path.strip("/").partition("/")[2]
    if not name:
        return _directory(sandbox)
    arguments = _arguments(request)
    group, _, action = name.rpartition("/")
    function = _function(sandbox, group, action, arguments)
    if request.method != "POST" and (group or action not in control_actions.READING):
        raise _Mistake(f"{name} changes something, or needs a body: POST it.", 405)
    return _plain(_called(function, _resolved(sandbox, arguments)))


def _function(sandbox: Sandbox, group: str, action: str, arguments: dict[str, Any]) -> Callable[..., Any]:
    if not group and action in control_actions.ACTIONS:
        return lambda **given: _called(control_actions.ACTIONS[action], {"sandbox": sandbox, **given})
    if group in PEOPLE and action in _methods(PEOPLE[group]):
        return getattr(getattr(sandbox, group)(str(arguments.pop("account", ""))), action)
    if group == "login" and action in _methods(type(sandbox.login)):
        return getattr(sandbox.login, action)
    raise _Mistake(f"There is no action called {group + '/' if group else ''}{action}; GET /control/ lists them.", 404)


def _called(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call with named arguments; `values` become the keyword arguments of a function that takes any."""
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        values = _object(arguments.get("values", {}))
        arguments = {**{name: value for name, value in arguments.items() if name != "values"}, **values}
    positional = [arguments.pop(name) for name, parameter in parameters.items()
                  if parameter.kind is parameter.POSITIONAL_ONLY and name in arguments]
    return function(*positional, **arguments)


def _arguments(request: Request) -> dict[str, Any]:
    if request.method in ("GET", "HEAD"):
        return dict(request.args)
    if not request.get_data(cache=True):
        return {}
    if "json" not in request.headers.get("Content-Type", ""):
        raise _Mistake("The body must be JSON, with Content-Type: application/json.", 415)
    try:
        return _object(json.loads(request.get_data()))
    except ValueError:
        raise _Mistake("The body is no JSON.") from None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Mistake("An object with the arguments is needed.")
    return dict(value)


def _resolved(sandbox: Sandbox, arguments: dict[str, Any]) -> dict[str, Any]:
    """A tenant may be named by id or domain; accounts are found by the actions themselves."""
    if isinstance(arguments.get("tenant"), str):
        tenant = sandbox.world.tenant(arguments["tenant"])
        if tenant is None:
            raise _Mistake(f"There is no tenant {arguments['tenant']!r}.", 404)
        return {**arguments, "tenant": tenant}
    return arguments


def _methods(cls: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")]


def _directory(sandbox: Sandbox) -> dict[str, Any]:
    found = dict(control_actions.ACTIONS)
    for group, cls in (*PEOPLE.items(), ("login", type(sandbox.login))):
        found |= {f"{group}/{name}": getattr(cls, name) for name in _methods(cls)}
    return {name: {"arguments": _names(name, function), "help": (inspect.getdoc(function) or "").split("\n")[0]}
            for name, function in found.items()}


def _names(name: str, function: Callable[..., Any]) -> list[str]:
    given = [parameter.name if parameter.kind is not parameter.VAR_KEYWORD else "values"
             for parameter in inspect.signature(function).parameters.values()
             if parameter.name not in ("self", "sandbox")]
    return (["account"] if name.partition("/")[0] in PEOPLE else []) + given


def _plain(value: Any) -> Any:
    return value if isinstance(value, (dict, list, str, int, float)) or value is None else str(value)


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body, ensure_ascii=False, default=str), status, mimetype="application/json")
