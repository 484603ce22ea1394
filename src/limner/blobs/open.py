"""Which store a URL means."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from limner.blobs.base import Blobs
from limner.blobs.disk import DiskBlobs

CLOUDS = ("s3", "gs", "az")


def open_blobs(url: str, *, endpoint: str | None = None) -> Blobs:
    """The store at `url`: a directory (`/path`, `file:///path`), `s3://bucket/prefix`, `gs://`, `az://` or `memory://`.

    `endpoint` is where an S3-compatible server answers. ValueError says what is wrong with either;
    OSError that the directory cannot be used. A cloud store is first contacted by its first call.
    """
    scheme, is_url, _ = url.partition("://")
    if not is_url or scheme == "file":
        return DiskBlobs(_directory(url, endpoint))
    if scheme not in {*CLOUDS, "memory"}:
        raise ValueError(f"{scheme}:// is not a blob store: use a directory, s3://, gs:// or az://")
    from limner.blobs.objects import open_objects  # loads a large library, which a start on disk should not pay for

    return open_objects(url, endpoint)


def _directory(url: str, endpoint: str | None) -> Path:
    if endpoint:
        raise ValueError("a blob endpoint goes with s3://, gs:// or az://, not with a directory")
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc:
        raise ValueError(f"{url} names a host: a directory is file:///path")
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(url)
