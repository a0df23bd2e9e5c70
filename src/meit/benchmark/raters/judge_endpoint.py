"""A judge behind any endpoint that speaks OpenAI's chat completions (a provider's, vLLM, llama.cpp, Ollama, ...)."""

import json
import os
import re
from dataclasses import dataclass, field

from meit.benchmark.raters.judge import Ratings, axis_in_words, both_reports
from meit.benchmark.raters.rubric import HIGHEST, LOWEST, rubric
from meit.errors import ModelError

KEY_VARIABLE = "MEIT_JUDGE_KEY"
CONNECT_SECONDS, ANSWER_SECONDS = 10, 120
TRIES, _PAUSE, LONGEST_PAUSE = 5, 1.0, 120  # of one question; seconds of the first wait, which doubles, and of any
BUSY = (408, 429, 500, 502, 503, 504, 529)
_MAX_TOKENS = 2000  # a model that thinks before it answers needs more than the answer
ASKED_AGAIN = "That is no answer of the form that was asked for. Answer with the JSON object alone."
KEPT_CHARACTERS = 2000  # of an answer that is not understood
REMEDIES = {401: f"check the key in ${KEY_VARIABLE}", 403: "the key may not use it", 404: "check the URL and the model"}


@dataclass(frozen=True)
class EndpointJudge:
    """Asks `model` at `url` (up to and without /chat/completions) at temperature 0.

    The reports are sent there. The key goes into the request's header, and nowhere else. What is busy or does not
    answer is tried again, after as long as it says (Retry-After), up to two minutes; a nonsensical answer is asked for
    once more, then the draft stays unrated. rate raises ModelError where the endpoint refuses or stays unreachable.
    """

    url: str
    model: str
    key: str = field(default_factory=lambda: os.environ.get(KEY_VARIABLE, ""), repr=False)
    answer_seconds: float = ANSWER_SECONDS
    pause: float = _PAUSE

    @property
    def name(self) -> str:
        return self.model

    def rate(self, reference: str, draft: str) -> Ratings:
        messages = [
            {"role": "system", "content": _instruction()},
            {"role": "user", "content": both_reports(reference, draft)},
        ]
        first = self._ask(messages)
        if marks := parse(first):
            return Ratings(marks, (first,))
        again = [*messages, {"role": "assistant", "content": first}, {"role": "user", "content": ASKED_AGAIN}]
        second = self._ask(again)
        return Ratings(parse(second), (first, second))

    def _ask(self, messages: list[dict]) -> str:
        """The answer's text; where the body is not of the expected form, the body itself."""
        import requests

        question = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": _MAX_TOKENS}
        url = self.url.rstrip("/") + "/chat/completions"
        try:
            with _session(self.pause) as session:
                answer = session.post(
                    url,
                    json=question,
                    auth=self._sign,
                    timeout=(CONNECT_SECONDS, self.answer_seconds),
                    allow_redirects=False,  # a key is for the host that was named
                )
        except requests.RequestException as error:
            kind = "answers too slowly or is overloaded" if _is_busy(error) else "cannot be reached"
            raise ModelError(
                f"judge {url}: {kind} ({TRIES} tries); start again later, and what is rated is not asked again"
            ) from None
        if not answer.ok or answer.is_redirect:
            said = self._without_key(" ".join(answer.text[:200].split()))
            remedy = REMEDIES.get(answer.status_code, "see what it says")
            raise ModelError(f"judge {url}: refused with status {answer.status_code} ({said}); {remedy}")
        try:
            text = answer.json()["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError):
            text = None
        return self._without_key(text if isinstance(text, str) else answer.text)[:KEPT_CHARACTERS]

    def _sign(self, request):
        if self.key:  # as auth, since a header would lose to a .netrc
            request.headers["Authorization"] = f"Bearer {self.key}"
        return request

    def _without_key(self, text: str) -> str:
        return text.replace(self.key, "***") if self.key else text


def parse(answer: str) -> dict[str, float] | None:
    """The marks in the last JSON object of an answer; None unless it has a whole number from 1 to 5 for every axis."""
    for found in reversed(re.findall(r"\{[^{}]*\}", answer)):
        try:
            said = json.loads(found)
        except ValueError:
            continue
        marks = [said.get(axis) for axis in rubric().keys]
        if all(type(mark) is int and LOWEST <= mark <= HIGHEST for mark in marks):
            return dict(zip(rubric().keys, map(float, marks), strict=True))
    return None


def _instruction() -> str:
    axes = "\n".join(axis_in_words(axis) for axis in rubric().axes)
    form = json.dumps(dict.fromkeys(rubric().keys, "...")).replace('"..."', "...")
    return (
        f"{rubric().for_judge}\n\nThe axes, and what {LOWEST} to {HIGHEST} mean:\n{axes}\n\n"
        f"Answer with one JSON object of whole numbers and nothing else: {form}"
    )


def _session(pause: float):
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    retry = Retry(
        TRIES - 1,
        status_forcelist=BUSY,
        allowed_methods={"POST"},
        backoff_factor=pause,
        backoff_max=LONGEST_PAUSE,
        retry_after_max=LONGEST_PAUSE,
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _is_busy(error: Exception) -> bool:
    import requests

    return isinstance(error, requests.exceptions.RetryError | requests.exceptions.Timeout) or "timed out" in str(error)
