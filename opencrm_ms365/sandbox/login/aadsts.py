"""What Microsoft says when a sign-in fails: the AADSTS numbers, their OAuth words and the shape of the error body.

Only the errors an application can meet while its users connect. The wording follows Microsoft's reference loosely:
Microsoft says numbers and texts may change and that a client should look at `error` and `suberror`.
Source: "Microsoft Entra authentication and authorization error codes", facts 3.4.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of Microsoft's table: the OAuth `error`, the text, and perhaps a `suberror` and another HTTP status."""

    error: str
    text: str
    suberror: str = ""
    status: int = 400


REASONS: dict[int, Reason] = {
    16000: Reason(
        "interaction_required",
        "Either multiple user identities are available for the current request or "
        "the selected account is not supported for the scenario.",
    ),
    50011: Reason(
        "invalid_request",
        "The redirect URI '{redirect_uri}' specified in the request does not match the "
        "redirect URIs configured for the application '{client_id}'.",
    ),
    50020: Reason(
        "invalid_grant",
        "User account '{account}' from identity provider does not exist in tenant "
        "'{tenant}' and cannot access the application '{client_id}' in that tenant.",
    ),
    28000: Reason(
        "invalid_request",
        "Provided value for the input parameter scope is not valid because it contains more than one resource.",
    ),
    50034: Reason("invalid_grant", "The user account {account} does not exist in the {tenant} directory."),
    50057: Reason("invalid_grant", "The user account is disabled."),
    50058: Reason("login_required", "A silent sign-in request was sent but no user is signed in."),
    50076: Reason(
        "invalid_grant",
        "Due to a configuration change made by your administrator, or because you moved to "
        "a new location, you must use multi-factor authentication to access '{resource}'.",
        "basic_action",
    ),
    50105: Reason(
        "access_denied", "The signed in user '{account}' is not assigned to a role for the application '{client_id}'."
    ),
    50126: Reason("invalid_grant", "Error validating credentials due to invalid username or password."),
    50147: Reason("invalid_request", "Invalid size of code challenge parameter."),
    50173: Reason(
        "invalid_grant",
        "The provided grant has expired due to it being revoked, a fresh auth token is "
        "needed. The user might have changed or reset their password.",
        "bad_token",
    ),
    50194: Reason(
        "invalid_request",
        "Application '{client_id}' is not configured as a multi-tenant application. Usage "
        "of the /common endpoint is not supported for such apps.",
    ),
    53003: Reason(
        "interaction_required",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        "message_only",
    ),
    54005: Reason(
        "invalid_grant",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid "
        "code or use an existing refresh token.",
    ),
    65001: Reason(
        "invalid_grant",
        "The user or administrator has not consented to use the application with ID "
        "'{client_id}'. Send an interactive authorization request for this user and resource.",
        "consent_required",
    ),
    65004: Reason("access_denied", "User declined to consent to access the app."),
    70000: Reason("invalid_grant", "Provided grant is invalid or malformed.", "bad_token"),
    70003: Reason("unsupported_grant_type", "The app requested an unsupported grant type '{detail}'."),
    70008: Reason(
        "invalid_grant",
        "The provided authorization code or refresh token has expired due to inactivity. "
        "Send a new interactive authorization request for this user and resource.",
    ),
    70011: Reason(
        "invalid_scope",
        "The provided request must include a 'scope' input parameter. The provided value "
        "for the input parameter 'scope' is not valid: {detail}.",
    ),
    70043: Reason(
        "invalid_grant",
        "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access.",
        "token_expired",
    ),
    90002: Reason(
        "invalid_request",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID "
        "and are signing into the correct cloud.",
    ),
    90094: Reason(
        "access_denied",
        "An administrator of {tenant} has set a policy that prevents you from granting "
        "'{client_id}' the permissions it is requesting. Contact an administrator.",
    ),
    501481: Reason(
        "invalid_grant", "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    ),
    500112: Reason(
        "invalid_client",
        "The reply address '{redirect_uri}' does not match the reply address provided "
        "when requesting Authorization code.",
        status=401,
    ),
    500208: Reason(
        "access_denied",
        "The domain is not a valid login domain for the account type: a personal "
        "Microsoft account cannot be used here.",
    ),
    650053: Reason(
        "invalid_client",
        "The application '{client_id}' asked for scope '{detail}' that doesn't exist on "
        "the resource '00000003-0000-0000-c000-000000000000'. Contact the app vendor.",
    ),
    700016: Reason(
        "unauthorized_client", "Application with identifier '{client_id}' was not found in the directory '{tenant}'."
    ),
    700027: Reason(
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application. {detail}",
        status=401,
    ),
    700082: Reason(
        "invalid_grant",
        "The refresh token has expired due to inactivity. The token was issued on "
        "{detail} and was inactive for 90.00:00:00.",
        "token_expired",
    ),
    900144: Reason("invalid_request", "The request body must contain the following parameter: '{detail}'."),
    900561: Reason("invalid_request", "The endpoint only accepts POST requests. Received a GET request."),
    7000215: Reason(
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is "
        "the client secret value, not the client secret ID, for a secret added to app '{client_id}'.",
        status=401,
    ),
    7000218: Reason(
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        status=401,
    ),
    7000222: Reason("invalid_client", "The provided client secret keys for app '{client_id}' are expired.", status=401),
    9002313: Reason("invalid_request", "Invalid request. Request is malformed or invalid. {detail}"),
}


class SignInRefused(Exception):
    """A sign-in request that Microsoft would refuse.

    `claims`   JSON text the client must send back to the authorize endpoint, "" if there is nothing to pass on.
    `error`    overrides the OAuth word of the table: the authorize endpoint says some things differently.
    """

    def __init__(self, code: int, *, error: str = "", claims: str = "", **details: str) -> None:
        self.code = code
        self.reason = REASONS[code]
        self.error = error or self.reason.error
        self.claims = claims
        texts = {"client_id": "", "tenant": "", "account": "", "redirect_uri": "", "detail": "", "resource": "Graph"}
        self.text = f"AADSTS{code}: {self.reason.text.format(**(texts | details))}"
        super().__init__(self.text)

    @property
    def status(self) -> int:
        return self.reason.status

    def description(self, now: datetime, trace_id: str, correlation_id: str) -> str:
        stamp = f"{now:%Y-%m-%d %H:%M:%S}Z"
        return f"{self.text} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {stamp}"

    def body(self, now: datetime, login_url: str, correlation_id: str = "") -> dict[str, Any]:
        """The JSON body of a refused token request, as in facts 3.4. `now` is UTC."""
        trace_id, correlation_id = str(uuid.uuid4()), correlation_id or str(uuid.uuid4())
        body: dict[str, Any] = {
            "error": self.error,
            "error_description": self.description(now, trace_id, correlation_id),
            "error_codes": [self.code],
            "timestamp": f"{now:%Y-%m-%d %H:%M:%S}Z",
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"{login_url}/error?code={self.code}",
        }
        if self.reason.suberror:
            body["suberror"] = self.reason.suberror
        if self.claims:
            body["claims"] = self.claims
        return body
