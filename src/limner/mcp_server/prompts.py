"""The prompts a person can pick in their client, the same in every edition that has prompts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import mcp_types
from mcp.shared.exceptions import MCPError

Arguments = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prompt:
    """`write` turns the arguments into what the model is told."""

    listed: mcp_types.Prompt
    write: Callable[[Arguments], str]

    @property
    def required(self) -> list[str]:
        return [each.name for each in self.listed.arguments or () if each.required]


def listed() -> list[mcp_types.Prompt]:
    return [prompt.listed for prompt in PROMPTS]


def is_ours(name: str) -> bool:
    """Whether it is there for everybody."""
    return any(prompt.listed.name == name for prompt in PROMPTS)


def get(name: str, arguments: Arguments) -> mcp_types.GetPromptResult:
    """-32602 for an unknown prompt or a missing argument."""
    prompt = next((each for each in PROMPTS if each.listed.name == name), None)
    if prompt is None:
        raise MCPError(mcp_types.INVALID_PARAMS, f"Unknown prompt: {name[:100]}")
    if missing := [each for each in prompt.required if not arguments.get(each)]:
        raise MCPError(mcp_types.INVALID_PARAMS, f"Missing arguments of {name}: {', '.join(missing)}")
    text = mcp_types.TextContent(type="text", text=prompt.write(arguments))
    return mcp_types.GetPromptResult(
        description=prompt.listed.description, messages=[mcp_types.PromptMessage(role="user", content=text)]
    )


def _short(arguments: Arguments) -> str:
    return f"Generate an image with the generate_image tool: {arguments['description']}"


def _detailed(arguments: Arguments) -> str:
    wishes = [f"{name}: {arguments[name]}" for name in ("style", "mood", "lighting") if arguments.get(name)]
    return "\n".join(
        [
            f"Generate an image of {arguments['subject']} with the generate_image tool.",
            *wishes,
            "Write one vivid prompt from this: subject, composition, materials, light. Keep to what is asked.",
        ]
    )


def _argument(name: str, description: str, *, required: bool = False) -> mcp_types.PromptArgument:
    return mcp_types.PromptArgument(name=name, description=description, required=required)


PROMPTS: Sequence[Prompt] = (
    Prompt(
        mcp_types.Prompt(
            name="generate-image",
            title="Generate an image",
            description="Make an image from a description.",
            arguments=[_argument("description", "What the image shows.", required=True)],
        ),
        _short,
    ),
    Prompt(
        mcp_types.Prompt(
            name="generate-image-detailed",
            title="Generate an image, in detail",
            description="Make an image from a subject, with style, mood and lighting.",
            arguments=[
                _argument("subject", "Who or what the image shows.", required=True),
                _argument("style", "Such as watercolour, photograph, line drawing."),
                _argument("mood", "Such as calm, dramatic, playful."),
                _argument("lighting", "Such as golden hour, soft window light, neon."),
            ],
        ),
        _detailed,
    ),
)
