"""A server that has what the conformance suite looks for, to stand behind the same guard as the real one.

It writes down what was called: a scenario that passes without reaching its tool proves nothing.
"""

from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from tests.conformance import fixture_content as content
from tests.conformance import fixture_questions as questions
from tests.conformance.fixture_questions import ASKING_TOOLS, QUESTIONS, Answer, Context

STRING = {"type": "string"}
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "test_sampling": {"prompt": STRING},
    "test_elicitation": {"message": STRING},
    "test_x_mcp_header": {"region": {"type": "string", "x-mcp-header": "Region"}},
}
SPEAKING_TOOLS = [
    "test_tool_with_logging",
    "test_logging_tool",
    "test_tool_with_progress",
    "test_streaming_elicitation",
]
MULTI_ROUND = "test_input_required_result_multi_round"
INPUT_TOOLS = [*(name for name in QUESTIONS if not name.endswith("_prompt")), MULTI_ROUND]
TOOLS = [
    *content.STATIC_TOOLS,
    *ASKING_TOOLS,
    *INPUT_TOOLS,
    *SPEAKING_TOOLS,
    "test_missing_capability",
    "test_x_mcp_header",
]


class Fixture:
    """`reached` names every tool, prompt and resource that was called, and `subscribe URI` and the like."""

    def __init__(self) -> None:
        self.reached: set[str] = set()
        hint = CacheHint(ttl_ms=60_000, scope="public")
        self.server: Server[dict[str, Any]] = Server(
            "limner-conformance-fixture",
            version="1",
            cache_hints={
                "server/discover": hint,
                "tools/list": hint,
                "prompts/list": hint,
                "resources/list": hint,
                "resources/templates/list": hint,
                "resources/read": hint,
            },
            get_tool_input_schema=lambda name: schema(name) if name in TOOLS else None,
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_list_prompts=self.list_prompts,
            on_get_prompt=self.get_prompt,
            on_list_resources=self.list_resources,
            on_list_resource_templates=self.list_templates,
            on_read_resource=self.read_resource,
            on_subscribe_resource=self.subscribe,
            on_unsubscribe_resource=self.unsubscribe,
            on_completion=self.complete,
            on_set_logging_level=self.set_logging_level,
        )

    async def list_tools(self, _: Context, __: object) -> types.ListToolsResult:
        tools = [
            types.Tool(name=name, description=f"{name}, for the suite.", input_schema=schema(name)) for name in TOOLS
        ]
        return types.ListToolsResult(tools=tools)

    async def call_tool(self, ctx: Context, params: types.CallToolRequestParams) -> Answer:
        name = params.name
        if name not in TOOLS:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {name}")
        self.reached.add(name)
        if name in content.STATIC_TOOLS:
            return content.STATIC_TOOLS[name]
        if name in ASKING_TOOLS:
            return await ASKING_TOOLS[name](ctx, params.arguments or {})
        if name in INPUT_TOOLS:
            return questions.asked_by(name, ctx, params) or questions.answered(params)
        if name == "test_missing_capability":
            _require_sampling(ctx)
        if name in SPEAKING_TOOLS:
            await _speak(ctx, name)
        return types.CallToolResult(content=[content.text(f"{name} done")])

    async def list_prompts(self, _: Context, __: object) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=content.PROMPTS)

    async def get_prompt(
        self, ctx: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult | types.InputRequiredResult:
        self.reached.add(params.name)
        if params.name in QUESTIONS:
            blocks = [content.text("Answered.")]
            if question := questions.asked_by(params.name, ctx, params):
                return question
        elif (blocks := content.prompt_content(params.name, params.arguments or {})) is None:
            raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name}")
        return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=block) for block in blocks])

    async def list_resources(self, _: Context, __: object) -> types.ListResourcesResult:
        resources = [
            types.Resource(
                uri=uri, name=uri.removeprefix("test://"), description="For the suite.", mime_type=held.mime_type
            )
            for uri, held in content.RESOURCES.items()
        ]
        return types.ListResourcesResult(resources=resources)

    async def list_templates(self, _: Context, __: object) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(uri_template=content.TEMPLATE, name="template", description="For the suite.")
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def read_resource(self, _: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        held = content.RESOURCES.get(params.uri) or content.from_template(params.uri)
        if held is None:
            raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": params.uri})
        self.reached.add(params.uri)
        return types.ReadResourceResult(contents=[held])

    async def subscribe(self, _: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        self.reached.add(f"subscribe {params.uri}")
        return types.EmptyResult()

    async def unsubscribe(self, _: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        self.reached.add(f"unsubscribe {params.uri}")
        return types.EmptyResult()

    async def complete(self, _: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        self.reached.add("completion")
        values = [place for place in ("paris", "park", "party") if place.startswith(params.argument.value)]
        return types.CompleteResult(completion=types.Completion(values=values, total=len(values), has_more=False))

    async def set_logging_level(self, _: Context, params: types.SetLevelRequestParams) -> types.EmptyResult:
        self.reached.add("logging level")
        return types.EmptyResult()


def schema(name: str) -> dict[str, Any]:
    properties = ARGUMENTS.get(name, {})
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _require_sampling(ctx: Context) -> None:
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        wanted = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "This needs sampling.", wanted)


async def _speak(ctx: Context, name: str) -> None:
    """Three notifications before the result: log lines or progress."""
    for percent, line in [
        (0, "Tool execution started"),
        (50, "Tool processing data"),
        (100, "Tool execution completed"),
    ]:
        if "logging" in name:
            await ctx.session.send_log_message("info", line, related_request_id=ctx.request_id)
        else:
            await ctx.session.report_progress(percent, 100, line)
