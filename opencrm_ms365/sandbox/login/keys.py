"""The key that signs id_tokens, and the check of assertions that clients sign with their certificate.

One RSA key is made for each process when it is first needed, because making one takes longer than a test should;
a sandbox with a state file keeps its own in that file, so that tokens survive a restart.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: RS256 with a SHA-1 thumbprint is the older form, PS256 with SHA-256 the one Microsoft recommends today.
ASSERTION_ALGORITHMS = ["PS256", "RS256"]


@cache
def process_key() -> str:
    """PEM of the signing key that all sandboxes of this process share."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def b64url(data: bytes) -> str:
    """BASE64URL without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _private(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("The signing key of the sandbox must be an RSA key.")
    return key


def _number(value: int) -> str:
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def key_id(pem: str) -> str:
    der = (
        _private(pem)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return b64url(hashlib.sha256(der).digest())[:27]


def published(pem: str, issuer: str) -> dict[str, Any]:
    """The document of `/discovery/v2.0/keys`."""
    numbers = _private(pem).public_key().public_numbers()
    key = {"kty": "RSA", "use": "sig", "kid": key_id(pem), "alg": "RS256", "issuer": issuer}
    return {"keys": [key | {"n": _number(numbers.n), "e": _number(numbers.e)}]}


def sign(pem: str, claims: dict[str, Any]) -> str:
    """A JWT, RS256, with the id of the published key in its header."""
    return jwt.encode(claims, pem, algorithm="RS256", headers={"kid": key_id(pem)})


class AssertionRefused(Exception):
    """A client assertion that no registered certificate has signed, or that was meant for somebody else."""


def check_assertion(assertion: str, certificates: list[str], client_id: str, audiences: list[str]) -> None:
    """Check a `client_assertion` against the client's registered certificates (PEM). Raises `AssertionRefused`.

    The certificate is chosen by the thumbprint in the header (`x5t#S256`, or the older `x5t`); issuer and subject
    must both be the client id, and the audience the token endpoint.
    Source: "Microsoft identity platform application authentication certificate credentials".
    """
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.PyJWTError as error:
        raise AssertionRefused("The assertion is not a JWT.") from error
    for pem in certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        sha256 = b64url(certificate.fingerprint(hashes.SHA256()))
        sha1 = b64url(certificate.fingerprint(hashes.SHA1()))  # noqa: S303 - the header field is defined so
        if header.get("x5t#S256", "").rstrip("=") != sha256 and header.get("x5t", "").rstrip("=") != sha1:
            continue
        key = certificate.public_key()
        try:
            claims = jwt.decode(
                assertion,
                key,  # type: ignore[arg-type]  # any of the library's keys will do
                algorithms=ASSERTION_ALGORITHMS,
                audience=audiences,
                issuer=client_id,
                options={"require": ["exp", "aud", "iss", "sub", "jti"]},
            )
        except jwt.PyJWTError as error:
            raise AssertionRefused(f"{error}") from error
        if claims["sub"] != client_id:
            raise AssertionRefused("The subject is not the client.")
        return
    raise AssertionRefused("No certificate with this thumbprint is registered.")
