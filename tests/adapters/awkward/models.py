"""Two organisations in one database, profiles instead of users, UUID keys, a manager that hides rows, child rows."""

import uuid

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models


class Organisation(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=40)

    def __str__(self):
        return self.name


class Profile(models.Model):
    """What the CRM's owner columns point to. Some profiles have no user."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="profiles")
    organisation = models.ForeignKey(Organisation, models.CASCADE)

    def __str__(self):
        return str(self.user)


class Company(models.Model):
    organisation = models.ForeignKey(Organisation, models.CASCADE)
    name = models.CharField(max_length=30)
    sector = models.CharField(max_length=20)

    def __str__(self):
        return self.name


class Label(models.Model):
    organisation = models.ForeignKey(Organisation, models.CASCADE)
    name = models.CharField(max_length=20)
    rank = models.IntegerField(default=0)

    class Meta:
        ordering = ["rank", "name"]

    def __str__(self):
        return self.name


class LivePeople(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(archived=False)


class Person(models.Model):
    """No modification stamp; archived rows are hidden by the default manager."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, models.CASCADE)
    owners = models.ManyToManyField(Profile, related_name="people", blank=True)
    first_name = models.CharField(max_length=30, blank=True)
    last_name = models.CharField("family name", max_length=30)
    kind = models.CharField(max_length=10, choices=[("client", "Client"), ("lead", "Lead"), ("press", "Press")])
    salutation = models.CharField(max_length=5, blank=True, choices=[("mr", "Mr"), ("ms", "Ms"), ("m", "Mr (formal)")])
    company = models.ForeignKey(Company, models.SET_NULL, null=True, blank=True)
    labels = models.ManyToManyField(Label, related_name="people", blank=True)
    birthday = models.DateTimeField(null=True, blank=True)
    website = models.URLField(blank=True)
    vat = models.CharField(max_length=10)
    notes = models.TextField(blank=True)
    archived = models.BooleanField(default=False)

    mails = GenericRelation("awkward.Mail")

    objects = LivePeople()

    def __str__(self):
        return f"{self.first_name} {self.last_name}".strip()

    def clean(self):
        if self.last_name == "Forbidden":
            raise ValidationError(f"Nobody called {self.last_name} may be kept.")
        if self.first_name.isdigit() and self.first_name:
            raise ValidationError({"first_name": f"{self.first_name} is a number."})

    @property
    def shout(self):
        return self.last_name.upper()


class EmailAddress(models.Model):
    person = models.ForeignKey(Person, models.CASCADE, related_name="addresses")
    address = models.EmailField(max_length=40)
    is_primary = models.BooleanField(default=False)
    verified = models.BooleanField(default=False)

    def __str__(self):
        return self.address


class Number(models.Model):
    person = models.ForeignKey(Person, models.CASCADE, related_name="numbers")
    kind = models.CharField(max_length=10)
    number = models.CharField(max_length=20)
    rank = models.IntegerField()

    def __str__(self):
        return self.number


class Mail(models.Model):
    """A child row that can belong to anything."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.UUIDField()
    owner = GenericForeignKey("content_type", "object_id")
    address = models.EmailField()

    def __str__(self):
        return self.address


class Supplier(models.Model):
    """Integer keys, everything in one row, an address that is unique in its organisation."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    owner = models.ForeignKey(Profile, models.SET_NULL, null=True, blank=True)
    name = models.CharField(max_length=20)
    contact_name = models.CharField(max_length=20, blank=True)
    emails = models.CharField(max_length=60, blank=True)
    email1 = models.EmailField(max_length=40, blank=True)
    email2 = models.EmailField(max_length=40, blank=True)
    email3 = models.EmailField(max_length=40, blank=True)
    main_email = models.EmailField(null=True, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    street1 = models.CharField(max_length=20, blank=True)
    street2 = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    folder = models.CharField(max_length=20, blank=True)
    category = models.CharField(max_length=10, default="none",
                                choices=[("good", "Good"), ("better", "Better"), ("bad", "Bad"), ("none", "None")])
    sync = models.BooleanField(null=True, blank=True)
    founded = models.DateField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "main_email"], name="awkward_one_main_email"),
        ]

    def __str__(self):
        return self.name
