"""What pictures say of how they were made, read back; signed, changed, and by somebody unknown."""

from io import BytesIO

import pytest
from PIL import Image
from tests.certificates import identity

from limner.images import embedded
from limner.images.content_credentials import CannotSign, Credentials, CredentialsReader, Signer
from limner.images.embedded import Provenance
from limner.images.provenance import xmp
from limner.images.renditions import variant

FORMS = [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]


def plain(form: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), "navy").save(out, form)
    return out.getvalue()


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(identity().chain, identity().key)


@pytest.mark.parametrize(("form", "media_type"), FORMS)
def test_a_signed_picture_is_valid_untrusted_or_broken(signer: Signer, form: str, media_type: str) -> None:
    signed = signer.made(plain(form), media_type, "algorithmicMedia")
    trusting, knowing_nobody = CredentialsReader(identity().root), CredentialsReader()
    who = {"signer": "Example signer", "issuer": "Example Studios", "tool": "Limner"}
    assert embedded.read(signed, media_type, trusting) == Provenance("algorithmicMedia", Credentials("valid", **who))
    assert embedded.read(signed, media_type, knowing_nobody).credentials == Credentials("untrusted", **who)
    others = CredentialsReader(identity("Somebody else").root)
    assert embedded.read(signed, media_type, others).credentials == Credentials("untrusted", **who)
    at = len(plain(form)) - 30 if form == "WEBP" else len(signed) - 40
    changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
    broken = embedded.read(changed, media_type, trusting).credentials
    assert broken is not None
    assert broken.state == "invalid"
    with Image.open(BytesIO(signed)) as picture:
        picture.load()


@pytest.mark.parametrize(("form", "media_type"), FORMS)
def test_another_form_carries_its_originals_credentials_along(signer: Signer, form: str, media_type: str) -> None:
    original = signer.made(plain("PNG"), "image/png", "trainedAlgorithmicMedia")
    signed = signer.changed(plain(form), media_type, original, "image/png")
    said = embedded.read(signed, media_type, CredentialsReader(identity().root))
    assert (said.digital_source_type, said.credentials and said.credentials.state) == (
        "trainedAlgorithmicMedia",
        "valid",
    )


def test_without_the_extra_credentials_are_seen_and_not_judged(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = signer.made(plain("PNG"), "image/png", "algorithmicMedia")
    monkeypatch.setattr("limner.images.content_credentials.is_installed", lambda: False)
    assert embedded.read(signed, "image/png", CredentialsReader()) == Provenance(
        "algorithmicMedia", Credentials("unchecked")
    )
    with pytest.raises(CannotSign, match="install"):
        Signer(identity().chain, identity().key)


@pytest.mark.parametrize(("form", "media_type"), FORMS)
def test_what_iptc_calls_the_source_is_read_and_a_plain_picture_says_nothing(form: str, media_type: str) -> None:
    made = variant(plain("JPEG"), "trainedAlgorithmicMedia", media_type=media_type, width=256)
    expected = "trainedAlgorithmicMedia" if form != "JPEG" else None  # unchanged, so untouched
    assert embedded.read(made.data, media_type, CredentialsReader()) == Provenance(expected, None)
    assert embedded.read(plain(form), media_type, CredentialsReader()) == Provenance()


def test_a_hostile_chunk_is_no_credentials_and_no_crash() -> None:
    webp = plain("WEBP")
    chunk = b"C2PA" + (12).to_bytes(4, "little") + b"not jumbf..."
    size = (int.from_bytes(webp[4:8], "little") + len(chunk)).to_bytes(4, "little")
    said = embedded.read(b"RIFF" + size + webp[8:] + chunk, "image/webp", CredentialsReader())
    assert said.credentials is None or said.credentials.state == "invalid"
    assert embedded.manifest_store(b"\xff\xd8\xff\xeb\x00\x00") is None
    assert embedded.manifest_store(b"RIFF") is None


def test_a_key_that_does_not_fit_its_certificate_is_told_at_once() -> None:
    with pytest.raises(CannotSign):
        Signer(identity().chain, identity("Somebody else").key)
    with pytest.raises(CannotSign, match="cannot be read"):
        Signer(identity().chain, "nonsense")


def test_a_packet_names_one_source() -> None:
    assert xmp("algorithmicMedia").count("digitalsourcetype/") == 1
