"""`limner generate`, `images`, `models`, `account`, `usage`, `login` against a running server."""

import base64
import json
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from tests.certificates import identity
from tests.cli.terminal import Terminal
from tests.service import free_port

from limner.cli.pictures import drawn, protocol_of
from limner.images.content_credentials import Signer

SKETCH = ("--model", "limner:sketch")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """The operator's terminal, and a server that all tests here share; `LIMNER_URL` is where it answers."""
    operator = Terminal(tmp_path_factory.mktemp("operator"))
    with operator.server() as server:
        operator.env["LIMNER_URL"] = server.url
        yield operator


@pytest.fixture
def client(served: Terminal, terminal: Terminal, request: pytest.FixtureRequest) -> Terminal:
    """A terminal of somebody with a key and ten credits."""
    email = f"{abs(hash(request.node.name))}@example.org"
    served.ok("accounts", "create", email, "--credits", "10")
    key = served.ok("keys", "create", "--account", email).strip()
    terminal.env |= {"LIMNER_URL": served.env["LIMNER_URL"], "LIMNER_API_KEY": key}
    return terminal


def test_a_picture_lands_in_the_file_that_was_asked_for(client: Terminal) -> None:
    said = client.ok("generate", "a quiet lake", "-o", "lake.png", "--ratio", "3:2", "--seed", "7", *SKETCH)
    assert said == f"{client.home / 'lake.png'}\n"
    with Image.open(client.home / "lake.png") as picture:
        assert picture.size == (1248, 832)


def test_without_a_name_no_file_is_replaced(client: Terminal) -> None:
    first = client.ok("generate", "A quiet lake, at night!", *SKETCH)
    second = client.run("generate", "A quiet lake, at night!", "-n", "2", "--json", *SKETCH).json
    assert first == f"{client.home / 'a-quiet-lake-at-night.png'}\n"
    names = [str(client.home / f"a-quiet-lake-at-night-{number}.png") for number in (2, 3)]
    assert second["files"] == names
    assert second["image"]["credits"]["charged"] == 1
    assert "b64_json" not in second["image"]


def test_the_bytes_can_be_piped(client: Terminal) -> None:
    made = client.run("generate", "a lake", "-o", "-", "--format", "webp", *SKETCH, text=False)
    assert Image.open(BytesIO(made.bytes)).format == "WEBP"


def test_the_same_idempotency_key_is_paid_once(client: Terminal) -> None:
    for _ in range(2):
        client.ok("generate", "a lake", "--idempotency-key", "lake-1", *SKETCH)
    assert client.run("account", "--json").json["creditBalance"] == 9


def test_lists_show_what_was_made_and_spent(client: Terminal) -> None:
    client.ok("generate", "a quiet lake", *SKETCH)
    image = client.run("images", "--json").json["images"][0]
    assert "a quiet lake" in client.ok("images")
    client.ok("images", "get", image["id"], "-o", "again.png")
    assert (client.home / "again.png").read_bytes() == (client.home / "a-quiet-lake.png").read_bytes()
    assert "limner:sketch" in client.ok("models")
    assert "@example.org" in client.ok("account")
    assert [line["amount"] for line in client.run("usage", "--json").json["transactions"]] == [-1, 10]
    assert "charge" in client.ok("usage")


def test_login_keeps_the_server_and_the_key_for_their_owner_alone(client: Terminal) -> None:
    url, key = client.env.pop("LIMNER_URL"), client.env.pop("LIMNER_API_KEY")
    assert client.run("login", url, "--key", "sk_wrong").code == 1
    client.ok("login", url, "--key", key)
    kept = client.home / ".config" / "limner" / "client.toml"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert url in client.ok("account")


def test_what_goes_wrong_is_one_sentence_with_what_to_do(client: Terminal) -> None:
    refused = client.run("generate", "a lake", "--model", "openai:gpt-image-0")
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("limner: unknown_model: ")
    nobody = client.run("account", "--url", f"http://127.0.0.1:{free_port()}")
    assert (nobody.code, nobody.stderr.count("\n")) == (1, 1)
    assert client.run("account", "--url", "nonsense").code == 2


def test_a_terminal_that_can_shows_the_picture() -> None:
    png = BytesIO()
    Image.new("RGB", (2000, 1000), "teal").save(png, "PNG")
    assert protocol_of({"KITTY_WINDOW_ID": "1"}) == "kitty"
    assert protocol_of({"TERM_PROGRAM": "iTerm.app"}) == "iterm2"
    assert protocol_of({"TERM_PROGRAM": "iTerm.app", "TMUX": "/tmp/1"}) is None
    assert protocol_of({"TERM": "xterm-256color"}) is None
    kitty, iterm2 = drawn(png.getvalue(), "kitty"), drawn(png.getvalue(), "iterm2")
    pieces = [piece.partition(";")[2] for piece in kitty.split("\x1b\\")[:-1]]
    with Image.open(BytesIO(base64.b64decode("".join(pieces)))) as shown:
        assert shown.size == (640, 320)
    assert iterm2.startswith("\x1b]1337;File=")


def test_a_file_is_verified_alone_and_against_the_server(client: Terminal) -> None:
    client.ok("generate", "a quiet lake", "-o", "lake.png", *SKETCH)
    told = json.loads(client.ok("verify", "lake.png", "--ask", "--json"))
    assert told["provenance"] == {"digitalSourceType": "algorithmicMedia", "c2pa": None}
    assert told["made"]["sha256"] == told["sha256"]
    (client.home / "other.png").write_bytes((client.home / "lake.png").read_bytes() + b"x")
    assert "not by" in client.ok("verify", "other.png", "--ask")
    (client.home / "note.png").write_text("hello")
    assert client.run("verify", "note.png").code == 1


def test_content_credentials_are_valid_untrusted_or_broken(terminal: Terminal) -> None:
    who = identity()
    picture = BytesIO()
    Image.new("RGB", (64, 64), "navy").save(picture, "PNG")
    signed = Signer(who.chain, who.key).made(picture.getvalue(), "image/png", "trainedAlgorithmicMedia")
    (terminal.home / "signed.png").write_bytes(signed)
    (terminal.home / "root.pem").write_text(who.root)
    (terminal.home / "broken.png").write_bytes(signed[:-40] + b"\0" + signed[-39:])
    untrusted = json.loads(terminal.ok("verify", "signed.png", "--json"))["provenance"]["c2pa"]
    trusted = json.loads(terminal.ok("verify", "signed.png", "--trust", "root.pem", "--json"))["provenance"]["c2pa"]
    assert (untrusted["state"], trusted["state"], trusted["issuer"]) == ("untrusted", "valid", "Example Studios")
    broken = terminal.run("verify", "broken.png")
    assert broken.code == 1
