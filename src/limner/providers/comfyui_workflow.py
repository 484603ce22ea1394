"""The operator's ComfyUI workflow file: a graph in API format and the places where our values go in."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from limner.providers import failures
from limner.providers.wire import Json, items, rows, table, text

Value = str | int
Place = tuple[str, str]
"""A node's id and the name of one of its inputs."""

_KNOWN = ("prompt", "seed", "width", "height", "image", "mask")


class BadWorkflow(Exception):
    """The workflow file cannot be used; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """`inputs` says for each of our values which places of the graph take it, `output` which node has the picture."""

    graph: Json
    inputs: Mapping[str, tuple[Place, ...]]
    output: str | None = None

    @classmethod
    def read(cls, path: Path) -> "Workflow":
        """`{"workflow": {…}, "inputs": {"prompt": "6.text", "seed": ["3.seed"]}, "output": "9"}`; or BadWorkflow."""
        try:
            document = table(orjson.loads(path.read_bytes()))
        except (OSError, orjson.JSONDecodeError) as problem:
            raise BadWorkflow(f"The ComfyUI workflow {path} cannot be read: {problem}.") from None
        graph, inputs = table(document.get("workflow")), table(document.get("inputs"))
        if not graph or "prompt" not in inputs:
            raise BadWorkflow(f'The ComfyUI workflow {path} needs "workflow" and, in "inputs", at least "prompt".')
        places = {name: _places(path, graph, name, value) for name, value in inputs.items()}
        return cls(graph, places, text(document.get("output")) or None)

    def filled(self, values: Mapping[str, Value]) -> Json:
        """A copy of the graph with our values in their places; what has no place was refused by the catalogue."""
        graph = copy.deepcopy(self.graph)
        for name, value in values.items():
            for node, field in self.inputs.get(name, ()):
                graph[node]["inputs"][field] = value
        return graph

    def image_of(self, outputs: Json) -> Json:
        """The picture among a finished run's outputs; a saved one before a preview."""
        nodes = [outputs.get(self.output)] if self.output else list(outputs.values())
        images = [image for node in nodes for image in rows(table(node).get("images"))]
        if not images:
            raise failures.no_image("the workflow made none")
        return next((image for image in images if image.get("type") == "output"), images[0])


def _places(path: Path, graph: Json, name: str, value: object) -> tuple[Place, ...]:
    if name.partition("_")[0] not in _KNOWN:
        raise BadWorkflow(f"The ComfyUI workflow {path} names an input '{name}'; known are {', '.join(_KNOWN)}.")
    written = [str(each) for each in items(value)] or [text(value)]
    places = [(node, field) for node, _, field in (each.partition(".") for each in written)]
    for node, field in places:
        if field not in table(table(graph.get(node)).get("inputs")):
            raise BadWorkflow(f"The ComfyUI workflow {path} has no '{node}.{field}', named for '{name}'.")
    return tuple(places)
