"""The fixture's tools and prompt that ask the client something before they answer: in an answer of their own
(`input_required`, 2026-07-28) or by a request to the client (2025-11-25)."""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from tests.conformance.fixture_content import text

Context = ServerRequestContext[Any]
Asked = types.CallToolRequestParams | types.GetPromptRequestParams
Answer = types.CallToolResult | types.InputRequiredResult
SIGNING_KEY = b"only for the conformance suite"


def form(message: str, **properties: Mapping[str, Any]) -> types.ElicitRequest:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def sampling(question: str) -> types.CreateMessageRequest:
    message = types.SamplingMessage(role="user", content=text(question))
    return types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=100))


NAME = form("What is your name?", name={"type": "string"})
CONFIRM = form("Please confirm", ok={"type": "boolean"})
COLOUR = form("Step 2: What is your favorite color?", color={"type": "string"})
CONTEXT = form("What context should the prompt use?", context={"type": "string"})
ROOTS = types.ListRootsRequest()

QUESTIONS: Mapping[str, Mapping[str, types.InputRequest]] = {
    "test_input_required_result_elicitation": {"user_name": NAME},
    "test_input_required_result_sampling": {"capital_question": sampling("What is the capital of France?")},
    "test_input_required_result_list_roots": {"client_roots": ROOTS},
    "test_input_required_result_request_state": {"confirm": CONFIRM},
    "test_input_required_result_tampered_state": {"confirm": CONFIRM},
    "test_input_required_result_capabilities": {"confirm": CONFIRM, "greeting": sampling("Generate a greeting")},
    "test_input_required_result_multiple_inputs": {
        "user_name": NAME,
        "greeting": sampling("Generate a greeting"),
        "client_roots": ROOTS,
    },
    "test_input_required_result_prompt": {"user_context": CONTEXT},
}
"""What each tool or prompt asks in its one round; `test_input_required_result_multi_round` has two of them."""

ROUNDS: Mapping[str, tuple[str, types.InputRequest]] = {"start": ("step1", NAME), "step1": ("step2", COLOUR)}


def asked_by(name: str, ctx: Context, params: Asked) -> types.InputRequiredResult | None:
    """What still has to be asked; None when everything has been answered."""
    state = None if params.request_state is None else unsealed(params.request_state)
    if name == "test_input_required_result_multi_round":
        return _next_round(state or "start", params)
    questions = {key: question for key, question in QUESTIONS[name].items() if _can_answer(ctx, question)}
    if questions.keys() <= (params.input_responses or {}).keys():
        return None
    return types.InputRequiredResult(input_requests=questions, request_state=sealed(name))


def answered(params: Asked) -> types.CallToolResult:
    answers = {key: answer.model_dump(mode="json") for key, answer in (params.input_responses or {}).items()}
    state = "" if params.request_state is None else "state-ok "
    return types.CallToolResult(content=[text(f"{state}{json.dumps(answers)}")])


def _next_round(done: str, params: Asked) -> types.InputRequiredResult | None:
    if done in (params.input_responses or {}) or done == "start":
        if done not in ROUNDS:
            return None
        key, question = ROUNDS[done]
        return types.InputRequiredResult(input_requests={key: question}, request_state=sealed(key))
    raise MCPError(types.INVALID_PARAMS, f"the answer to {done} is missing")


def _can_answer(ctx: Context, question: types.InputRequest) -> bool:
    capabilities = ctx.session.client_capabilities
    if capabilities is None:
        return False
    declared = {"elicitation/create": capabilities.elicitation, "sampling/createMessage": capabilities.sampling}
    return declared.get(question.method, capabilities.roots) is not None


def sealed(state: str) -> str:
    return f"{state}.{hmac.new(SIGNING_KEY, state.encode(), hashlib.sha256).hexdigest()}"


def unsealed(token: str) -> str:
    state = token.partition(".")[0]
    if not hmac.compare_digest(sealed(state), token):
        raise MCPError(types.INVALID_PARAMS, "the request state was altered")
    return state


# --- 2025-11-25: the server's own requests, on the stream of the call they belong to ---------------------------------


async def ask_model(ctx: Context, arguments: Mapping[str, Any]) -> types.CallToolResult:
    message = types.SamplingMessage(role="user", content=text(arguments["prompt"]))
    reply = await ctx.session.create_message([message], max_tokens=100, related_request_id=ctx.request_id)
    return types.CallToolResult(content=[text(f"LLM response: {reply.content}")])


async def ask_user(ctx: Context, arguments: Mapping[str, Any]) -> types.CallToolResult:
    described = {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }
    return await _elicit(ctx, arguments["message"], described)


async def ask_with_defaults(ctx: Context, _: Mapping[str, Any]) -> types.CallToolResult:
    properties = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    return await _elicit(ctx, "Check these.", properties)


async def ask_with_enums(ctx: Context, _: Mapping[str, Any]) -> types.CallToolResult:
    plain = ["option1", "option2", "option3"]
    titled = [
        {"const": f"value{n}", "title": f"{which} Option"} for n, which in enumerate(["First", "Second", "Third"], 1)
    ]
    choices = [
        {"const": f"value{n}", "title": f"{which} Choice"} for n, which in enumerate(["First", "Second", "Third"], 1)
    ]
    properties = {
        "untitledSingle": {"type": "string", "enum": plain},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
        "titledMulti": {"type": "array", "items": {"anyOf": choices}},
    }
    return await _elicit(ctx, "Choose.", properties)


async def _elicit(ctx: Context, message: str, properties: Mapping[str, Any]) -> types.CallToolResult:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    reply = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
    words = f"Elicitation completed: action={reply.action}, content={json.dumps(reply.content)}"
    return types.CallToolResult(content=[text(words)])


ASKING_TOOLS: Mapping[str, Callable[[Context, Mapping[str, Any]], Awaitable[types.CallToolResult]]] = {
    "test_sampling": ask_model,
    "test_elicitation": ask_user,
    "test_elicitation_sep1034_defaults": ask_with_defaults,
    "test_elicitation_sep1330_enums": ask_with_enums,
}
