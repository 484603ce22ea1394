"""`limner quickstart`: a new user's first minute."""

import re
import socket
import subprocess
import sys
from io import BytesIO

import httpx2
from PIL import Image
from tests.cli.terminal import Terminal
from tests.service import free_port


def test_one_command_from_an_empty_home_to_a_picture(terminal: Terminal) -> None:
    terminal.env["LIMNER_PORT"] = str(free_port())
    said = terminal.ok("quickstart", "--exit")
    with Image.open(terminal.home / "limner-first-image.png") as picture:
        assert picture.size == (1248, 832)
    assert str(terminal.home / "limner-first-image.png") in said
    assert "claude mcp add" in said
    assert "tool_timeout_sec = 900" in said
    assert (terminal.data_dir / "quickstart.key").stat().st_mode & 0o777 == 0o600


def test_a_second_run_keeps_the_key_spares_the_picture_and_takes_another_port(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        terminal.env["LIMNER_PORT"] = port
        said = [terminal.ok("quickstart", "--exit") for _ in range(2)]
        refused = terminal.run("quickstart", "--exit", "--port", port)
    assert f"http://127.0.0.1:{port}\n" not in said[0]
    assert len({found[1] for text in said if (found := re.search(r"API key +(\S+)", text))}) == 1
    assert (terminal.home / "limner-first-image-2.png").exists()
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"limner: Port {port} on 127.0.0.1 is in use: choose another with --port, or stop what uses it.\n"
    )


def test_it_keeps_serving_the_key_it_printed_until_it_is_interrupted(terminal: Terminal) -> None:
    command = [sys.executable, "-u", "-m", "limner", "quickstart", "--port", str(free_port())]
    with subprocess.Popen(
        command, cwd=terminal.home, env=terminal.environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        said = ""
        while "Ctrl-C" not in said and (line := process.stdout.readline()):
            said += line
        url, key = re.search(r"at (http\S+)", said), re.search(r"API key +(\S+)", said)
        assert url
        assert key
        headers = {"Authorization": f"Bearer {key[1]}"}
        body = {"prompt": "a lake", "modelId": "limner:sketch"}
        answer = httpx2.post(f"{url[1]}/api/v1/images/generate", headers=headers, json=body, timeout=30).json()
        link = httpx2.get(answer["image"]["imageUrl"])
        assert Image.open(BytesIO(link.content)).format == "PNG"
        process.send_signal(2)
        assert process.wait(30) == 0


def test_a_program_gets_all_of_it_as_json(terminal: Terminal) -> None:
    terminal.env["LIMNER_PORT"] = str(free_port())
    told = terminal.run("quickstart", "--exit", "--json").json
    assert told["file"] == str(terminal.home / "limner-first-image.png")
    assert (told["image"]["status"], told["image"]["credits"]["charged"]) == ("succeeded", 1)
    assert told["dashboard"].startswith(f"{told['url']}/sign-in/")
    assert (terminal.data_dir / "quickstart.key").read_text().strip() == told["key"]
    assert told["key"] in told["connect"][0]["text"]
