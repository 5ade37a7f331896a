"""The awkward CRM's `ms365.py`: two organisations, profiles for users, child rows, a manager that hides rows."""

import contextlib
from contextvars import ContextVar

from django.db.models import Q

from opencrm_ms365 import adapters as ms
from tests.adapters.awkward.models import Company, Organisation, Profile

#: Stands for row-level security: which organisation the CRM's queries may see.
ACTIVE = ContextVar("awkward_organisation", default=None)


class Directory(ms.DirectoryAdapter):
    person_model = "awkward.Profile"
    person_user_path = "user"

    def tenants(self):
        return [str(key) for key in Organisation.objects.values_list("pk", flat=True)]

    def tenants_of(self, user):
        return [str(key) for key in Profile.objects.filter(user=user).values_list("organisation_id", flat=True)]

    def person(self, user, tenant):
        return Profile.objects.filter(user=user, organisation_id=tenant).select_related("user").first()

    @contextlib.contextmanager
    def activate(self, ctx):
        token = ACTIVE.set(ctx.tenant)
        try:
            yield
        finally:
            ACTIVE.reset(token)


class Guarded:
    """What both adapters share: nothing is read unless the organisation is active."""

    tenant_field = "organisation"

    def get_queryset(self, ctx):
        assert ACTIVE.get() == ctx.tenant, "a query of the CRM outside of activate()"
        return super().get_queryset(ctx)


class PeopleAdapter(Guarded, ms.ContactAdapter):
    """No stamp, no tick box, no folders of its own; only owners may change a person, and only they see the press."""

    fields = dict(  # noqa: C408 - reads like a table
        given_name="first_name", surname="last_name", birthday="birthday", web="website", notes="notes",
        title=ms.Choice("salutation", {"mr": "Mr", "ms": "Ms", "m": "Mr"}),
        company_name=ms.Related(
            "company", "name", create=True, queryset=lambda ctx: Company.objects.filter(organisation=ctx.tenant),
            defaults=lambda ctx: {"organisation_id": ctx.tenant, "sector": "?"}),
        emails=ms.Rows("addresses", "address", primary="is_primary"),
        business_phones=ms.Rows("numbers", "number", kind={"kind": "work"}, position="rank"),
        mobile_phone=ms.Rows("numbers", "number", kind={"kind": "cell"}, defaults={"rank": 0}),
        nickname=ms.Stored(), categories=ms.Stored(default=()),
    )
    owner = ms.Users("owners")
    body_format = "html"
    fallbacks = {"kind": "lead", "vat": "-", "last_name": lambda data, ctx: data.first_token() or "?"}

    def visible_to(self, queryset, ctx):
        return queryset.filter(~Q(kind="press") | Q(owners=ctx.person)).distinct()

    def can_change(self, obj, ctx):
        return self.is_mine(obj, ctx)

    def can_create(self, ctx):
        return not ctx.user.username.startswith("guest")

    def values(self, obj, ctx):
        if obj.vat == "secret":
            raise ms.SkipRecord("its VAT number is secret")
        return super().values(obj, ctx)


class SuppliersAdapter(Guarded, ms.ContactAdapter):
    """Joined addresses, two parts of a postal address, a day without time, a soft deletion, one address for one."""

    fields = dict(  # noqa: C408 - reads like a table
        company_name="name", emails=ms.Split("emails", ";"), business_phone="phone", birthday="founded",
        business_address=ms.Address(city="city", country=ms.CountryCode("country")),
    )
    owner = "owner"
    folders = "folder"
    sync_flag = ms.Choice("sync", {False: False}, default=True)
    soft_delete = Q(deleted_at__isnull=False)
    modified_field = "changed_at"
    fallbacks = {"name": lambda data, ctx: data.first_token() or "?"}

    def before_save(self, obj, ctx, created, changed):
        obj.main_email = obj.emails.split(";")[0].strip() or None
