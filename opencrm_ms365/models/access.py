"""Sign-ins under way, and the one-time access keys that end them (USER-02)."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.db import models


class SignInFlow(models.Model):
    """A sign-in that was sent to Microsoft and has not come back yet. Used once, then deleted.

    `state_digest` and `session_digest` are SHA-256 digests; `flow` (PKCE verifier, nonce) is encrypted.
    """

    purpose = models.CharField(max_length=20)
    tenant = models.CharField(max_length=200, default="", blank=True)
    user = models.ForeignKey(django_settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    state_digest = models.CharField(max_length=64, unique=True)
    session_digest = models.CharField(max_length=64)
    flow = models.BinaryField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.purpose


class AccessKey(models.Model):
    """What the pop-up shows after sign-in. Only its digest is stored; the token cache behind it is encrypted."""

    tenant = models.CharField(max_length=200, default="", blank=True)
    user = models.ForeignKey(django_settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key_digest = models.CharField(max_length=64, unique=True)
    session_digest = models.CharField(max_length=64)
    identity = models.BinaryField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return "access key"


class SignInAttempt(models.Model):
    """One use of a sign-in endpoint, kept for some minutes so that they can be counted (`access.attempts`)."""

    user = models.ForeignKey(django_settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "at"], name="ms365_attempt_user_at")]

    def __str__(self) -> str:
        return "sign-in attempt"
