"""Editing over REST: pictures by id in JSON, or as files in a form."""

from io import BytesIO

from PIL import Image
from tests.service import Service


def png(width: int = 64, height: int = 64, mode: str = "RGB") -> bytes:
    drawn = BytesIO()
    Image.new(mode, (width, height), (200, 80, 20, 0)[: len(mode)]).save(drawn, "PNG")
    return drawn.getvalue()


async def test_files_of_a_form_are_edited_like_pictures_named_in_json(service: Service) -> None:
    own = (await service.generate()).json()["image"]["id"]
    answer = await service.http.post(
        "/api/v1/images/edit",
        data={"instruction": "make it night", "n": "2", "includeBytes": "false", "images": own},
        files=[("images", ("a.png", png(), "image/png")), ("mask", ("m.png", png(1024, 1024, "RGBA"), "image/png"))],
    )
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["image"]["others"]) == 1
    seen = service.stage.seen[-1]
    assert (seen.operation, len(seen.images), seen.mask is not None) == ("edit", 2, True)
    assert "b64_json" not in answer.json()["image"]


async def test_a_form_is_checked_field_by_field_as_json_is(service: Service) -> None:
    picture = ("images", ("a.png", png(), "image/png"))
    for data, files, path in (
        ({"instruction": "x"}, [("mask", ("m.png", png(), "image/png"))], "images"),
        ({}, [picture], "instruction"),
        ({"instruction": "x", "n": "many"}, [picture], "n"),
        ({"instruction": "x", "colour": "red"}, [picture], "colour"),
        ({"instruction": "x"}, [picture, ("n", ("n.txt", b"2", "text/plain"))], "n"),
    ):
        answer = await service.http.post("/api/v1/images/edit", data=data, files=files)
        assert (answer.status_code, answer.json()["error"]["details"][0]["path"]) == (400, path)
    broken = await service.http.post(
        "/api/v1/images/edit", content=b"nonsense", headers={"Content-Type": "multipart/form-data"}
    )
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "invalid_request")
    assert await service.transaction_types() == ["grant"]
