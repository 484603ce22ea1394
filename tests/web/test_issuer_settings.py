"""How issuers are set up: from the environment and from files."""

from pathlib import Path

import pytest
from tests.web.issuers import issuer  # noqa: F401

from limner.config import BadConfiguration, Config


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"LIMNER_OIDC_CLIENT_ID": "x"}, "LIMNER_OIDC_ISSUER is needed"),
        ({"LIMNER_OIDC_GOOGLE_CLIENT_SECRET": "x"}, "LIMNER_OIDC_GOOGLE_CLIENT_ID is needed"),
        ({"LIMNER_OIDC_GITHUB_CLIENT_ID": "x"}, "LIMNER_OIDC_GITHUB_CLIENT_SECRET is needed"),
        ({"LIMNER_OIDC_ISSUER": "http://id.example.org", "LIMNER_OIDC_CLIENT_ID": "x"}, "must be an https:// address"),
        ({"LIMNER_OIDC_ISSUER": "nonsense", "LIMNER_OIDC_CLIENT_ID": "x"}, "must be an http"),
        ({"LIMNER_OIDC_GOOGLE_CLIENTID": "x"}, "is not a setting"),
        ({"LIMNER_OIDC_GOOGLE_CLIENT_ID": "x", "LIMNER_OIDC_GOOGLE_SCOPES": "email"}, "must hold openid"),
    ],
)
def test_settings_that_cannot_work_stop_the_start_with_a_sentence(env: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadConfiguration, match=sentence):
        Config.from_env(env, port=1)


def test_issuers_are_read_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    config = Config.from_env(
        {
            "LIMNER_OIDC_OUR_OWN_ISSUER": "https://id.example.org/realms/one",
            "LIMNER_OIDC_OUR_OWN_CLIENT_ID": "limner",
            "LIMNER_OIDC_OUR_OWN_LABEL": "Our own",
            "LIMNER_OIDC_GITHUB_CLIENT_ID": "gh",
            "LIMNER_OIDC_GITHUB_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
            "LIMNER_OIDC_GOOGLE_CLIENT_ID": "go",
        },
        port=1,
    )
    assert [(each.id, each.name, each.issuer, each.secret) for each in config.issuers] == [
        ("google", "Google", "https://accounts.google.com", None),
        ("github", "GitHub", "https://github.com", "from a file"),
        ("our-own", "Our own", "https://id.example.org/realms/one", None),
    ]
    assert "from a file" not in repr(config)
