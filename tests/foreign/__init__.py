"""CRMs that nobody here had in mind, plugged in as strangers would plug them in, and synced with the sandbox.

`awkward.py` is the `ms365.py` of the awkward CRM (`tests.adapters.awkward`); `strangers/` are small CRMs of their own.
"""
