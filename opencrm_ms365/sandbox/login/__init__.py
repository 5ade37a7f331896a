"""The simulated Microsoft identity platform: OpenID Connect sign-in with all its refusals (facts, section 3).

`handle` answers every path that is not Graph's, the pages' or the control API's; `Login` is the Python API by which
tests and the control API set its scene (`sandbox.login`).
"""

from .api import Login
from .routes import handle
from .state import LoginState

__all__ = ["Login", "LoginState", "handle"]
