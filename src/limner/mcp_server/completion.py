"""What a person may want to type next into a prompt's or a resource's argument."""

from collections.abc import Mapping, Sequence

import mcp_types
from mcp.shared.exceptions import MCPError

from limner.catalog.catalog import Catalog
from limner.mcp_server import prompts

ASPECT_RATIOS = ("1:1", "3:2", "2:3", "4:3", "3:4", "5:4", "4:5", "16:9", "9:16", "21:9", "9:21", "2:1", "1:2")
WORDS: Mapping[str, Sequence[str]] = {
    "aspectRatio": ASPECT_RATIOS,
    "style": (
        "photograph",
        "watercolour",
        "oil painting",
        "ink drawing",
        "line art",
        "flat illustration",
        "isometric",
        "pixel art",
        "3D render",
        "paper cut",
        "comic",
        "pencil sketch",
    ),
    "mood": ("calm", "cheerful", "dramatic", "dreamy", "melancholic", "mysterious", "playful", "solemn", "tense"),
    "lighting": (
        "golden hour",
        "blue hour",
        "soft window light",
        "overcast",
        "studio softbox",
        "candlelight",
        "neon",
        "backlit",
        "moonlight",
        "hard noon sun",
    ),
}
MOST_VALUES = 100


class Completions:
    """Values that begin with what was typed (or contain it), at most a hundred; -32602 for what is not ours."""

    def __init__(self, catalog: Catalog, templates: Sequence[str] = ()) -> None:
        self._catalog = catalog
        self._templates = templates

    def complete(
        self, params: mcp_types.CompleteRequestParams, own: Sequence[str] | None = None
    ) -> mcp_types.CompleteResult:
        """`own` are the values of an account's own prompt; what it has none for, everybody's words complete."""
        if own is None:
            self._check(params.ref)
        typed, name = params.argument.value.lower(), params.argument.name
        found = [value for value in own or self._values(name) if typed in value.lower()]
        found.sort(key=lambda value: not value.lower().startswith(typed))
        return mcp_types.CompleteResult(
            completion=mcp_types.Completion(
                values=found[:MOST_VALUES], total=len(found), has_more=len(found) > MOST_VALUES
            )
        )

    def _check(self, ref: mcp_types.ResourceTemplateReference | mcp_types.PromptReference) -> None:
        if isinstance(ref, mcp_types.PromptReference):
            known = prompts.is_ours(ref.name)
        else:
            known = ref.uri in self._templates
        if not known:
            raise MCPError(mcp_types.INVALID_PARAMS, "There is no such prompt or resource template.")

    def _values(self, argument: str) -> Sequence[str]:
        if argument in ("modelId", "model"):
            return [model.id for model in self._catalog.models() if self._catalog.reason(model) is None]
        return WORDS.get(argument, ())
