"""A worker that speaks the diffusers worker's lines without torch: the prompt says how the order ends."""

import json
import os
import sys

from tests.peers.pictures import encoded, picture


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "stop" not in message:
            answer(message)


def answer(order: dict[str, object]) -> None:
    say({"step": 1, "steps": 2})
    match order["prompt"]:
        case "die":
            os._exit(3)
        case "fail":
            say({"failed": "RuntimeError: out of memory"})
        case "refuse":
            say({"refused": "the model's safety checker withheld the picture"})
        case "hang":
            sys.stdin.readline()
            say({"step": 2, "steps": 2})
            say({"stopped": True})
        case "ignore":
            for _ in sys.stdin:
                pass
        case _:
            options = order["options"]
            say({"picture": encoded(picture(options["width"], options["height"]))})


def say(message: dict[str, object]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
