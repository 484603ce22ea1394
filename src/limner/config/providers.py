"""Which suppliers can be reached, and how."""

from dataclasses import dataclass, field
from pathlib import Path

from limner.config.environment import Environment


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """How to reach one supplier: its address (empty where there is none), the key, and the variable the key came from."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    key_source: str | None = None


@dataclass(frozen=True, kw_only=True)
class Suppliers:
    openai: ProviderAccess
    google: ProviderAccess
    openrouter: ProviderAccess
    bfl: ProviderAccess
    compatible: ProviderAccess
    compatible_models: tuple[str, ...] = ()
    comfyui_url: str | None = None
    comfyui_workflow: Path | None = None
    diffusers_dir: Path | None = None


def read_suppliers(env: Environment) -> Suppliers:
    return Suppliers(
        openai=_access(env, "OPENAI", "https://api.openai.com/v1", "OPENAI_API_KEY"),
        google=_access(env, "GOOGLE", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY"),
        openrouter=_access(env, "OPENROUTER", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
        bfl=_access(env, "BFL", "https://api.bfl.ai", "BFL_API_KEY"),
        compatible=_access(env, "COMPATIBLE", "", None),
        compatible_models=env.words("COMPATIBLE_MODELS"),
        comfyui_url=env.url("COMFYUI_URL"),
        comfyui_workflow=env.existing_file("COMFYUI_WORKFLOW"),
        diffusers_dir=Path(text).expanduser() if (text := env.text("DIFFUSERS_DIR")) else None,
    )


def _access(env: Environment, name: str, default_url: str, customary: str | None) -> ProviderAccess:
    """By our own variable, else by the `customary` one that the supplier's programs read."""
    own = f"LIMNER_{name}_API_KEY"
    source = own if env.value(own) else customary
    api_key = env.value(source) if source else None
    return ProviderAccess(env.url(f"{name}_BASE_URL") or default_url, api_key, source if api_key else None)
