"""Files as telephones and crooks send them, and a virus scanner on a real socket."""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import threading
import zlib
from collections.abc import Iterator

import pikepdf
from PIL import Image

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
MAKE, MODEL, GPS, ORIENTATION = 0x010F, 0x0110, 0x8825, 0x0112


def a_photo(
    width: int = 320, height: int = 200, *, form: str = "JPEG", orientation: int = 1, colour: str = "red"
) -> bytes:
    """Return a photo with all that telephones write into it; its upper left corner is blue."""
    picture = Image.new("RGB", (width, height), colour)
    picture.paste("blue", (0, 0, width // 4, height // 4))
    told = Image.Exif()
    told[MAKE], told[MODEL], told[ORIENTATION] = "SamplePhone", "Secret-9", orientation
    told.get_ifd(GPS).update({1: "N", 2: (23.0, 8.0, 0.0), 3: "E", 4: (113.0, 16.0, 0.0)})
    out = io.BytesIO()
    picture.save(out, form, exif=told, quality=90)
    return out.getvalue()


def a_png_bomb(side: int = 30_000) -> bytes:
    """Return a picture of a few kilobytes that unpacks to gigabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))

    head = struct.pack("!IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def a_pdf(pages: int = 2, *, password: str = "", **root: object) -> bytes:
    """Return a document; ``root`` adds to its catalogue, e.g. ``OpenAction``."""
    with pikepdf.new() as made:
        for _ in range(pages):
            made.add_blank_page(page_size=(200, 200))
        for name, value in root.items():
            made.Root[f"/{name}"] = value
        out = io.BytesIO()
        lock = pikepdf.Encryption(user=password, owner=password) if password else False
        made.save(out, encryption=lock)
    return out.getvalue()


def an_action(kind: str, **more: object) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name(f"/{kind}"), **more)


class FakeClamd:
    """Speaks INSTREAM as ClamAV's daemon does; finds what contains the EICAR test text."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.answer = b""
        self.seen: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            with link, link.makefile("rb") as said:
                assert said.read(10) == b"zINSTREAM\0"
                content = b""
                while size := struct.unpack("!I", said.read(4))[0]:
                    content += said.read(size)
                self.seen.append(content)
                found = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"
                link.sendall(self.answer or found)

    def close(self) -> None:
        # Closing alone does not wake who waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@contextlib.contextmanager
def a_clamd() -> Iterator[FakeClamd]:
    made = FakeClamd()
    try:
        yield made
    finally:
        made.close()
