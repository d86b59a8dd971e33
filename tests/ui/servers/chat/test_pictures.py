"""What becomes of an image file before it is sent."""

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QImage

from gglib_desktop.domain.errors import PictureUnusable
from gglib_desktop.domain.traffic.chat import Picture
from gglib_desktop.views.servers.chat.pictures import MOST_BYTES, MOST_PIXELS_A_SIDE, read_picture

OPAQUE, TRANSPARENT = QImage.Format.Format_RGB32, QImage.Format.Format_ARGB32


def image_file(path: Path, width: int, height: int, looks: QImage.Format = OPAQUE) -> Path:
    image = QImage(width, height, looks)
    image.fill(Qt.GlobalColor.darkGreen)
    assert image.save(str(path))
    return path


def size(picture: Picture) -> tuple[int, int]:
    image = QImage.fromData(QByteArray(picture.data))
    return image.width(), image.height()


@pytest.mark.parametrize(("name", "kind"), [("a.png", "image/png"), ("a.jpg", "image/jpeg")])
def test_what_every_engine_reads_is_sent_as_it_is(qapp, tmp_path, name, kind):
    path = image_file(tmp_path / name, 40, 30)
    assert read_picture(path) == Picture(path.read_bytes(), kind)


@pytest.mark.parametrize(("looks", "kind"), [(OPAQUE, "image/jpeg"), (TRANSPARENT, "image/png")])
def test_large_images_are_made_smaller(qapp, tmp_path, looks, kind):
    picture = read_picture(image_file(tmp_path / "a.png", 2 * MOST_PIXELS_A_SIDE, 500, looks))
    assert (picture.kind, size(picture)) == (kind, (MOST_PIXELS_A_SIDE, 250))


@pytest.mark.parametrize("name", ["a.webp", "a.bmp"])
def test_other_kinds_are_turned_into_one_that_is_read(qapp, tmp_path, name):
    picture = read_picture(image_file(tmp_path / name, 40, 30))
    assert (picture.kind, size(picture)) == ("image/jpeg", (40, 30))


def test_the_content_counts_and_not_the_name(qapp, tmp_path):
    path = image_file(tmp_path / "a.png", 40, 30)
    path.rename(tmp_path / "a.txt")
    assert read_picture(tmp_path / "a.txt").kind == "image/png"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no image"),
        (b"hello", "no image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "no image"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "PNG|[Uu]nable|format"),
    ],
)
def test_what_is_no_image_is_refused(qapp, tmp_path, content, reason):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(PictureUnusable, match=reason) as caught:
        read_picture(path)
    assert caught.value.name == "a.png"


def test_a_damaged_image_is_refused(qapp, tmp_path):
    path = image_file(tmp_path / "a.png", 400, 300)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(PictureUnusable):
        read_picture(path)


def test_files_that_are_too_large_or_gone_are_refused(qapp, tmp_path):
    path = tmp_path / "a.png"
    with pytest.raises(PictureUnusable, match="No such file"):
        read_picture(path)
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(PictureUnusable, match="larger than 20"):
        read_picture(path)
