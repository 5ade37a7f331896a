"""Whoever may see what, whatever people choose to sync, whoever comes and goes: nobody's address book ever loses what
the rules do not take, and in the end everybody has what they should (CON-02, CON-07 to CON-11, USER-04, USER-05).

The law is checked after every single cycle; see `tests.editing_limits`. `HYPOTHESIS_EXAMPLES` as in `test_properties`.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests import rules
from tests.behaviour.test_properties import EXAMPLES, BothSides, users, walk
from tests.editing import FOLDERS
from tests.editing_limits import Limited

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

some_folders = st.none() | st.lists(st.sampled_from(FOLDERS), unique=True, max_size=2).map(tuple)


class ChangingLimits(BothSides):
    """Three users who join and leave a team, narrow and widen their settings, disconnect and connect again."""

    made = Limited

    @initialize(owners=st.lists(users, min_size=2, max_size=3), user=users)
    def everybody_has_somebody(self, owners, user):
        """Without people who are in sync there is nothing to lose."""
        for owner in owners:
            self.add_in_crm(owner, ["notes"])
        self.add_in_microsoft(user, ["phone"])
        for name in self.editing.users:
            self.run(name)

    @rule(user=users, only=st.booleans(), sync=st.booleans())
    def choose_only_my_items(self, user, only, sync):
        self.editing.change(self.user(user), only_my_items=only)
        self.perhaps(sync, user)

    @rule(user=users, names=some_folders, sync=st.booleans())
    def choose_crm_folders(self, user, names, sync):
        self.editing.choose_crm_folders(self.user(user), names)
        self.perhaps(sync, user)

    @rule(user=users, names=some_folders, sync=st.booleans())
    def choose_microsoft_folders(self, user, names, sync):
        self.editing.choose_microsoft_folders(self.user(user), names)
        self.perhaps(sync, user)

    @rule(user=users, sync=st.booleans())
    def leave_or_join_the_team(self, user, sync):
        self.editing.leave_or_join(self.user(user))
        self.perhaps(sync, user)

    @rule(user=users)
    def disconnect_or_connect(self, user):
        self.editing.disconnect_or_connect(self.user(user))

    def perhaps(self, sync, user):
        if sync:
            self.run(self.user(user))

    def in_box(self, user, pick):
        """Only who is there once: an entry in a folder that was left out can have a younger twin."""
        found = [person for person in self.editing.people if len(self.editing.items(user, person)) == 1]
        return found[pick % len(found)] if found else None


class ChangingDirections(ChangingLimits):
    """The same, with users who narrow the direction."""

    @rule(user=users, direction=st.sampled_from([None, "to_microsoft", "to_crm"]), sync=st.booleans())
    def choose_direction(self, user, direction, sync):
        self.editing.choose_direction(self.user(user), direction)
        self.perhaps(sync, user)


@pytest.mark.timeout(3600 if EXAMPLES else 300)
@rules.rule("CON-02", "CON-05", "CON-07", "CON-08", "CON-09", "CON-11", "USER-04", "SYNC-05", "SYNC-06")
@pytest.mark.parametrize("only_my_items", [True, False])
def test_no_change_of_limits_or_rights_takes_what_the_rules_leave(world, monkeypatch, settings, only_my_items):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CHUNK": 1}
    walk(world, monkeypatch, ChangingLimits, 3, steps=20, only_my_items=only_my_items)


@pytest.mark.timeout(3600 if EXAMPLES else 300)
@rules.rule("CON-11", "ORG-06", "USER-05")
def test_no_narrower_direction_takes_what_the_rules_leave(world, monkeypatch, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CHUNK": 1}
    walk(world, monkeypatch, ChangingDirections, 3, steps=20, only_my_items=False)
