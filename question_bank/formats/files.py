"""The files beside an item: of its package, or none."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from urllib.parse import unquote

from question_bank.formats.safety import Archive
from question_bank.formats.xml_safety import Element, parse_xml


@dataclass(frozen=True, slots=True)
class Files:
    """Files as one item sees them: paths are relative to its own."""

    archive: Archive | None = None
    name: str = ""
    """The item's own path in the archive; empty for a file that came alone."""

    def resolve(self, source: str) -> str | None:
        """The archive's name for a relative source; None when the archive has it not."""
        if self.archive is None or "://" in source or source.startswith("/"):
            return None
        folder = posixpath.dirname(self.name)
        for plain in (source, unquote(source)):
            path = posixpath.normpath(posixpath.join(folder, plain.partition("?")[0].partition("#")[0]))
            if path in self.archive:
                return path
        return None

    def fetch(self, source: str) -> tuple[str, bytes] | None:
        """Name and bytes of a file, or None."""
        path = self.resolve(source)
        if path is None or self.archive is None:
            return None
        return posixpath.basename(path), self.archive.read(path)

    def parse(self, source: str) -> tuple[Element, Files] | None:
        """The root of an XML file and the files beside it, or None."""
        path = self.resolve(source)
        if path is None or self.archive is None:
            return None
        return parse_xml(self.archive.read(path), what=f"压缩包里的“{path}”"), Files(self.archive, path)


NO_FILES = Files()
