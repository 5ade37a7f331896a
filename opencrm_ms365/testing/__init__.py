"""For integrators' tests: the contract suite for their adapters, and (by the pytest plugin) a local Microsoft 365."""

__all__ = ["ContactAdapterContract", "another_contact", "full_contact"]


def __getattr__(name: str) -> object:
    # Late: pytest imports this package with its plugin in every run, also where Django is not configured yet.
    if name == "ContactAdapterContract":
        from .contract import ContactAdapterContract

        return ContactAdapterContract
    if name in __all__:
        from . import samples

        return getattr(samples, name)
    raise AttributeError(name)
