"""Input fusion, as LLaVA has it (Liu et al., NeurIPS 2023): ECG tokens among the input embeddings.

They stand before the text, or before the instruction where an encoder reads it, and pass through every layer.
"""

import torch
from torch import Tensor

from meit.errors import ModelError
from meit.model.fusion.base import Fusion, Text, check_masks, encode_source
from meit.model.language.architectures import LanguageModel, body, plain


class InputFusion(Fusion):
    def __init__(self, backbone: LanguageModel, layers: str = "all"):
        super().__init__(backbone, layers)
        if layers != "all":
            raise ModelError("fusion 'input' has no choice of layers: its tokens pass through all of them")

    def hidden(self, backbone: LanguageModel, text: Text, ecg: Tensor, ecg_mask: Tensor) -> Tensor:
        check_masks(text, ecg, ecg_mask)
        inputs = self._inputs(backbone, text, ecg, ecg_mask)
        if text.source_ids is None:
            return body(backbone)(**inputs, use_cache=False).last_hidden_state[:, ecg.shape[1] :]
        states = encode_source(backbone, **inputs)
        return body(backbone)(
            input_ids=text.ids,
            attention_mask=text.mask,
            encoder_hidden_states=states,
            encoder_attention_mask=inputs["attention_mask"],
            use_cache=False,
        ).last_hidden_state

    def generate(self, backbone: LanguageModel, text: Text, ecg: Tensor, ecg_mask: Tensor, **options) -> Tensor:
        check_masks(text, ecg, ecg_mask)
        inputs = self._inputs(backbone, text, ecg, ecg_mask)
        if text.source_ids is None:  # given embeddings, generate() returns the new tokens only
            return self.write(backbone, inputs, options)
        return self.write(backbone, inputs | {"decoder_input_ids": text.ids}, options)[:, text.ids.shape[1] :]

    @staticmethod
    def _inputs(backbone: LanguageModel, text: Text, ecg: Tensor, ecg_mask: Tensor) -> dict:
        ids, mask = (text.ids, text.mask) if text.source_ids is None else (text.source_ids, text.source_mask)
        assert mask is not None  # a source has one
        embedded = plain(backbone).get_input_embeddings()(ids)
        return {
            "inputs_embeds": torch.cat([ecg.to(embedded.dtype), embedded], dim=1),
            "attention_mask": torch.cat([ecg_mask.to(mask.dtype), mask], dim=1),
        }
