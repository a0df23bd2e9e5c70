"""Shared by the tests of training."""

import pytest

from meit.training.recipe import Recipe


@pytest.fixture
def small_recipe(make_small_recipe, tmp_path) -> Recipe:
    return make_small_recipe(tmp_path / "run")
