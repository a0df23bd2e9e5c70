"""A device that is not the CPU, in Python, for a process that never meets the CPU's own by mistake.

`setup()` makes a device called "other" by PyTorch's Python backend (PrivateUse1). Its tensors compute on the CPU, so that
results can be compared; but they are another device's to PyTorch and to everybody who asks, and an operation on tensors
of two devices fails as CUDA lets it fail. It holds for the whole process and cannot be taken back: use a process of its
own.

What CUDA allows is allowed: copies, a CPU tensor of no dimension among others, CPU indices into a device's tensor.
"""

from functools import partial
from typing import Any

import torch
from torch.utils._pytree import tree_map

NAME = "other"
MIXED = {"copy_", "_to_copy", "_copy_from", "_copy_from_and_resize", "set_data"}  # they take tensors of two devices
INDEXED = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index", "_unsafe_index_put"}
WITHOUT_SCALARS = {
    "mm",
    "bmm",
    "addmm",
    "cat",
    "stack",
    "embedding",
    "gather",
    "scatter_",
    "convolution",
    "index_select",
}
MULTIPLYING = ("linear", "matmul", "mm", "bmm", "addmm", "baddbmm", "conv1d", "scaled_dot_product_attention")
PRECISE = ("layer_norm", "nll_loss", "rsqrt")  # as PyTorch's table for CUDA has it: in float32
SHARING = {"aten::detach", "aten::alias"}  # PyTorch's own will do: they keep the storage
_inner: dict[int, torch.Tensor] = {}  # a tensor's storage -> the CPU tensor that it stands for
_generators: dict[int, torch._C.Generator] = {}
_kept: list[Any] = []


class WrongDevice(RuntimeError):
    """Tensors of two devices met in one operation."""


def setup() -> torch.device:
    from torch.utils import backend_registration as registration

    class Module(registration._DummyBackendModule):
        def get_amp_supported_dtype(self) -> list[torch.dtype]:
            return [torch.bfloat16]

    registration._setup_privateuseone_for_python_backend(NAME, Module())
    own = torch.library.Library("aten", "IMPL")
    rest = torch.library.Library("_", "IMPL")
    rest.fallback(_compute, "PrivateUse1")
    rest.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    for name in torch._C._dispatch_get_all_op_names():
        composite = any(has(name, f"CompositeExplicitAutograd{kind}") for kind in ("", "NonFunctional"))
        if name.startswith("aten::") and composite and name not in SHARING:
            own.impl(name, partial(_compute, _overload(name)), "PrivateUse1")
    for name in ("aten::_fused_sdp_choice",):
        own.impl(name, lambda *_, **__: 0, "PrivateUse1")  # the formula itself, no fused kernel
    for names, dtype in ((MULTIPLYING, None), (PRECISE, torch.float32)):
        for name in names:
            own.impl(name, partial(_autocast, getattr(torch.ops.aten, name), dtype), "AutocastPrivateUse1")
    _kept.extend((own, rest))
    reduce = torch.Tensor.__reduce_ex__
    torch.Tensor.__reduce_ex__ = lambda tensor, protocol: (  # type: ignore[method-assign]
        (_on_other, (tensor.cpu(),)) if _is_other(tensor) else reduce(tensor, protocol)
    )
    torch.Generator = _Generator  # type: ignore[misc,assignment]
    return torch.device(NAME, 0)


def _overload(name: str) -> torch._ops.OpOverload:
    packet, _, overload = name.removeprefix("aten::").partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")


def _autocast(op: Any, dtype: torch.dtype | None, *args: Any, **kwargs: Any) -> Any:
    """What autocast makes of an operation: the types of its inputs, then itself. dtype: by default autocast's."""
    wanted = dtype or torch.get_autocast_dtype(NAME)

    def cast(value: Any) -> Any:
        return value.to(wanted) if _is_other(value) and value.is_floating_point() else value

    with torch.autocast(NAME, enabled=False):
        return op(*tree_map(cast, args), **tree_map(cast, kwargs))


def _on_other(tensor: torch.Tensor) -> torch.Tensor:
    """How a saved tensor comes back."""
    return tensor.to(NAME)


def _is_other(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.device.type == NAME


def _compute(op: torch._ops.OpOverload, *args: Any, **kwargs: Any) -> Any:
    """Any operation of the device: the CPU's, on what the tensors stand for."""
    name = op._schema.name.removeprefix("aten::")
    _check_devices(name, args, kwargs)
    wanted = kwargs.get("device")
    inner_args, inner_kwargs = tree_map(_unwrapped, (args, kwargs))
    if "device" in inner_kwargs:
        inner_kwargs["device"] = torch.device("cpu")
    if name in ("view", "_unsafe_view", "_reshape_alias") and op._overloadname == "default":
        op, inner_args, inner_kwargs = torch.ops.aten.reshape.default, inner_args[:2], {}
    if name in ("_copy_from", "_copy_from_and_resize"):
        return args[1].copy_(_unwrapped(args[0])) if _is_other(args[1]) else args[1].copy_(inner_args[0])
    result = op(*inner_args, **inner_kwargs)
    written = [argument for argument in op._schema.arguments if argument.alias_info and argument.alias_info.is_write]
    if written:
        given = dict(zip((argument.name for argument in op._schema.arguments), args, strict=False)) | kwargs
        outer = [given[argument.name] for argument in written if given.get(argument.name) is not None]
        return None if result is None else outer[0] if len(outer) == 1 else tuple(outer)
    if wanted is not None and torch.device(wanted).type == "cpu":
        return result.clone() if any(result is each for each in inner_args) else result
    views = any(returned.alias_info for returned in op._schema.returns)
    with torch.inference_mode(args[0].is_inference() if views else torch.is_inference_mode_enabled()):
        return tree_map(_wrapped, result)  # a view is for inference alone where its base is


def _check_devices(name: str, args: Any, kwargs: Any) -> None:
    def check(value: Any, scalars: bool) -> None:
        if isinstance(value, list | tuple):
            for each in value:
                check(each, scalars)
        elif isinstance(value, torch.Tensor) and value.device.type != NAME and (value.dim() or not scalars):
            raise WrongDevice(f"{name}: a tensor {tuple(value.shape)} on {value.device} among those on {NAME}")
        elif isinstance(value, torch._C.Generator) and value._cdata not in _generators:
            raise WrongDevice(f"{name}: a generator on {value.device} for tensors on {NAME}")

    if name in MIXED:
        return
    if name in INDEXED:
        check((args[0], *args[2:]), True)
        if not _is_other(args[0]):
            raise WrongDevice(f"{name}: indices on {NAME} into a tensor on {args[0].device}")
        return
    check((*args, *kwargs.values()), name not in WITHOUT_SCALARS)


def _unwrapped(value: Any) -> Any:
    return _inner[value.untyped_storage()._cdata] if _is_other(value) else value


def _wrapped(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    outer = torch._C._acc.create_empty_tensor(list(value.shape), value.dtype)
    _inner[outer.untyped_storage()._cdata] = value.detach()
    return outer


class _Generator(torch._C.Generator):
    """The CPU's, which counts as the other device's where that is asked for."""

    def __new__(cls, device: Any = "cpu") -> torch._C.Generator:
        if torch.device(device).type != NAME:
            return torch._C.Generator(device)
        made = torch._C.Generator()
        _generators[made._cdata] = made
        return made
