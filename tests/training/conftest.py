"""Shared by the tests of training: the smallest recipe that goes the whole way."""

import pytest

from meit.training.recipe import Recipe


@pytest.fixture(scope="session")
def make_small_recipe(simulated, tiny_backbone):
    """folder of its run -> recipe"""

    def make(out) -> Recipe:
        return Recipe(out=str(out), data=(str(simulated),), backbone=str(tiny_backbone), batch_size=8, cross_fits=2)

    return make


@pytest.fixture
def small_recipe(make_small_recipe, tmp_path) -> Recipe:
    return make_small_recipe(tmp_path / "run")
