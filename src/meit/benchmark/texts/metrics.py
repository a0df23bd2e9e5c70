"""How near drafted reports come to the reference reports, with bootstrap intervals over patients.

    evaluation = Evaluation(references, patients, train_references, "corpus", [Meteor(), BertScore()])
    evaluation.score(drafts)            {"bleu_1": Metric, ...}
    evaluation.difference(a, b)         the same of a minus b, paired
    evaluation.about                    what the numbers are made with, for results.json

Every hypothesis is scored, also an empty or a repeated one. In the protocol "corpus", all from the same tokens:

    bleu_1..bleu_4          0-1   Papineni et al., ACL 2002; sacrebleu, no smoothing: corpus BLEU of orders 1..n
    rouge_1, rouge_2, rouge_l  0-1   Lin, ACL 2004; rouge-score, no stemming: F1 of each record, averaged. rouge_l is
                            Google's (beta 1), not that of the COCO caption evaluation (beta 1.2)
    cider_d                 0-10  Vedantam et al., CVPR 2015; pycocoevalcap: averaged over records, the document
                            frequencies taken from the training reports, not from the references under test as the
                            package does. So numbers from other test sets' frequencies are not comparable.
                            A text against itself reaches 10 only if it has four tokens and, of each order, an n-gram
                            that is not in every training report.
    meteor                  0-1   where a Meteor is given
    bertscore_p, _r, _f1    where a BertScore is given
"""

from collections.abc import Sequence

import numpy as np

from meit.benchmark.texts.protocols import METRIC_NAMES, PROTOCOLS, tokenise
from meit.errors import DataError
from meit.patient_bootstrap import N_BOOTSTRAP, SEED, Metric, patient_index, with_intervals


class Evaluation:
    """Scores of any number of systems on the same records; each pair of texts is scored once.

    `patients` names the patient of each record. Intervals are over patients (meit.patient_bootstrap). A single patient has an interval of no width. `train_references` serve only the
    document frequencies of CIDEr-D. `further` holds what is slow, a Meteor and a BertScore.
    """

    def __init__(
        self,
        references: list[str],
        patients: list,
        train_references: list[str],
        protocol: str = "corpus",
        further: Sequence = (),
        n_bootstrap: int = N_BOOTSTRAP,
        seed: int = SEED,
    ):
        if protocol not in PROTOCOLS:
            raise DataError(f"no protocol '{protocol}': choose {' or '.join(PROTOCOLS)}")
        if not references or len(patients) != len(references):
            raise DataError(
                f"{len(references)} references and {len(patients)} patients: "
                "give one of each for each record, and at least one record"
            )
        self._patient_of = patient_index(patients)
        for row, reference in enumerate(references):
            if not tokenise(reference):
                raise DataError(f"reference {row} holds no word: leave that record out of the test set")
        self.references, self.further = references, further
        self.protocol = PROTOCOLS[protocol](train_references)
        self.names = (*METRIC_NAMES, *(name for scorer in further for name in scorer.names))
        self.n_bootstrap, self.seed = n_bootstrap, seed
        self.about = {"protocol": protocol, **self.protocol.about}
        for scorer in further:
            self.about |= scorer.about
        self.about["intervals"] = f"95%, {n_bootstrap} bootstraps over patients, seed {seed}"
        self._rows: dict[tuple[str, str], np.ndarray] = {}
        self._systems: dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]] = {}

    def score(self, hypotheses: Sequence[str]) -> dict[str, Metric]:
        """Each metric of one draft a record."""
        return with_intervals(self.names, *self._values(hypotheses))

    def difference(self, a_hypotheses: Sequence[str], b_hypotheses: Sequence[str]) -> dict[str, Metric]:
        """By how much system a scores higher than system b on the same records.

        Both systems are scored on the same resamples (the paired bootstrap of Koehn, EMNLP 2004): an interval above 0
        says that a is better by more than the choice of test patients explains.
        """
        a, b = self._values(a_hypotheses), self._values(b_hypotheses)
        return with_intervals(self.names, *(of_a - of_b for of_a, of_b in zip(a, b, strict=True)))

    def _values(self, hypotheses: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """(metrics,) of the records, and (n_bootstrap, metrics) of the resamples, which are the same for all."""
        hypotheses = tuple(hypotheses)
        if len(hypotheses) != len(self.references):
            raise DataError(f"{len(hypotheses)} hypotheses for {len(self.references)} references: give one a record")
        if hypotheses not in self._systems:
            statistics = self._statistics(hypotheses)
            resampled = self.protocol.resampled(statistics, self._patient_of, self.n_bootstrap, self.seed)
            self._systems[hypotheses] = self.protocol.values(statistics), resampled
        return self._systems[hypotheses]

    def _statistics(self, hypotheses: tuple[str, ...]) -> np.ndarray:
        """(records, columns of the protocol and of what is further asked for)."""
        pairs = list(zip(hypotheses, self.references, strict=True))
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._rows]  # most reports recur
        if new:
            columns = [self.protocol.statistics(new), *(scorer.score(new, self.protocol) for scorer in self.further)]
            self._rows |= zip(new, np.concatenate(columns, axis=1), strict=True)
        return np.stack([self._rows[pair] for pair in pairs])
