"""`@rule("CON-05")`: this test shows that rule. `docs/rules.md` is made from these marks and from names of tests."""

import pytest

rule = pytest.mark.rule
