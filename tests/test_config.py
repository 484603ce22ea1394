"""The settings: every name, each as a file too, and one clear sentence for what cannot be used."""

from pathlib import Path

import pytest

from limner.cli.failures import explain
from limner.config import BadConfiguration, Config

EXAMPLES = {
    "DATA_DIR": "/srv/limner",
    "DATABASE_URL": "postgresql:///limner?host=/run/postgresql",
    "BLOBS_URL": "s3://bucket/prefix",
    "BLOBS_ENDPOINT": "http://127.0.0.1:9000",
    "PUBLIC_URL": "https://images.example.org",
    "EDITION": "getimages",
    "BILLING": "off",
    "HOST": "0.0.0.0",
    "PORT": "9000",
    "SIGNUP": "open",
    "SIGNUP_CREDITS": "7",
    "RATE_LIMIT": "5",
    "QUEUE_PER_ACCOUNT": "3",
    "OAUTH": "off",
    "TRUSTED_PROXIES": "10.0.0.0/8,::1",
    "SECRET_KEYS": "new-secret,old-secret",
    "MAX_BODY_BYTES": "2048",
    "PACKS": "10=1.00,20=1.90",
    "METRICS_TOKEN": "m",
    "GENERATION_DEADLINE_SECONDS": "60",
    "QUEUE_DEADLINE_SECONDS": "61",
    "DEFAULT_MODEL": "limner:sketch",
    "OPENAI_API_KEY": "o",
    "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    "GOOGLE_API_KEY": "g",
    "GOOGLE_BASE_URL": "http://127.0.0.1:2",
    "OPENROUTER_API_KEY": "r",
    "OPENROUTER_BASE_URL": "http://127.0.0.1:3",
    "BFL_API_KEY": "b",
    "BFL_BASE_URL": "http://127.0.0.1:4",
    "COMPATIBLE_BASE_URL": "http://127.0.0.1:5",
    "COMPATIBLE_API_KEY": "c",
    "COMPATIBLE_MODELS": "one,two",
    "COMFYUI_URL": "http://127.0.0.1:6",
    "STRIPE_SECRET_KEY": "s",
    "STRIPE_WEBHOOK_SECRET": "w",
    "STRIPE_BASE_URL": "http://127.0.0.1:7",
    "SMTP_URL": "smtp://127.0.0.1:25",
}
"""A value other than the default for every setting that is no path to a file."""

CUSTOMARY = ("OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "BFL_API_KEY")


def test_nothing_needs_to_be_set() -> None:
    config = Config.from_env({"HOME": "/home/ana"})
    assert config.database_url == "sqlite:////home/ana/.local/share/limner/limner.db"
    assert (config.host, config.port, config.public_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert (config.sign_up, config.sign_up_credits, config.rate_limit, config.billing) == ("closed", 100, 60, True)
    assert [(pack.credits, pack.price_cents) for pack in config.packs] == [(100, 500), (500, 2250), (1200, 4800)]
    assert (config.generation_deadline_seconds, config.queue_deadline_seconds) == (900, 3600)
    assert config.google.base_url == "https://generativelanguage.googleapis.com"
    assert config.bfl.base_url == "https://api.bfl.ai"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_setting_counts_by_its_name_and_as_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text(f"{EXAMPLES[name]}\n")
    home = {"HOME": "/home/ana"}
    by_name = Config.from_env(home | {f"LIMNER_{name}": EXAMPLES[name]})
    as_file = Config.from_env(home | {f"LIMNER_{name}_FILE": str(file)})
    assert by_name == as_file != Config.from_env(home)


@pytest.mark.parametrize("name", ["CATALOG", "COMFYUI_WORKFLOW"])
def test_settings_that_name_a_file_count_both_ways_too(name: str, tmp_path: Path) -> None:
    named, pointer = tmp_path / "named", tmp_path / "pointer"
    named.write_text("")
    pointer.write_text(str(named))
    assert Config.from_env({f"LIMNER_{name}": str(named)}) == Config.from_env({f"LIMNER_{name}_FILE": str(pointer)})


@pytest.mark.parametrize("name", CUSTOMARY)
def test_customary_names_count_and_our_own_wins(name: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("theirs")
    supplier = {"GEMINI_API_KEY": "google"}.get(name, name.removesuffix("_API_KEY").lower())
    own = f"LIMNER_{supplier.upper()}_API_KEY"
    for environ, key, source in (
        ({name: "theirs"}, "theirs", name),
        ({f"{name}_FILE": str(file)}, "theirs", name),
        ({name: "theirs", own: "ours"}, "ours", own),
    ):
        access = getattr(Config.from_env(environ), supplier)
        assert (access.api_key, access.key_source) == (key, source)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("EDITION", "best"),
        ("BILLING", "maybe"),
        ("SIGNUP", "yes"),
        ("SIGNUP_CREDITS", "1.5"),
        ("SIGNUP_CREDITS", "9" * 30),
        ("RATE_LIMIT", "many"),
        ("PUBLIC_URL", "images.example.org"),
        ("PUBLIC_URL", "https://images.example.org/limner"),
        ("BLOBS_ENDPOINT", "nowhere"),
        ("DATABASE_URL", "mysql://root@localhost/limner"),
        ("TRUSTED_PROXIES", "everybody"),
        ("PACKS", "100"),
        ("PACKS", "100=free"),
        ("PACKS", "100=inf"),
        ("PACKS", "0=5.00"),
        ("PACKS", "100=5.00,100=4.00"),
        ("MAX_BODY_BYTES", "10"),
        ("QUEUE_PER_ACCOUNT", "0"),
        ("GENERATION_DEADLINE_SECONDS", "0"),
        ("CATALOG", "/nowhere/at/all.toml"),
        ("OPENAI_BASE_URL", "ftp://127.0.0.1"),
        ("METRICS_TOKEN_FILE", "/nowhere/at/all"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_that_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        Config.from_env({f"LIMNER_{name}": value})
    explained = explain(refused.value)
    assert explained is not None
    assert f"LIMNER_{name}" in explained.sentence
    assert "\n" not in explained.sentence
    assert explained.exit_code == 2
