"""Says in a picture's metadata how it was made, as IPTC has it and as platforms read it."""

import re
from typing import Literal

DigitalSource = Literal["trainedAlgorithmicMedia", "algorithmicMedia"]
"""Made by a trained model, or by a plain algorithm such as our own sketches."""

XMP_KEYWORD = "XML:com.adobe.xmp"
"""The PNG text chunk that holds XMP."""

_NAMED = re.compile(rb"cv\.iptc\.org/newscodes/digitalsourcetype/([A-Za-z]{1,60})")
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/{}</Iptc4xmpExt:DigitalSourceType>"
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def xmp(source: DigitalSource, original: bytes = b"") -> str:
    """A packet for a picture made from one whose XMP was `original`: what that said of itself goes before `source`.

    Nothing else of the original is copied: it may name people and places.
    """
    return _PACKET.format(named_source(original) or source)


def named_source(said: bytes) -> str | None:
    """The digital source type that some metadata names, such as `trainedAlgorithmicMedia`."""
    named = _NAMED.search(said)
    return named[1].decode() if named else None


def iri(source: DigitalSource) -> str:
    """As IPTC and C2PA write it."""
    return f"http://cv.iptc.org/newscodes/digitalsourcetype/{source}"


def source_of(provider_id: str) -> DigitalSource:
    """How pictures of a provider come to be."""
    return "algorithmicMedia" if provider_id == "limner" else "trainedAlgorithmicMedia"
