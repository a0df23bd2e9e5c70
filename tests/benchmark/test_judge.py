"""Judges over real HTTP and from real (tiny) models; what they say is parsed, kept, resumed and calibrated."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from meit.benchmark.raters.judge import Ratings, as_raters_would, calibrate_judge, judge_drafts
from meit.benchmark.raters.judge_endpoint import TRIES, EndpointJudge, parse
from meit.benchmark.raters.judge_local import LocalJudge
from meit.benchmark.raters.rubric import Rubric, rubric
from meit.errors import DataError, ModelError

AXES = rubric().keys
KEY = "sk-secret-0123456789"
GOOD = json.dumps(dict(zip(AXES, [5, 4, 3, 2], strict=True)))
MARKS = dict(zip(AXES, [5.0, 4.0, 3.0, 2.0], strict=True))


class Stub(ThreadingHTTPServer):
    """Answers with what is next on `script`: a text, or (status, headers, body), or seconds to say nothing for."""

    daemon_threads = True

    def __init__(self):
        self.script: list = []
        self.asked: list = []
        self.times: list[float] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.times.append(time.monotonic())
        step = self.server.script.pop(0) if self.server.script else GOOD
        if isinstance(step, float):
            time.sleep(step)
            return
        if isinstance(step, str):
            step = (200, {}, json.dumps({"choices": [{"message": {"role": "assistant", "content": step}}]}))
        status, headers, text = step
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def stub():
    server = Stub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def judge(stub):
    return EndpointJudge(stub.url, "stub-1", KEY, answer_seconds=0.5, pause=0.01)


def evaluated(folder, texts):
    folder.mkdir(exist_ok=True)
    rows = [{"record_id": str(n), "reference": ref, "model": draft} for n, (ref, draft) in enumerate(texts)]
    (folder / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_what_is_asked(stub, judge):
    assert judge.rate("Sinus rhythm.", "Atrial fibrillation.") == Ratings(MARKS, (GOOD,))
    path, headers, body = stub.asked[0]
    assert path == "/v1/chat/completions" and headers["Authorization"] == f"Bearer {KEY}"
    assert body["temperature"] == 0 and body["model"] == "stub-1"
    system, user = (message["content"] for message in body["messages"])
    assert user == "<reference>\nSinus rhythm.\n</reference>\n<draft>\nAtrial fibrillation.\n</draft>"
    for axis in rubric().axes:
        assert axis.question in system and all(f"{mark}: {words}" in system for mark, words in axis.anchors.items())


def test_rate_limit_waits_as_long_as_it_says(stub, judge):
    stub.script = [(429, {"Retry-After": "1"}, "slow down"), (503, {}, "busy")]
    assert judge.rate("a", "b").marks == MARKS
    first, second, third = stub.times
    assert 1 <= second - first < 3 and third - second < 0.9


def test_rate_limit_without_end(stub, judge):
    stub.script = [(429, {}, "slow down")] * 50
    with pytest.raises(ModelError, match=r"overloaded \(5 tries\); start again later"):
        judge.rate("a", "b")
    assert len(stub.asked) == TRIES == 5


def test_timeouts(stub, judge):
    stub.script = [1.0, 1.0]
    assert judge.rate("a", "b").marks == MARKS
    assert len(stub.asked) == 3
    stub.script = [1.0] * 50
    with pytest.raises(ModelError, match="too slowly"):
        judge.rate("a", "b")
    assert len(stub.asked) == 3 + TRIES


def test_unreachable(stub):
    with pytest.raises(ModelError, match="cannot be reached"):
        EndpointJudge("http://127.0.0.1:9/v1", "m", KEY, pause=0.01).rate("a", "b")
    with pytest.raises(ModelError, match="cannot be reached"):
        EndpointJudge("no url", "m", KEY, pause=0.01).rate("a", "b")


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, "check the key in"), (404, "check the URL"), (400, "see what it says")]
)
def test_refusals_are_not_tried_again_and_keep_the_key(stub, judge, status, remedy):
    stub.script = [(status, {}, f"no access\nfor {KEY}")]
    with pytest.raises(ModelError, match=rf"status {status} \(no access for \*\*\*\); {remedy}") as raised:
        judge.rate("a", "b")
    assert len(stub.asked) == 1 and KEY not in str(raised.value) and KEY not in repr(judge)


def test_the_key_does_not_follow_a_redirect(stub, judge):
    other = Stub()
    threading.Thread(target=other.serve_forever, daemon=True).start()
    stub.script = [(307, {"Location": f"{other.url}/chat/completions"}, "")]
    with pytest.raises(ModelError, match="status 307"):
        judge.rate("a", "b")
    other.shutdown()
    other.server_close()
    assert other.asked == []


def test_the_key_comes_from_the_environment_and_not_from_netrc(stub, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("MEIT_JUDGE_KEY", KEY)
    EndpointJudge(stub.url + "/", "m").rate("a", "b")
    assert stub.asked[0][0] == "/v1/chat/completions"
    assert stub.asked[0][1]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("nonsense", ["I cannot rate this.", GOOD.replace("5", "6"), (200, {}, "<html>hello</html>")])
def test_nonsense_is_asked_once_more(stub, judge, nonsense):
    stub.script = [nonsense]
    said = nonsense if isinstance(nonsense, str) else nonsense[2]
    assert judge.rate("a", "b") == Ratings(MARKS, (said, GOOD))
    messages = stub.asked[1][2]["messages"]
    assert messages[2] == {"role": "assistant", "content": said} and "JSON" in messages[3]["content"]
    stub.script = [nonsense] * 3
    assert judge.rate("a", "b") == Ratings(None, (said, said))
    assert len(stub.asked) == 4


@pytest.mark.parametrize(
    ("answer", "marks"),
    [
        (f"<think>{{not this}}</think>\n```json\n{GOOD}\n```", MARKS),
        (GOOD.replace("2}", '2, "why": "x"}'), MARKS),
        (json.dumps(dict.fromkeys(AXES, 1)) + GOOD, MARKS),  # the last word counts
        (GOOD.replace("5", "5.5"), None),
        (GOOD.replace("5", "true"), None),
        (GOOD.replace("5", '"5"'), None),
        (GOOD.replace("5", "0"), None),
        (GOOD.replace(AXES[0], "other"), None),
        ("[5, 4, 3, 2]", None),
        ("", None),
    ],
)
def test_parse(answer, marks):
    assert parse(answer) == marks


def test_drafts_are_judged_resumed_and_averaged(stub, judge, tmp_path):
    texts = [("r1", "d1"), ("r2", "d2"), ("r1", "d1"), ("r3", "d3")]
    folder = evaluated(tmp_path / "in", texts)
    stub.script = [GOOD, (401, {}, f"expired {KEY}")]
    with pytest.raises(ModelError, match="401"):
        judge_drafts(folder, judge, tmp_path / "out")
    with (tmp_path / "out" / "judge.jsonl").open("a") as cache:
        cache.write('{"key": "cut off')
    stub.script = ["no", f"never {KEY}"]  # d2 stays unrated; d3 is rated
    table = judge_drafts(folder, judge, tmp_path / "out")
    assert len(stub.asked) == 5  # equal texts are asked once, and d1 not again
    lines = [json.loads(line) for line in (tmp_path / "out" / "judge.jsonl").read_text().splitlines()]
    assert [line["draft"] for line in lines] == ["d1", "d2", "d3"]
    assert lines[1]["marks"] is None and lines[1]["answers"] == ["no", "never ***"]
    assert lines[0]["rubric"] == rubric().version
    assert "n = 4 drafts, 1 unrated" in table and "no cardiologist" in table
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["metrics"][AXES[1]] == {"value": 4.0, "ci95": [4.0, 4.0]} and results["judge"] == "stub-1"
    judge_drafts(folder, judge, tmp_path / "out")
    assert len(stub.asked) == 5
    for path in (tmp_path / "out").iterdir():
        assert KEY not in path.read_text()


def test_another_rubric_is_asked_anew(stub, judge, tmp_path, monkeypatch):
    folder = evaluated(tmp_path / "in", [("r", "d")])
    judge_drafts(folder, judge, tmp_path / "out")
    old = rubric()
    newer = Rubric("0" * 12, old.for_raters, old.for_judge, old.axes)
    monkeypatch.setattr("meit.benchmark.raters.judge.rubric", lambda: newer)
    judge_drafts(folder, judge, tmp_path / "out")
    assert len(stub.asked) == 2


def test_a_damaged_cache(judge, tmp_path):
    folder = evaluated(tmp_path / "in", [("r", "d")])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "judge.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="move it away"):
        judge_drafts(folder, judge, tmp_path / "out")


def test_calibration_learns_a_harsh_judge_and_an_unrelated_one():
    rng = np.random.default_rng(0)
    human = rng.integers(3, 6, (60, 4)).astype(float)
    judged = np.maximum(1, human - 2)  # two marks too low
    judged[:, 3] = rng.integers(1, 6, 60)  # knows nothing
    human[:50, 2] = np.nan
    maps, fit = calibrate_judge(judged, human)
    assert set(maps) == set(fit) == {AXES[0], AXES[1], AXES[3]}  # ten ratings are too few
    assert fit[AXES[0]]["error_judge"] == 2 and fit[AXES[0]]["error_calibrated"] == pytest.approx(0, abs=1e-9)
    assert fit[AXES[0]]["spearman"] == pytest.approx(1) and fit[AXES[0]]["n"] == 60
    np.testing.assert_allclose(as_raters_would(maps[AXES[0]], np.array([1.0, 2, 3, 5, np.nan])), [3, 4, 5, 5, np.nan])
    unrelated = fit[AXES[3]]
    assert unrelated["error_calibrated"] > unrelated["error_mean"] * 0.95  # in sample it would be below
    with pytest.raises(DataError, match="give more ratings"):
        calibrate_judge(judged[:19], human[:19])


def test_calibration_on_a_study(stub, judge, simulated, tmp_path):
    from meit.benchmark.raters.rating_study import export_study
    from meit.data.shards import read_examples

    reports = [example.report for example in read_examples(simulated)]
    rows = [{"record_id": r.record_id, "reference": r.text, "model": f"draft {n}"} for n, r in enumerate(reports)]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    export_study(folder, [simulated], tmp_path / "study", n=30)
    items = json.loads((tmp_path / "study" / "key.json").read_text())["items"]
    lines = [f"{item['item']},4,4,4,{5 if item['source'] == 'reference' else 1}\n" for item in items]
    (tmp_path / "anna.csv").write_text("item," + ",".join(AXES) + "\n" + "".join(lines))
    table = judge_drafts(folder, judge, tmp_path / "out", tmp_path / "study", [tmp_path / "anna.csv"])
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["calibration"]["fit"][AXES[0]]["n"] == 30
    calibrated = results["systems"]["judge stub-1, calibrated"]
    assert [calibrated[axis]["value"] for axis in AXES] == [4, 4, 4, 1]  # of drafts, not of references
    assert "cross-validated" in table
    (folder / "predictions.jsonl").write_text("".join(json.dumps(row | {"model": "new"}) + "\n" for row in rows))
    with pytest.raises(DataError, match="give more ratings of drafts that are judged here"):  # raters read other drafts
        judge_drafts(folder, judge, tmp_path / "out", tmp_path / "study", [tmp_path / "anna.csv"])


CAUSAL = ["llama", "mistral", "qwen2", "gemma3_text", "gpt_neox", "gpt2", "gptj", "gpt_neo", "bloom", "opt"]


@pytest.mark.parametrize("kind", CAUSAL)
def test_local_models_rate_by_their_own_probabilities(kind, tiny_folder, monkeypatch):
    import torch

    folder = tiny_folder(kind)
    judge = LocalJudge(str(folder))
    monkeypatch.setattr(LocalJudge, "_prompt", lambda self, axis, *texts: f"{axis.key[:8]} {' '.join(texts)}: ")
    first = judge.rate("Sinus rhythm.", "Pacemaker.")
    assert judge.rate("Sinus rhythm.", "Pacemaker.") == first
    assert all(1 < mark < 5 for mark in first.marks.values()) and len(set(first.marks.values())) > 1
    ids = judge.tokenizer(f"{AXES[0][:8]} Sinus rhythm. Pacemaker.: ", return_tensors="pt").input_ids
    with torch.inference_mode():
        odds = judge.model(ids).logits[0, -1].softmax(0)
    weights = [float(odds[judge.tokenizer(str(digit)).input_ids[-1]]) for digit in range(1, 6)]
    expected = sum(digit * weight for digit, weight in enumerate(weights, 1)) / sum(weights)
    assert first.marks[AXES[0]] == pytest.approx(expected, abs=1e-4)


def test_local_prompt_holds_rubric_and_reports(tiny_folder):
    judge = LocalJudge(str(tiny_folder("llama")))
    axis = rubric().axes[2]
    prompt = judge._prompt(axis, "Sinus rhythm.", "Pacemaker.")
    assert axis.question in prompt and prompt.index("Sinus rhythm.") < prompt.index("Pacemaker.")
    judge.tokenizer.chat_template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
    assert judge._prompt(axis, "a", "b").endswith("<assistant>")
    assert set(judge.rate("a", "b").marks) == set(AXES)


def test_local_models_that_cannot_judge(tiny_folder, tmp_path):
    with pytest.raises(ModelError, match="must be a causal language model"):
        LocalJudge(str(tiny_folder("t5")))
    with pytest.raises(ModelError, match="reads 256 tokens"):
        LocalJudge(str(tiny_folder("gpt_neox"))).rate("a", "b")
    with pytest.raises(ModelError, match="cannot be loaded"):
        LocalJudge(str(tmp_path))
