"""Field specs: what an adapter's declaration is made of."""

from .address import Address
from .base import FieldSpec
from .columns import Choice, Col, Const, CountryCode, Derived
from .lists import Columns, Split
from .method import Method
from .people import Users
from .relations import M2M, Related
from .rows import Rows
from .stored import Stored

__all__ = [
    "M2M", "Address", "Choice", "Col", "Columns", "Const", "CountryCode", "Derived", "FieldSpec", "Method", "Related",
    "Rows", "Split", "Stored", "Users",
]
