"""The pure tests: no database, no network. A busy machine is no reason for an example to fail."""

from hypothesis import settings

settings.register_profile("unit", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("unit")
