"""The gradient is the one that a hand writes out, and it teaches to speak where that is cheap, and to be silent where it
is dear."""

import torch

from meit.model.fusion import Text
from meit.model.language.architectures import plain
from meit.training.examples import Example, View
from meit.training.recipe import Recipe
from meit.training.reinforcement.reward_examples import RewardCollator, Rewarded
from meit.training.reinforcement.sampling import Drawn, draw, numbers, picked
from meit.training.reinforcement.self_critical import SelfCritical, advantages

SAMPLES = 3
RECIPE = Recipe(reward_steps=1, reward_samples=SAMPLES, max_answer_tokens=4, wording_weight=1.0)


def batch_of(model, reports, probabilities=None):
    config, count = model.spec.encoder, len(reports)
    random = torch.Generator().manual_seed(0)
    said = torch.rand(count, len(config.findings), generator=random) if probabilities is None else probabilities
    tokens = torch.randn(count, config.n_tokens, config.width, generator=random)
    examples = [
        Rewarded([1, 2], [3, 0], View(said[row], tokens[row]), True, report, row) for row, report in enumerate(reports)
    ]
    return RewardCollator(model.backbone)(examples)


def test_only_reward_examples_bring_reports(tiny_model):
    view = View(torch.rand(2), torch.randn(3, tiny_model.spec.encoder.width))
    assert "reports" not in RewardCollator(tiny_model.backbone)([Example([1], [2, 0], view, True)])
    assert batch_of(tiny_model, ["fast"])["reports"] == ["fast"]


def test_the_gradient_is_the_policy_gradient(tiny_model, monkeypatch):
    """Minus the sum of advantage times log-probability, each draft by itself and token by token."""
    critic, inputs = SelfCritical(RECIPE), batch_of(tiny_model, ["fast", "slow"])
    rewards = torch.tensor([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0]])
    given = iter(rewards.flatten().tolist())
    monkeypatch.setattr(critic, "_worth", lambda draft, report: next(given))
    drafts = critic.sample(tiny_model, inputs)
    given_drafts = drafts[:4] + drafts[3:4] + drafts[5:]  # two of the second recording are the same
    monkeypatch.setattr(critic, "sample", lambda model, batch: given_drafts)
    tiny_model.train()
    batch = critic.batch(tiny_model, inputs)
    assert len(batch["ids"]) == 4  # one of the first has no advantage
    tiny_model(**batch, num_items_in_batch=1)["loss"].backward()
    tuned = {name: value for name, value in tiny_model.named_parameters() if value.requires_grad}
    found = {name: value.grad.clone() for name, value in tuned.items() if value.grad is not None}
    tiny_model.zero_grad()

    prompt = tiny_model.tokenizer(f"<|user|>\n{tiny_model.spec.instruction}\n<|assistant|>\n")["input_ids"]
    for number, (draft, advantage) in enumerate(zip(given_drafts, advantages(rewards).flatten(), strict=True)):
        row = number // SAMPLES
        ecg = tiny_model.ecg_tokens(inputs["probabilities"][row : row + 1], inputs["tokens"][row : row + 1])
        ids = torch.tensor([prompt + draft.tokens])
        text = Text(ids, torch.ones_like(ids))
        hidden = tiny_model.fusion.hidden(tiny_model.backbone, text, ecg, torch.ones(1, ecg.shape[1]))
        logits = plain(tiny_model.backbone).lm_head(hidden)[0].log_softmax(-1)
        for place, token in enumerate(draft.tokens):
            (-advantage * logits[len(prompt) + place - 1, token]).backward(retain_graph=True)
    assert found and any(value.abs().sum() > 0 for value in found.values())
    for name, value in found.items():
        assert torch.allclose(value, tuned[name].grad, atol=2e-5, rtol=1e-3), name


def test_drafts_alike_in_worth_leave_the_weights_alone(tiny_model, monkeypatch):
    critic = SelfCritical(RECIPE)
    monkeypatch.setattr(critic, "_worth", lambda draft, report: 1.0)
    batch = critic.batch(tiny_model, batch_of(tiny_model, ["fast", "slow"]))
    assert len(batch["ids"]) == 1 and batch["weights"].tolist() == [0.0]  # other processes wait for a gradient
    assert tiny_model(**batch)["loss"].item() == 0.0


def test_tokens_are_drawn_as_likely_as_they_are():
    logits = torch.tensor([0.5, 0.3, 0.0, 0.2]).log().expand(20_000, 4)
    by = torch.rand(20_000, generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(picked(logits, by), minlength=4) / 20_000
    assert torch.allclose(shares, torch.tensor([0.5, 0.3, 0.0, 0.2]), atol=0.01)
    assert picked(logits[:2], torch.tensor([0.0, 1.0 - 1e-7])).tolist() == [0, 3]


def test_an_example_draws_the_same_wherever_it_is_computed():
    whole = numbers(5, [0, 1, 2], 4, 7)
    assert torch.equal(numbers(5, [2], 4, 7), whole[8:]) and not torch.equal(numbers(6, [2], 4, 7), whole[8:])
    assert whole.shape == (12, 7) and whole.min() >= 0 and whole.max() < 1


def test_drafts_end_where_their_text_does(tiny_model):
    plain(tiny_model.backbone).generation_config.eos_token_id = 0
    drafts = draw(tiny_model, [1, 2], torch.randn(4, 5, 32), torch.rand(40, 12))
    assert len(drafts) == 40
    for draft in drafts:
        assert draft.finished == (draft.tokens[-1] == 0) and 0 not in draft.tokens[:-1]
        assert draft.finished or len(draft.tokens) == 12
        assert draft.text == tiny_model.tokenizer.decode(draft.tokens, skip_special_tokens=True).strip()


def test_what_an_invented_finding_costs_decides_whether_it_is_named(build):
    """Two reports of five state it, and their ECGs are alike: it pays from a probability of price / (1 + price) on."""
    texts = ("Sinus rhythm.", "Sinus rhythm. Left axis deviation.")

    class Short(SelfCritical):
        """A draft is one token here, and an even one stands for the finding."""

        def sample(self, model, inputs):
            return [Drawn(one.tokens[:1], texts[one.tokens[0] % 2 == 0], True) for one in super().sample(model, inputs)]

    def shares(price):
        """Of the drafts of each step, those that state the finding."""
        model = build("llama")
        plain(model.backbone).generation_config.eos_token_id = None
        settings = {"reward_steps": 1, "reward_samples": 8, "max_answer_tokens": 2, "wording_weight": 0.0}
        critic = Short(Recipe(**settings, invented_price=price))
        tuned = [value for name, value in model.named_parameters() if "lora" in name or name.startswith("projector")]
        optimiser = torch.optim.Adam(tuned, lr=1e-2)
        inputs = batch_of(model, [texts[1]] * 2 + [texts[0]] * 3, torch.full((5, 2), 0.5))
        inputs["tokens"] = inputs["tokens"][:1].expand(5, -1, -1)
        for step in range(24):
            inputs["numbers"] = [5 * step + row for row in range(5)]
            model.train()
            model(**critic.batch(model, inputs), num_items_in_batch=40)["loss"].backward()
            optimiser.step()
            optimiser.zero_grad()
            yield critic.tally.curves(critic.tally.sums)["sampled_said"] - 1
            critic.tally = type(critic.tally)()

    cheap, dear = list(shares(0.05)), list(shares(3.0))
    assert cheap[0] == dear[0] and 0.3 < dear[0] < 0.6
    assert sum(cheap[-8:]) / 8 > 0.5 and sum(dear[-8:]) / 8 < 0.1
