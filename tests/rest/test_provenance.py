"""Provenance through the front door: a supplier's signature survives, ours is put on, and everybody is told."""

from base64 import b64decode
from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import c2pa
import orjson
import pytest
from openai import AsyncOpenAI
from PIL import Image
from starlette.responses import Response
from tests.certificates import identity
from tests.peers.openai import OpenAIPeer
from tests.peers.peer import Received, json
from tests.peers.pictures import encoded, picture
from tests.providers.suppliers import KEY
from tests.service import Service, serving

from limner.config import BadConfiguration, Config
from limner.images.content_credentials import Signer

SUPPLIER = identity("Trusted Supplier", "Supplier model")
OURS = identity("Our Studio", "Limner server")
ORIGINAL = Signer(SUPPLIER.chain, SUPPLIER.key).made(picture(1024, 1024), "image/png", "trainedAlgorithmicMedia")


class SigningPeer(OpenAIPeer):
    """A supplier that signs, as the real one does."""

    def _picture(self, fault: str, order: Received) -> Response:
        return json({"created": 1, "data": [{"b64_json": encoded(ORIGINAL)}]})


@pytest.fixture
async def signing(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Service]:
    """A server that signs, trusts the supplier, and whose supplier signs too."""
    with SigningPeer() as peer:
        env = {
            "LIMNER_OPENAI_BASE_URL": peer.base_url,
            "LIMNER_OPENAI_API_KEY": KEY,
            "LIMNER_C2PA_CERT": OURS.chain,
            "LIMNER_C2PA_KEY": OURS.key,
            "LIMNER_C2PA_TRUST": SUPPLIER.root + OURS.root,
        }
        async with serving(tmp_path / "data", sqlite_url, env=env) as service:
            yield service


def manifests(data: bytes, media_type: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the official reader reads: the active manifest, and all of it."""
    with c2pa.Reader(media_type, BytesIO(data)) as reader:
        told = orjson.loads(reader.json())
    assert told["validation_state"] in ("Valid", "Trusted")
    return told["manifests"][told["active_manifest"]], told


async def test_a_suppliers_signature_survives_on_every_way_to_the_original(signing: Service) -> None:
    image = (await signing.generate(modelId="openai:gpt-image-2")).json()["image"]
    assert image["sha256"] == sha256(ORIGINAL).hexdigest()
    assert image["provenance"] == {
        "digitalSourceType": "trainedAlgorithmicMedia",
        "c2pa": {"state": "valid", "signer": "Supplier model", "issuer": "Trusted Supplier", "tool": "Limner"},
    }
    async with signing.client() as stranger:
        by_link = await stranger.get(image["imageUrl"])
    content = await signing.http.get(f"/api/v1/images/{image['id']}/content")
    assert by_link.content == content.content == ORIGINAL
    async with signing.mcp() as client:
        told = (await client.read_resource(f"limner://images/{image['id']}")).contents[0]
    assert orjson.loads(told.text)["provenance"] == image["provenance"]
    listed = (await signing.http.get(f"/api/v1/images?sha256={image['sha256']}")).json()["images"]
    assert [each["id"] for each in listed] == [image["id"]]
    assert (await signing.http.get(f"/api/v1/images?sha256={'0' * 64}")).json()["images"] == []


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
async def test_another_form_is_signed_by_us_with_the_original_as_its_parent(signing: Service, form: str) -> None:
    image = (await signing.generate(modelId="openai:gpt-image-2")).json()["image"]
    made = await signing.http.get(f"/api/v1/images/{image['id']}/content?width=256&format={form}")
    active, told = manifests(made.content, made.headers["content-type"])
    assert active["signature_info"]["issuer"] == "Our Studio"
    (parent,) = active["ingredients"]
    assert parent["relationship"] == "parentOf"
    assert told["manifests"][parent["active_manifest"]]["signature_info"]["issuer"] == "Trusted Supplier"
    with Image.open(BytesIO(made.content)) as small:
        assert small.size == (256, 256)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
async def test_the_built_in_models_pictures_are_signed_as_algorithmic(signing: Service, form: str) -> None:
    image = (await signing.generate(modelId="limner:sketch", outputFormat=form)).json()["image"]
    data = (await signing.http.get(f"/api/v1/images/{image['id']}/content")).content
    active, _ = manifests(data, image["mediaType"])
    action = active["assertions"][0]["data"]["actions"][0]
    assert (action["action"], action["digitalSourceType"].rpartition("/")[2]) == ("c2pa.created", "algorithmicMedia")
    assert image["sha256"] == sha256(data).hexdigest()
    assert (image["provenance"]["c2pa"]["state"], image["provenance"]["c2pa"]["issuer"]) == ("valid", "Our Studio")
    assert await signing.audit() == []


async def test_a_compressed_copy_over_openais_door_is_signed_too(signing: Service) -> None:
    async with AsyncOpenAI(base_url=f"{signing.url}/v1", api_key=signing.key) as client:
        answer = await client.images.generate(
            model="limner:sketch", prompt="dunes", output_format="jpeg", output_compression=40
        )
    assert answer.data is not None
    active, _ = manifests(b64decode(answer.data[0].b64_json or ""), "image/jpeg")
    assert active["signature_info"]["issuer"] == "Our Studio"


async def test_without_a_certificate_the_built_in_model_still_says_what_it_is(service: Service) -> None:
    image = (await service.generate()).json()["image"]
    assert image["provenance"] == {"digitalSourceType": "algorithmicMedia", "c2pa": None}
    assert (await service.generate(prompt="x", waitSeconds=0)).json()["image"]["provenance"] is None


def test_a_certificate_without_its_key_or_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="LIMNER_C2PA_KEY is not"):
        Config.from_env({"LIMNER_DATA_DIR": str(tmp_path), "LIMNER_C2PA_CERT": OURS.chain})
    with pytest.raises(BadConfiguration, match="cannot be read"):
        Config.from_env({"LIMNER_DATA_DIR": str(tmp_path), "LIMNER_C2PA_TRUST": "/nowhere.pem"})
    (tmp_path / "key.pem").write_text(OURS.key)
    config = Config.from_env({"LIMNER_C2PA_CERT": OURS.chain, "LIMNER_C2PA_KEY": str(tmp_path / "key.pem")})
    assert config.c2pa_key == OURS.key
