"""An account's own templates and styles as prompts of MCP, beside the two that are always there."""

from collections.abc import Mapping, Sequence

import mcp_types
import orjson
from mcp.shared.exceptions import MCPError

from limner.accounts.principal import Principal
from limner.db.base import Database
from limner.errors import InvalidRequest, NotFound
from limner.prompts import saved
from limner.prompts.saved import SavedPrompt

SUBJECT = "description"


class SavedPrompts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self, principal: Principal) -> list[mcp_types.Prompt]:
        if not principal.has("images:read"):
            return []
        found = await self._database.read(lambda tx: saved.of_account(tx, principal.account_id))
        return [_listed(each) for each in found]

    async def get(self, principal: Principal, name: str, values: Mapping[str, str]) -> mcp_types.GetPromptResult | None:
        """None for a name the account has not kept; -32602 for values that do not fit."""
        prompt = await self._find(principal, name)
        if prompt is None:
            return None
        try:
            written = _written(prompt, values)
        except InvalidRequest as problem:
            raise MCPError(mcp_types.INVALID_PARAMS, problem.message) from None
        text = mcp_types.TextContent(type="text", text=written)
        message = mcp_types.PromptMessage(role="user", content=text)
        return mcp_types.GetPromptResult(description=_description(prompt), messages=[message])

    async def values(self, principal: Principal, name: str, argument: str) -> Sequence[str] | None:
        """What may be typed into an argument; None for a name the account has not kept."""
        prompt = await self._find(principal, name)
        if prompt is None:
            return None
        return next((each.values for each in prompt.placeholders if each.name == argument), ())

    async def _find(self, principal: Principal, name: str) -> SavedPrompt | None:
        if not principal.has("images:read"):
            return None
        try:
            return await self._database.read(lambda tx: saved.get(tx, principal.account_id, name))
        except NotFound:
            return None


def _listed(prompt: SavedPrompt) -> mcp_types.Prompt:
    if prompt.kind == "style":
        subject = mcp_types.PromptArgument(name=SUBJECT, description="What the image shows.", required=True)
        arguments = [subject]
    else:
        arguments = [
            mcp_types.PromptArgument(
                name=each.name,
                description=f"Such as {', '.join(each.values)}." if each.values else f"What stands for {each.name}.",
                required=each.required,
            )
            for each in prompt.placeholders
        ]
    return mcp_types.Prompt(
        name=prompt.name, title=prompt.title, description=_description(prompt), arguments=arguments or None
    )


def _description(prompt: SavedPrompt) -> str:
    return prompt.description or f"A saved {prompt.kind}: {prompt.text[:120]}"


def _written(prompt: SavedPrompt, values: Mapping[str, str]) -> str:
    """What the model is told: the call to make, word for word."""
    if prompt.kind == "template":
        arguments = prompt.arguments(values)
        return f"Call the generate_image tool with exactly these arguments:\n{orjson.dumps(arguments).decode()}"
    subject = values.get(SUBJECT, "").strip()
    if not subject:
        raise InvalidRequest(f"Missing arguments of {prompt.name}: {SUBJECT}")
    return (
        f"Generate an image with the generate_image tool: {subject}\n"
        f"Pass exactly this argument beside the prompt: {orjson.dumps(prompt.arguments({})).decode()}"
    )
