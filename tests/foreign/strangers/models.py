"""Leads (one name column, accounts, countries) and parties (a customer is a row in two tables, with contact points)."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models


class Account(models.Model):
    name = models.CharField(max_length=64, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    def __str__(self):
        return self.name


class Lead(models.Model):
    STATES = [("new", "New"), ("qualified", "Qualified"), ("lost", "Lost")]

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    full_name = models.CharField(max_length=40)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True, validators=[RegexValidator(r"^[+0-9 ()/-]*$")])
    account = models.ForeignKey(Account, models.CASCADE)
    role = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True, choices=[("GB", "Britain"), ("FR", "France"), ("", "-")])
    town = models.CharField(max_length=60, null=True, blank=True)
    state = models.CharField(max_length=10, choices=STATES, default="new")
    massmail = models.BooleanField(default=True)
    tags = models.CharField(max_length=200, blank=True)
    born = models.CharField(max_length=10, blank=True)
    updated = models.DateTimeField(auto_now=True)

    def __str__(self):
        return self.full_name


class Party(models.Model):
    """The base of customers and, elsewhere, of suppliers and staff."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=120)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    is_deleted = models.BooleanField(default=False)

    def __str__(self):
        return self.label


class Customer(Party):
    first = models.CharField(max_length=50, null=True, blank=True)
    last = models.CharField(max_length=50, null=True, blank=True)
    firm = models.CharField(max_length=50, blank=True, default="")
    handled_by = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Assignment", related_name="+")
    book = models.CharField(max_length=8, choices=[("std", "Standard"), ("vip", "Very important")], default="std")

    def clean(self):
        if not (self.first or self.last or self.firm):
            raise ValidationError("A customer needs a name or a firm.")


class Assignment(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    since = models.DateField(auto_now_add=True)

    def __str__(self):
        return f"{self.customer} by {self.user}"


class Point(models.Model):
    """One way to reach a party, whatever it is."""

    party = models.ForeignKey(Party, models.CASCADE)
    type = models.CharField(max_length=10, choices=[("email", "E-mail"), ("tel", "Phone"), ("gsm", "Mobile")])
    value = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["party", "type", "value"], name="strangers_point_once")]

    def __str__(self):
        return self.value


class Place(models.Model):
    party = models.OneToOneField(Party, models.CASCADE)
    street = models.CharField(max_length=80, blank=True)
    town = models.CharField(max_length=40, blank=True)

    def __str__(self):
        return self.town
