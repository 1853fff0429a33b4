"""Which tests are quick to find out that the engines differ."""

from typing import Final

import pytest

on_both_engines: Final = pytest.mark.parametrize("engine", ["duckdb", "spark"], indirect=True)
"""For a test that asks for the fixture `engine`: with Spark it isn't slow, as others are."""
