"""Keys and values with room for what is still to be written: transformers' own cache copies all of them at each step."""

from typing import Any

from torch import Tensor
from transformers.cache_utils import DynamicLayer

ROOM = 32  # places by which a cache grows


class RoomyLayer(DynamicLayer):
    """A layer's keys and values, with room for more: the next token's are written into it, and nothing is copied."""

    def __init__(self) -> None:
        super().__init__()
        self._rooms: list[Tensor] = []

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        past, length = self.get_seq_length(), self.get_seq_length() + key_states.shape[-2]
        fits = bool(self._rooms) and self._rooms[0].shape[-2] >= length and len(self._rooms[0]) == len(key_states)
        if not fits:
            old = [kept for kept in (self.keys, self.values) if kept is not None] if past else []
            self._rooms = [
                new.new_empty(*new.shape[:2], length + ROOM, new.shape[-1]) for new in (key_states, value_states)
            ]
            for room, kept in zip(self._rooms, old, strict=False):
                room[:, :, :past] = kept
        for room, new in zip(self._rooms, (key_states, value_states), strict=True):
            room[:, :, past:length] = new
        self.keys, self.values = (room[:, :, :length] for room in self._rooms)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        self._rooms = [room.index_select(0, indices.to(room.device)) for room in self._rooms]
        length = self.get_seq_length()
        if self._rooms:
            self.keys, self.values = (room[:, :, :length] for room in self._rooms)
        else:
            super().batch_select_indices(indices)
