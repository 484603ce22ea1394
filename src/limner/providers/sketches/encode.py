"""Pictures as files: PNG, JPEG or WebP, marked as made by an algorithm."""

import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SOFTWARE = "Limner sketch"
_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    f' Iptc4xmpExt:DigitalSourceType="{_SOURCE}" xmp:CreatorTool="{SOFTWARE}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
_EXIF_SOFTWARE = 0x0131
_MEDIA_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


def encoded(picture: Image.Image, kind: str, *, exact: bool = False) -> bytes:
    """The file of a picture; `exact` keeps every pixel where the format can (PNG, WebP)."""
    if kind == "jpeg":
        return _saved(picture.convert("RGB"), "JPEG", quality=90, subsampling=0, exif=_exif(), xmp=_XMP.encode())
    if kind == "webp":
        return _saved(
            picture, "WEBP", quality=40 if exact else 86, method=0, lossless=exact, exact=exact, exif=_exif(), xmp=_XMP
        )
    return _saved(picture, "PNG", compress_level=1, pnginfo=_png_texts())


def preview(picture: Image.Image, kind: str, longest: int = 512) -> bytes:
    """A small file of an unfinished picture."""
    small = picture.copy()
    small.thumbnail((longest, longest), Image.Resampling.BILINEAR)
    return encoded(small, kind)


def media_type(kind: str) -> str:
    return _MEDIA_TYPES[kind]


def _saved(picture: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, name, **options)
    return out.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[_EXIF_SOFTWARE] = SOFTWARE
    return exif.tobytes()


def _png_texts() -> PngInfo:
    texts = PngInfo()
    texts.add_text("Software", SOFTWARE)
    texts.add_itxt("XML:com.adobe.xmp", _XMP)
    return texts
