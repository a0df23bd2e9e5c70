"""Drafts of a whole set of recordings, by all processes that torchrun started together."""

from dataclasses import dataclass

import torch
from tqdm import tqdm

from meit.drafting.report_writing import write_reports
from meit.model.encoders.encoding import EncoderInputs, encode_all
from meit.model.report_model import ReportModel
from meit.model.sharing import gathered, is_first, share


@dataclass(frozen=True, eq=False)
class Written:
    """Drafts of N recordings, the encoder's finding probabilities (N, F), and the features (N, d) that compare them."""

    drafts: list[str]
    probabilities: torch.Tensor
    features: torch.Tensor


def write_drafts(model: ReportModel, data: EncoderInputs, label: str = "drafting") -> Written:
    """Drafts each recording of the set; every process gets all drafts. Raises MeitError where a process has ended."""
    mine = share(len(data))
    probabilities, tokens, features = encode_all(model.ensemble, data, mine)
    with tqdm(total=len(tokens), desc=label, unit="ECG", disable=not is_first()) as bar:
        drafts = write_reports(model, probabilities, tokens, done=bar.update)
    parts = gathered([(probabilities, features)])
    return Written(gathered(drafts), *(torch.cat(part) for part in zip(*parts, strict=True)))


def signal_features(model: ReportModel, data: EncoderInputs) -> torch.Tensor:
    """(N, d) features of a set that is compared and not drafted; nothing is measured."""
    return torch.cat(gathered([encode_all(model.ensemble, data, share(len(data)), by_signal=True).features]))
