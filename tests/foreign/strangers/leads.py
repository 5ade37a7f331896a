"""The `ms365.py` of a CRM of leads: one column for the name, an account for each, a code for the country."""

from opencrm_ms365 import adapters as ms

from .models import Account


class LeadAdapter(ms.ContactAdapter):
    fields = dict(  # noqa: C408 - reads like a table
        given_name=ms.Method("first_words", "set_first_words"), surname=ms.Method("last_word", "set_last_word"),
        emails="email", business_phone="phone", job_title="role", birthday="born",
        company_name=ms.Related("account", create=True, defaults=lambda ctx: {"owner_id": ctx.user.pk}),
        categories=ms.Split("tags"),
        home_address=ms.Address(city="town", country=ms.CountryCode("country")),
    )
    owner = "owner"
    sync_flag = "massmail"
    folders = "state"
    modified_field = "updated"
    fallbacks = {"full_name": lambda data, ctx: data.first_token()}

    def first_words(self, obj, ctx):
        words = obj.full_name.split()
        return " ".join(words[:-1] or words)

    def last_word(self, obj, ctx):
        return " ".join(obj.full_name.split()[1:][-1:])

    def set_first_words(self, obj, value, ctx):
        obj.full_name = f"{value or ''} {self.last_word(obj, ctx)}".strip()[:40]

    def set_last_word(self, obj, value, ctx):
        if value and " " in value:
            raise ms.RejectChange("surname", "The CRM takes one word only as a last name.")
        obj.full_name = f"{self.first_words(obj, ctx)} {value or ''}".strip()[:40]

    def create_defaults(self, data, ctx):
        return {"account": Account.objects.get_or_create(name="(none)", defaults={"owner": ctx.user})[0]}
