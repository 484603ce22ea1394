"""The recipes for applications: what each of them would send, taken from the page itself."""

import asyncio
import runpy
import subprocess
from configparser import ConfigParser
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import yaml
from PIL import Image
from tests.docs.examples import ADDRESS, examples
from tests.service import Service

from limner.webhooks.deliveries import Delivery
from limner.webhooks.sender import headers, shown_secret


def example(page: str, language: str, nth: int = 0) -> str:
    return [each.text for each in examples(language) if each.page == f"docs/recipes/{page}.md"][nth]


def filled_in(text: str, service: Service) -> str:
    return text.replace(ADDRESS, service.url).replace("sk_…", service.key)


async def test_open_webui_with_these_settings_gets_a_picture(service: Service) -> None:
    parser = ConfigParser()
    parser.read_string(f"[settings]\n{filled_in(example('chat-apps', 'ini'), service)}")
    settings = parser["settings"]
    answer = await service.http.post(
        f"{settings['IMAGES_OPENAI_API_BASE_URL']}/images/generations",
        headers={"Authorization": f"Bearer {settings['IMAGES_OPENAI_API_KEY']}"},
        json={
            "model": settings["IMAGE_GENERATION_MODEL"],
            "prompt": "a red boat at dawn",
            "n": 1,
            "size": settings["IMAGE_SIZE"],
            "response_format": "b64_json",
        },
    )
    assert answer.status_code == 200
    assert answer.json()["data"][0]["b64_json"]


async def test_librechat_with_this_configuration_connects(service: Service) -> None:
    server = yaml.safe_load(filled_in(example("chat-apps", "yaml"), service))["mcpServers"]["limner"]
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "LibreChat", "version": "1"}}
    answer = await service.http.post(
        server["url"],
        headers=server["headers"] | {"Accept": "application/json, text/event-stream"},
        json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
    )
    assert '"serverInfo"' in answer.text
    assert server["type"] == "streamable-http"


async def test_the_n8n_workflow_makes_and_downloads_a_picture(service: Service) -> None:
    workflow = orjson.loads(filled_in(example("webhooks", "json"), service))
    nodes: dict[str, Any] = {node["name"]: node["parameters"] for node in workflow["nodes"]}
    make = nodes["Make a picture"]
    answer = await service.http.request(
        make["method"], make["url"], content=make["jsonBody"], headers={"Content-Type": "application/json"}
    )
    assert nodes["Download"]["url"] == "={{ $json.image.imageUrl }}"
    picture = await service.http.get(answer.json()["image"]["imageUrl"])
    assert Image.open(BytesIO(picture.content)).format == "PNG"


async def test_the_step_of_the_github_workflow_saves_a_picture(service: Service, tmp_path: Path) -> None:
    workflow = yaml.safe_load(example("github-actions", "yaml"))
    step = workflow["jobs"]["picture"]["steps"][0]
    assert set(step["env"]) == {"LIMNER_URL", "LIMNER_API_KEY", "TAG"}
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LIMNER_URL": service.url,
        "LIMNER_API_KEY": service.key,
        "TAG": 'v1"; exit 1',
    }
    for _ in range(2):  # run again, it is the same picture
        shell = ["bash", "-eo", "pipefail", "-c", step["run"]]
        done = await asyncio.to_thread(
            subprocess.run, shell, env=environment, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "release.png").read_bytes().startswith(b"\x89PNG")
    assert await service.transaction_types() == ["grant", "charge"]


def test_the_receiver_of_webhooks_tells_genuine_events_from_others(tmp_path: Path) -> None:
    secret, now = b"A" * 32, datetime.now(UTC)
    delivery = Delivery(
        "d1", "w1", "e1", "image.succeeded", '{"type": "image.succeeded"}', "waiting", 0, now, None, None, now, None
    )
    program = tmp_path / "receiver.py"
    program.write_text(example("webhooks", "python").replace("whsec_…", shown_secret(secret)))
    signed = runpy.run_path(str(program))["signed"]
    body = delivery.payload.encode()
    assert signed(headers(secret, delivery, now), body)
    assert not signed(headers(secret, delivery, now), body + b" ")
    assert not signed(headers(b"B" * 32, delivery, now), body)
    assert not signed(headers(secret, delivery, now - timedelta(minutes=6)), body)
