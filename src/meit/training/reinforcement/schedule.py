"""The learning rate over a run: it rises and falls in a straight line while the model is tuned, and again while its drafts
are rewarded."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from meit.training.recipe import Recipe


def two_slopes(optimiser: Optimizer, recipe: Recipe, steps: int) -> LambdaLR:
    """Of a run of `steps`, the last reward_steps of which go by reward_rate."""
    tuned = max(0, steps - recipe.reward_steps)

    def factor(step: int) -> float:
        if step < tuned:
            return slope(step, tuned, recipe.warmup)
        return recipe.reward_rate / recipe.learning_rate * slope(step - tuned, steps - tuned, recipe.warmup)

    return LambdaLR(optimiser, factor)


def slope(step: int, steps: int, warmup: float) -> float:
    """From 0 to 1 over a share `warmup` of the steps, and down to 0."""
    rising = round(warmup * steps)
    if step < rising:
        return step / rising
    return max(0.0, (steps - step) / max(1, steps - rising))
