"""Clients are tried against a served hall, as other people's libraries are."""

from tests.interop.conftest import hall as hall
from tests.interop.conftest import with_node as with_node
