"""The `ms365.py` of a CRM of parties: inherited tables, contact points of all kinds in one table, assignments."""

from opencrm_ms365 import adapters as ms

from .models import Place


class CustomerAdapter(ms.ContactAdapter):
    fields = dict(  # noqa: C408 - reads like a table
        given_name="first", surname="last", company_name="firm",
        emails=ms.Rows("point_set", "value", kind={"type": "email"}),
        business_phones=ms.Rows("point_set", "value", kind={"type": "tel"}),
        mobile_phone=ms.Rows("point_set", "value", kind={"type": "gsm"}),
        business_address=ms.Method("place", "set_place", after_save=True),
    )
    owner = ms.Users("handled_by", first_is_owner=True)
    folders = ms.Choice("book", {"std": None, "vip": "VIP"})
    soft_delete_set = {"is_deleted": True}
    restore_set = {"is_deleted": False}
    select_related = ["place"]

    def get_queryset(self, ctx):
        return super().get_queryset(ctx).filter(is_deleted=False)

    def create_defaults(self, data, ctx):
        return {"created_by": ctx.user}

    def before_save(self, obj, ctx, created, changed):
        obj.label = " ".join(filter(None, [obj.first, obj.last])) or obj.firm

    def clean(self, obj, ctx, changed):
        obj.label = obj.label or "?"
        super().clean(obj, ctx, changed)

    def place(self, obj, ctx):
        found = getattr(obj, "place", None)
        return ms.PostalAddress(street=found.street, city=found.town, state=ms.UNSET, postal_code=ms.UNSET,
                                country=ms.UNSET) if found else ms.PostalAddress(
            state=ms.UNSET, postal_code=ms.UNSET, country=ms.UNSET)

    def set_place(self, obj, value, ctx):
        value = value or ms.PostalAddress()
        Place.objects.update_or_create(party=obj.party_ptr, defaults={
            "street": (value.street or "")[:80], "town": (value.city or "")[:40]})
