"""Shared by the tests of training: the smallest recipe that goes the whole way."""

import pytest

from meit.training.recipe import Recipe


@pytest.fixture
def small_recipe(simulated, tiny_backbone, tmp_path) -> Recipe:
    return Recipe(
        out=str(tmp_path / "run"), data=(str(simulated),), backbone=str(tiny_backbone), batch_size=8, cross_fits=2
    )
