"""The projectors: the paper's against its equation written out, and what either refuses."""

import math
from dataclasses import replace

import pytest
import torch

from meit.errors import ModelError
from meit.model.projector import BETWEEN_PAPER, PROJECTORS, ProjectorSizes, build_projector

SIZES = ProjectorSizes(n_findings=0, finding_tokens=0, n_tokens=1, width=6, hidden=12, heads=3)


def batch_norm(rows, norm, mean, variance):
    return (rows - mean) / (variance + norm.eps).sqrt() * norm.weight + norm.bias


def by_hand(projector, rows, statistics):
    """(N, width) -> (N, hidden). statistics(rows, norm): the mean and variance that a batch norm goes by."""
    first, norm, _, second, last = projector.head
    between = rows @ first.weight.T + first.bias
    between = batch_norm(between, norm, *statistics(between, norm)).clamp_min(0)
    vectors = between @ second.weight.T + second.bias
    vectors = batch_norm(vectors, last, *statistics(vectors, last))
    vectors = vectors / vectors.pow(2).sum(1, keepdim=True).sqrt()
    return torch.cat([vectors] * 3, dim=1)


def of_the_batch(rows, _norm):
    return rows.mean(0), rows.var(0, unbiased=False)


def running(_rows, norm):
    return norm.running_mean, norm.running_var


@pytest.fixture
def paper():
    torch.manual_seed(0)
    projector = build_projector("paper", SIZES)
    for norm in (projector.head[1], projector.head[4]):
        torch.nn.init.normal_(norm.weight), torch.nn.init.normal_(norm.bias)
        torch.nn.init.normal_(norm.running_mean), torch.nn.init.uniform_(norm.running_var, 0.5, 2)
    return projector


@torch.no_grad()
def test_the_paper_s_equals_its_equation(paper):
    tokens, none = torch.randn(5, 1, 6), torch.empty(5, 0)
    drafted = paper.eval()(none, tokens)
    assert drafted.shape == (5, 1, 12) and paper.head[0].weight.shape == (BETWEEN_PAPER, 6)
    assert torch.allclose(drafted[:, 0], by_hand(paper, tokens[:, 0], running), atol=1e-5)
    wanted = by_hand(paper, tokens[:, 0], of_the_batch)
    assert torch.allclose(paper.train()(none, tokens)[:, 0], wanted, atol=1e-5)
    heads = drafted.view(5, 3, 4)
    assert torch.equal(heads[:, 0], heads[:, 2]) and torch.allclose(heads.norm(dim=2), torch.ones(5, 3))


@torch.no_grad()
def test_a_draft_does_not_depend_on_its_batch(paper):
    tokens = torch.randn(4, 2, 6)
    together = paper.eval()(torch.empty(4, 0), tokens)
    alone = torch.cat([paper(torch.empty(1, 0), tokens[row : row + 1]) for row in range(4)])
    assert torch.allclose(together, alone, atol=1e-6)


def test_a_batch_of_one_is_refused_in_training_only(paper):
    one = torch.empty(1, 0), torch.randn(1, 1, 6)
    assert paper.eval()(*one).isfinite().all()
    with pytest.raises(ModelError, match="raise batch_size"):
        paper.train()(*one)


@pytest.mark.parametrize(
    ("name", "sizes", "says"),
    [
        ("paper", replace(SIZES, finding_tokens=2, n_findings=3), "has no finding tokens"),
        ("paper", replace(SIZES, heads=5), "5 heads do not divide 12"),
        ("placed", replace(SIZES, finding_tokens=2), "need findings"),
        ("named", replace(SIZES, finding_tokens=4, n_findings=3), "from 1 to the number of findings .3., not 4"),
        ("linear", SIZES, "'linear' is not known; known are placed, named, paper"),
    ],
)
def test_what_cannot_be_built_says_so(name, sizes, says):
    with pytest.raises(ModelError, match=says):
        build_projector(name, sizes)


NAMED = replace(SIZES, finding_tokens=2, n_findings=3)


@torch.no_grad()
def test_the_likeliest_findings_tokens_equal_their_equation():
    torch.manual_seed(0)
    projector, words = build_projector("named", NAMED), torch.randn(3, 12)
    projector.name(words)
    names = words - words.mean(0)
    names = names / names.pow(2).mean(1, keepdim=True).sqrt()
    probabilities, tokens = torch.tensor([[0.2, 0.001, 0.9]]), torch.randn(1, 1, 6)
    rows = [
        p * names[f] + (1 - p) * 0.3 * names[f] + math.log(p / (1 - p)) / 4 * projector.level[f]
        for p, f in ((0.9, 2), (0.2, 0))
    ]
    rows.append(projector.signal.weight @ tokens[0, 0] + projector.signal.bias)
    rows = torch.stack(rows) + projector.place
    rows = (rows - rows.mean(1, keepdim=True)) / (rows.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt() * 0.1
    assert torch.allclose(projector(probabilities, tokens)[0], rows, atol=1e-5)


@pytest.mark.parametrize("name", PROJECTORS)
@torch.no_grad()
def test_every_projector_gives_the_width_of_the_language_model(name):
    sizes, count = (NAMED, 3) if name == "named" else (SIZES, 1)
    made = build_projector(name, sizes).eval()(torch.rand(2, sizes.n_findings), torch.randn(2, 1, 6))
    assert made.shape == (2, count, 12)
