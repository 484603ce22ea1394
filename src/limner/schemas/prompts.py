"""The public shapes of saved prompts: what REST takes and answers, and what an export holds."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from limner.prompts.saved import MOST_PER_ACCOUNT, NAME, NewPrompt, SavedPrompt
from limner.schemas.shapes import WELL_FORMED, Shape, Time

Name = Annotated[str, Field(pattern=f"^{NAME}$", description="What it is called by; small letters, digits, dashes.")]


class PromptSettings(Shape):
    """Arguments of generate_image that go with a template."""

    model_id: Annotated[str, Field(min_length=1, max_length=200), WELL_FORMED] | None = None
    aspect_ratio: Annotated[str, Field(min_length=1, max_length=16), WELL_FORMED] | None = None
    resolution: Literal["1K", "2K", "4K"] | None = None
    quality: Literal["draft", "standard", "high"] | None = None
    style: Annotated[str, Field(min_length=1, max_length=500), WELL_FORMED] | None = None
    thinking_level: Literal["default", "deep"] | None = None
    background: Literal["auto", "opaque", "transparent"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None


class SavePrompt(Shape):
    """A template, whose text may have `{{placeholders}}`, or a style."""

    kind: Literal["template", "style"]
    name: Name
    title: Annotated[str, Field(min_length=1, max_length=120), WELL_FORMED]
    text: Annotated[str, Field(min_length=1, max_length=8000, description="A style: at most 500."), WELL_FORMED]
    description: Annotated[str, Field(max_length=500), WELL_FORMED] = ""
    settings: PromptSettings = PromptSettings()

    def new_prompt(self) -> NewPrompt:
        return NewPrompt(
            kind=self.kind,
            name=self.name,
            title=self.title,
            text=self.text,
            description=self.description,
            settings=self.settings.model_dump(by_alias=True, exclude_none=True),
        )


class PromptLibrary(Shape):
    """What an export holds and an import takes."""

    version: Literal[1] = 1
    prompts: Annotated[tuple[SavePrompt, ...], Field(max_length=MOST_PER_ACCOUNT, strict=False)]

    def new_prompts(self) -> list[NewPrompt]:
        return [each.new_prompt() for each in self.prompts]


class FillPrompt(Shape):
    values: Annotated[
        Mapping[Annotated[str, WELL_FORMED], Annotated[str, Field(max_length=8000), WELL_FORMED]],
        Field(max_length=40, description="By the names of the placeholders."),
    ] = {}


class PromptPlaceholder(Shape):
    name: str
    values: tuple[str, ...]
    required: bool


class OnePrompt(Shape):
    """A saved template or style; `placeholders` are read from its text."""

    id: str
    kind: Literal["template", "style"]
    name: str
    title: str
    text: str
    description: str
    settings: Mapping[str, str]
    placeholders: tuple[PromptPlaceholder, ...]
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, prompt: SavedPrompt) -> "OnePrompt":
        blanks = prompt.placeholders
        return cls(
            id=prompt.id,
            kind=prompt.kind,
            name=prompt.name,
            title=prompt.title,
            text=prompt.text,
            description=prompt.description,
            settings=prompt.settings,
            placeholders=tuple(
                PromptPlaceholder(name=each.name, values=each.values, required=each.required) for each in blanks
            ),
            created_at=prompt.created_at,
            updated_at=prompt.updated_at,
        )


def exported(prompt: NewPrompt) -> dict[str, Any]:
    """One entry of an export."""
    return {
        "kind": prompt.kind,
        "name": prompt.name,
        "title": prompt.title,
        "text": prompt.text,
        "description": prompt.description,
        "settings": dict(prompt.settings),
    }
