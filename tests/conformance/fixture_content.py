"""What the conformance suite expects a server's tools, prompts and resources to hold, word for word."""

import base64
import json
import struct
import zlib
from collections.abc import Mapping

import mcp_types as types


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


RED_PIXEL = base64.b64encode(
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
    + _chunk(b"IEND", b"")
).decode()
SILENCE = base64.b64encode(
    b"RIFF"
    + struct.pack("<I", 36)
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    + b"data\0\0\0\0"
).decode()


def text(words: str) -> types.TextContent:
    return types.TextContent(type="text", text=words)


def image() -> types.ImageContent:
    return types.ImageContent(type="image", data=RED_PIXEL, mime_type="image/png")


def embedded(uri: str, mime_type: str, words: str) -> types.EmbeddedResource:
    contents = types.TextResourceContents(uri=uri, mime_type=mime_type, text=words)
    return types.EmbeddedResource(type="resource", resource=contents)


STATIC_TOOLS: Mapping[str, types.CallToolResult] = {
    "test_simple_text": types.CallToolResult(content=[text("This is a simple text response for testing.")]),
    "test_image_content": types.CallToolResult(content=[image()]),
    "test_audio_content": types.CallToolResult(
        content=[types.AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")]
    ),
    "test_embedded_resource": types.CallToolResult(
        content=[embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]
    ),
    "test_multiple_content_types": types.CallToolResult(
        content=[
            text("Multiple content types test:"),
            image(),
            embedded("test://mixed-content-resource", "application/json", json.dumps({"test": "data", "value": 123})),
        ]
    ),
    "test_error_handling": types.CallToolResult(
        content=[text("This tool intentionally returns an error for testing")], is_error=True
    ),
}

RESOURCES: Mapping[str, types.TextResourceContents | types.BlobResourceContents] = {
    "test://static-text": types.TextResourceContents(
        uri="test://static-text", mime_type="text/plain", text="This is the content of the static text resource."
    ),
    "test://static-binary": types.BlobResourceContents(
        uri="test://static-binary", mime_type="image/png", blob=RED_PIXEL
    ),
    "test://watched-resource": types.TextResourceContents(
        uri="test://watched-resource", mime_type="text/plain", text="Watched."
    ),
}

TEMPLATE = "test://template/{id}/data"


def from_template(uri: str) -> types.TextResourceContents | None:
    prefix, suffix = TEMPLATE.split("{id}")
    if not (uri.startswith(prefix) and uri.endswith(suffix)):
        return None
    which = uri.removeprefix(prefix).removesuffix(suffix)
    body = {"id": which, "templateTest": True, "data": f"Data for ID: {which}"}
    return types.TextResourceContents(uri=uri, mime_type="application/json", text=json.dumps(body))


PROMPTS = [
    types.Prompt(name="test_simple_prompt", description="A prompt without arguments."),
    types.Prompt(
        name="test_prompt_with_arguments",
        description="A prompt that repeats its arguments.",
        arguments=[
            types.PromptArgument(name="arg1", description="The first.", required=True),
            types.PromptArgument(name="arg2", description="The second.", required=True),
        ],
    ),
    types.Prompt(
        name="test_prompt_with_embedded_resource",
        description="A prompt that holds a resource.",
        arguments=[types.PromptArgument(name="resourceUri", description="Which resource.", required=True)],
    ),
    types.Prompt(name="test_prompt_with_image", description="A prompt that holds a picture."),
    types.Prompt(name="test_input_required_result_prompt", description="A prompt that asks the user first."),
]


def prompt_content(name: str, arguments: Mapping[str, str]) -> list[types.ContentBlock] | None:
    match name:
        case "test_simple_prompt":
            return [text("This is a simple prompt for testing.")]
        case "test_prompt_with_arguments":
            return [text(f"Prompt with arguments: arg1='{arguments['arg1']}', arg2='{arguments['arg2']}'")]
        case "test_prompt_with_embedded_resource":
            resource = embedded(arguments["resourceUri"], "text/plain", "Embedded resource content for testing.")
            return [resource, text("Please process the embedded resource above.")]
        case "test_prompt_with_image":
            return [image(), text("Please analyze the image above.")]
        case _:
            return None
