"""The untuned model: a named projector begins with the backbone's own words for each finding."""

import torch

from meit.model.encoders.encoder import EncoderConfig
from meit.model.language import loading
from meit.model.language.architectures import input_embeddings
from meit.training.building import untuned, word_vectors
from meit.training.recipe import Recipe

FINDINGS = ("AFIB", "LAFB", "axis:LAD", "MYOWN")  # the last one has no words of ours, so its name is taken


@torch.no_grad()
def test_a_named_projector_begins_with_the_findings_words(tiny_backbone):
    backbone, tokenizer = loading.load(str(tiny_backbone), "float32")
    vectors = word_vectors(FINDINGS, backbone, tokenizer)
    table = input_embeddings(backbone)
    for row, words in ((0, "atrial fibrillation"), (1, "left anterior fascicular block"), (3, "MYOWN")):
        ids = tokenizer(words, add_special_tokens=False)["input_ids"]
        assert torch.allclose(vectors[row], table[ids].mean(0), atol=1e-6), words

    reads = EncoderConfig(findings=FINDINGS)
    model = untuned(
        Recipe(backbone=str(tiny_backbone), projector="named", finding_tokens=4), reads, backbone, tokenizer
    )
    centred = torch.nn.functional.normalize(vectors - vectors.mean(0), dim=1)
    falling = torch.linspace(0.9, 0.6, len(FINDINGS))[None]
    tokens = model.projector(falling, torch.zeros(1, 1, reads.token_width))[0, : len(FINDINGS)]
    alike = torch.nn.functional.normalize(tokens, dim=1) @ centred.T
    assert alike.argmax(1).tolist() == list(range(len(FINDINGS)))
