"""Makes of an image file what can be sent to a model."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageIOHandler, QImageReader, QImageWriter

from gglib_desktop.domain.errors import PictureUnusable
from gglib_desktop.domain.traffic.chat import Picture
from gglib_desktop.domain.units import size_text

MOST_BYTES = 20 * 2**20
# Models see no more detail than that.
MOST_PIXELS_A_SIDE = 1568
# What every engine reads is sent as it is; the others only we read.
_SENT_AS_IS = {"png": "image/png", "jpeg": "image/jpeg"}
_READ = {*_SENT_AS_IS, "jpg", "bmp", "gif", "webp"}
_JPEG_QUALITY = 90


def read_picture(path: Path) -> Picture:
    """Reads a file and makes it smaller if it is large. Blocks, so for a thread. Raises: PictureUnusable."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PictureUnusable(path.name, f"it is larger than {size_text(MOST_BYTES)}")
        data = path.read_bytes()
    except OSError as exc:
        raise PictureUnusable(path.name, exc.strerror or str(exc)) from exc
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setDecideFormatFromContent(True)
    kind = bytes(reader.format().data()).decode()
    if kind not in _READ:
        raise PictureUnusable(path.name, "it is no image of a kind that models take: PNG, JPEG, WebP, GIF or BMP")
    size = reader.size()
    fits = max(size.width(), size.height()) <= MOST_PIXELS_A_SIDE
    if not fits:
        most = QSize(MOST_PIXELS_A_SIDE, MOST_PIXELS_A_SIDE)
        reader.setScaledSize(size.scaled(most, Qt.AspectRatioMode.KeepAspectRatio))
    # A camera may have been held sideways.
    is_upright = reader.transformation() == QImageIOHandler.Transformation.TransformationNone
    reader.setAutoTransform(True)
    image = reader.read()
    if image.isNull():
        raise PictureUnusable(path.name, reader.errorString())
    return Picture(data, _SENT_AS_IS[kind]) if kind in _SENT_AS_IS and fits and is_upright else _encoded(image)


def _encoded(image: QImage) -> Picture:
    kind = "png" if image.hasAlphaChannel() else "jpeg"
    out = QBuffer()
    out.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(out, QByteArray(kind.encode()))
    if kind == "jpeg":
        writer.setQuality(_JPEG_QUALITY)
    writer.write(image)
    return Picture(bytes(out.data().data()), _SENT_AS_IS[kind])
