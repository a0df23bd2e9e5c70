"""A recipe is checked before anything runs: its file, its types, its ranges, and what excludes what."""

import pytest

from meit.errors import ModelError
from meit.training.recipe import CHOICES, WITHIN, Recipe, load_recipe


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("batch_size: 4\ndata: [a, b]\n")
    return path


def test_overrides_are_read_as_what_they_are(recipe_file):
    overrides = ["learning_rate=2e-5", "seed=3", "version=1.10", "name=on", "measured=yes", "tune_epochs=3"]
    loaded = load_recipe(recipe_file, overrides)
    assert (loaded.batch_size, loaded.data, loaded.learning_rate, loaded.seed) == (4, ("a", "b"), 2e-5, 3)
    assert (loaded.version, loaded.name, loaded.measured) == ("1.10", "on", True)
    assert (loaded.tune_epochs, type(loaded.tune_epochs)) == (3.0, float)


@pytest.mark.parametrize("written", ["data=data/ptb-xl", "data=[data/ptb-xl]"])
def test_a_plain_path_is_one_folder(recipe_file, written):
    assert load_recipe(recipe_file, [written]).data == ("data/ptb-xl",)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("bacth_size=3", "unknown bacth_size; known are accumulate, "),
        ("seed", "'seed' is not of the form key=value"),
        ("seed=x", "seed must be a whole number, not 'x'"),
        ("seed=true", "seed must be a whole number, not True"),
        ("seed=", "seed must be a whole number, not None"),
        ("plan=maybe", "plan must be true or false, not 'maybe'"),
        ("plan=1", "plan must be true or false, not 1"),
        ("text_steps=1.7", "text_steps must be a whole number, not 1.7"),
        ("warmup=much", "warmup must be a number, not 'much'"),
        ("learning_rate=.nan", "learning_rate must be a finite number"),
        ("tune_epochs=.inf", "tune_epochs must be a finite number"),
        ("data=5", "data must be a folder or a list of folders, not 5"),
        ("data=[a, 5]", "data must be a folder or a list of folders"),
        ("data={a: b}", "data must be a folder or a list of folders"),
        ("seed=[", r"seed=\[ is not valid YAML"),
        ("batch_size=0", r"batch_size must be in \[1, inf\), not 0"),
        ("lora_rank=0", "lora_rank must be in"),
        ("lora_dropout=1", "lora_dropout must be in"),
        ("tune_epochs=-1", "tune_epochs must be in"),
        ("cross_fits=0", "cross_fits must be in"),
        ("checkpoint_every=0", "checkpoint_every must be in"),
        ("share=0", r"share must be in \(0, 1\], not 0"),
        ("hide_signal=1.5", "hide_signal must be in"),
        ("accumulate=3", "batch_size cannot be divided by accumulate"),
        ("fusion=concatt", "fusion 'concatt' is not known; known are concat, input, cross"),
        ("prompt=papper", "prompt 'papper' is not known; known are paper, "),
        ("weights=float16", "weights 'float16' is not known; known are auto, float32, "),
        ("instructions=some", "instructions 'some' is not known; known are one, many, asked"),
        ("targets=x", "targets 'x' is not known; known are codes, statements"),
        ("engine=magic", "engine 'magic' is not known; known are ddp, "),
        ("tune_epochs=0", "nothing to tune on"),
        ("finding_tokens=0", "hide_signal needs finding_tokens"),
        ("pretrain_epochs=0", "finding_tokens need an encoder that was trained to find"),
        ("patience=2", "patience needs evaluate_every"),
        ("name=", "name and backbone cannot be empty"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(recipe_file, override, says):
    with pytest.raises(ModelError, match=says) as caught:
        load_recipe(recipe_file, [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["measured", "bagged", "plan"])
@pytest.mark.parametrize("against", ["tune_encoder=true", "pretrain_epochs=0"])
def test_what_rests_on_findings_needs_an_encoder_that_finds(recipe_file, key, against):
    overrides = [f"{key}=true", against, "finding_tokens=0", "hide_signal=0", "tune_encoder=true"]
    with pytest.raises(
        ModelError, match="measured, bagged and plan need a pre-trained encoder that is not tuned along"
    ):
        load_recipe(recipe_file, overrides)


def test_the_same_rules_hold_without_a_file():
    with pytest.raises(ModelError, match="batch_size must be in"):
        Recipe(batch_size=0)
    with pytest.raises(ModelError, match="seed must be a whole number"):
        Recipe(seed=1.0)


def test_every_number_has_its_range_and_every_choice_its_table():
    """A new field cannot be forgotten: numbers stand in WITHIN, words in CHOICES or among those that are free."""
    free = {"name", "version", "out", "backbone", "fusion_layers"}
    for key, value in vars(Recipe()).items():
        if type(value) in (int, float):
            assert key in WITHIN, key
        if type(value) is str:
            assert (key in CHOICES) != (key in free), key


def test_a_recipe_changes_its_base(tmp_path):
    (tmp_path / "base.yaml").write_text("batch_size: 4\nseed: 1\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one.yaml").write_text("base: ../base.yaml\nseed: 2\n")
    loaded = load_recipe(tmp_path / "sub" / "one.yaml", ["name=x"])
    assert (loaded.batch_size, loaded.seed, loaded.name) == (4, 2, "x")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("base: r.yaml\n", "is its own base"),
        ("base: other.yaml\n", "is its own base"),
        ("base: 5\n", "base must name a file, not 5"),
        ("base: absent.yaml\n", "absent.yaml does not exist"),
        ("5: 6\n", "'key: value'"),
        ("- seed\n", "'key: value'"),
        ("seed: 1\nseed: 2\n", "a key stands twice"),
        ("seed: [1\n", "is not valid YAML"),
        ("version: 3\n", "version must be a text, not 3: write it in quotes, '3'"),
        ("[" * 2000, "is not valid YAML"),
        (b"\x00\xff\xfe\x80", "is no text file"),
        (b"\x00\x01", "is not valid YAML"),
    ],
)
def test_what_is_no_recipe_is_refused_in_one_line(tmp_path, content, says):
    (tmp_path / "other.yaml").write_text("base: r.yaml\n")
    path = tmp_path / "r.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ModelError, match=says) as caught:
        load_recipe(path)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_recipe(tmp_path):
    with pytest.raises(ModelError, match=f"recipe {tmp_path} cannot be read: Is a directory"):
        load_recipe(tmp_path)


def test_an_empty_file_is_the_defaults(tmp_path):
    (tmp_path / "r.yaml").write_text("# nothing\n")
    assert load_recipe(tmp_path / "r.yaml") == Recipe()


def test_the_folder_is_named_after_data_name_and_backbone():
    recipe = Recipe(name="meit-paper", data=("data/ptb-xl", "data/zscored"), backbone="org/model-7b")
    assert str(recipe.folder) == "runs/ptb-xl+zscored/meit-paper-model-7b"
    assert str(Recipe(out="runs/mine").folder) == "runs/mine"
