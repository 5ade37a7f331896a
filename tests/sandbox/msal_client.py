"""An MSAL application that talks to a sandbox on plain http, and small steps of a sign-in."""

from urllib.parse import parse_qs, urlsplit

import msal
import requests

CLIENT_ID = "0b6a7c1e-7c3b-4f6a-9d52-6a1b2c3d4e5f"
SECRET = "s3cret"
REDIRECT = "http://127.0.0.1:8000/microsoft/callback/"
SCOPES = ["User.Read", "Contacts.ReadWrite"]


class LoopbackSession(requests.Session):
    """Turns https into http for exactly the simulator's address, as MSAL insists on https."""

    def __init__(self, netloc):
        super().__init__()
        self.trust_env = False
        self.netloc = netloc

    def request(self, method, url, **kwargs):
        if urlsplit(url).scheme == "https" and urlsplit(url).netloc == self.netloc:
            url = "http" + url[5:]
        kwargs.setdefault("timeout", 10)
        return super().request(method, url, **kwargs)


def application(base_url, *, tenant="organizations", credential=SECRET, client_id=CLIENT_ID, cache=None):
    netloc = urlsplit(base_url).netloc
    return msal.ConfidentialClientApplication(
        client_id,
        client_credential=credential,
        authority=f"https://{netloc}/{tenant}",
        http_client=LoopbackSession(netloc),
        instance_discovery=False,
        token_cache=cache,
    )


def query_of(response):
    """The parameters with which a redirect goes back to the application."""
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def visit(url, **data):
    """Open an address of the login, or post a form of it, and stay there."""
    if data:
        return requests.post(url, data=data, allow_redirects=False, timeout=10)
    return requests.get(url, allow_redirects=False, timeout=10)
