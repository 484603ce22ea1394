"""The names and origins a request may come by; they follow from the public URL."""

from urllib.parse import urlsplit

from limner.config import Config


def allowed_hosts(config: Config) -> frozenset[str]:
    """The names a request may come by: the public URL's (with and without its port), and this machine's own."""
    public = urlsplit(config.public_url)
    port = public.port or (443 if public.scheme == "https" else 80)
    return frozenset({public.netloc, f"{public.hostname}", f"{public.hostname}:{port}", *_local_hosts(config)})


def allowed_origins(config: Config) -> frozenset[str]:
    return frozenset({config.public_url, *(f"http://{host}" for host in _local_hosts(config))})


def _local_hosts(config: Config) -> list[str]:
    return [f"{name}:{config.port}" for name in ("127.0.0.1", "localhost", "[::1]")]
