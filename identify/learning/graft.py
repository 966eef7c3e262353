"""A head set on a trunk, both LiteRT files. In: two models. Out: one, which does the first and then the second.

Converting a large network takes half a minute and gives the same each time; only the head is another after each
training. So the trunk is converted once, and a head's operators are appended to it. Files are flatbuffers
(https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs); LiteRT brings
the code that reads and writes them.
"""

from typing import Any

from linkeddata.errors import BundleError

IDENTIFIER = b"TFL3"
NAMES = (b"output_0_logits", b"output_1_features")
"""Outputs are told by the order of their names."""


def grafted(trunk: bytes, head: bytes) -> bytes:
    """Return the model that gives what ``head`` makes of the one output of ``trunk``."""
    from ai_edge_litert.schema_py_generated import ModelT

    whole, other = ModelT.InitFromPackedBuf(trunk), ModelT.InitFromPackedBuf(head)
    if len(whole.subgraphs) != 1 or len(other.subgraphs) != 1:
        raise BundleError("a model of several graphs cannot be joined with another")
    body, top = whole.subgraphs[0], other.subgraphs[0]
    _appended(body, top, codes=len(whole.operatorCodes), buffers=len(whole.buffers))
    whole.operatorCodes += other.operatorCodes
    whole.buffers += other.buffers
    whole.signatureDefs = None  # they name the trunk's output
    return _packed(whole)


def _appended(body: Any, top: Any, *, codes: int, buffers: int) -> None:
    """Append the graph ``top`` to ``body``, whose output it is given; its places are moved behind those of ``body``."""
    tensors, joint, given = len(body.tensors), int(body.outputs[0]), int(top.inputs[0])

    def moved(places: Any) -> list[int]:
        own = [] if places is None else [int(place) for place in places]
        return [place if place < 0 else joint if place == given else place + tensors for place in own]

    for tensor in top.tensors:
        tensor.buffer += buffers
        tensor.name = b"head/" + tensor.name
    for operator in top.operators:
        operator.opcodeIndex += codes
        operator.inputs, operator.outputs = moved(operator.inputs), moved(operator.outputs)
        operator.intermediates = moved(operator.intermediates)
    body.outputs = moved(_by_name(top))
    body.tensors += top.tensors
    body.operators += top.operators
    for place, name in zip(body.outputs, NAMES, strict=True):
        body.tensors[place].name = name


def _by_name(graph: Any) -> list[int]:
    """Return the places of a graph's outputs, logits first."""
    return sorted((int(place) for place in graph.outputs), key=lambda place: bytes(graph.tensors[place].name))


def _packed(model: Any) -> bytes:
    import flatbuffers
    from ai_edge_litert.schema_py_generated import BufferT

    class Aligned(BufferT):  # type: ignore[misc]
        """Numbers of a network, which begin at a multiple of 16 bytes, as the schema asks."""

        def Pack(self, builder: Any) -> Any:  # noqa: N802 - flatbuffers' name
            builder.Prep(16, 0 if self.data is None else len(self.data))
            return super().Pack(builder)

    model.buffers = [Aligned(one.data, one.offset, one.size) for one in model.buffers]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
