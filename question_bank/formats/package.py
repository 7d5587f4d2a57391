"""IMS content packages: the manifest and what it lists, checked against the archive."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from question_bank.formats.safety import Archive, open_archive
from question_bank.formats.xml_location import local, text_of
from question_bank.formats.xml_safety import Element, parse_xml
from question_bank.parse_result import UnreadableFileError

MANIFEST = "imsmanifest.xml"
MANY = 50
"""Files of a package without a useful manifest that are looked into."""
HEAD = 4000
"""Bytes of a file in which its root begins."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a manifest, its paths as the archive names them."""

    identifier: str
    type: str
    href: str
    files: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


@dataclass(slots=True)
class Package:
    """An opened package."""

    archive: Archive
    resources: list[Resource] = field(default_factory=list)
    has_manifest: bool = False

    def xml(self, path: str) -> Element:
        """The root of one of its XML files."""
        return parse_xml(self.archive.read(path), what=f"压缩包里的“{path}”")


def is_zip(content: bytes, name: str = "") -> bool:
    """Whether the bytes are a zip, or were one before they were damaged."""
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")) or name.lower().endswith((".zip", ".imscc")):
        return True
    return b"PK\x05\x06" in content[-66000:] and b"PK\x01\x02" in content


def looks_like_package(content: bytes, *types: str) -> bool:
    """Whether the zip has a manifest with resources of such types; a broken zip counts by its manifest's name."""
    try:
        package = open_package(content)
    except UnreadableFileError:
        return MANIFEST.encode() in content and b"word/" not in content
    return any(resource.type.startswith(types) for resource in package.resources)


def holds_roots(content: bytes, roots: re.Pattern[bytes]) -> bool:
    """Whether a zip whose manifest names no questions (or that has none) holds XML files that begin with such a root."""
    try:
        package = open_package(content)
        if any(resource.type.startswith("imsqti") for resource in package.resources):
            return False
        names = [name for name in package.archive.names if name.endswith((".xml", ".qti"))][:MANY]
        return any(roots.search(package.archive.read(name)[:HEAD]) for name in names if not name.endswith(MANIFEST))
    except UnreadableFileError:
        return False


def open_package(content: bytes) -> Package:
    """The package; without a manifest its resources are empty."""
    archive = open_archive(content)
    package = Package(archive)
    manifests = sorted((n for n in archive.names if posixpath.basename(n) == MANIFEST), key=lambda n: n.count("/"))
    if manifests:
        package.has_manifest = True
        package.resources = _resources(package.xml(manifests[0]), posixpath.dirname(manifests[0]), archive)
    return package


def _resources(manifest: Element, folder: str, archive: Archive) -> list[Resource]:
    found = []
    for element in manifest.iter("{*}resource"):
        base = posixpath.join(folder, element.get("{http://www.w3.org/XML/1998/namespace}base", ""))

        def resolve(href: str, base: str = base) -> str:
            return _resolve(archive, base, href)

        files = [resolve(child.get("href", "")) for child in element if local(child) == "file" and child.get("href")]
        found.append(
            Resource(
                identifier=element.get("identifier", ""),
                type=element.get("type", ""),
                href=resolve(element.get("href", "")) if element.get("href") else "",
                files=tuple(files),
                depends_on=tuple(c.get("identifierref", "") for c in element if local(c) == "dependency"),
                keywords=_keywords(element),
            )
        )
    return found


def _resolve(archive: Archive, folder: str, href: str) -> str:
    plain = href.partition("?")[0].partition("#")[0]
    for name in (plain, unquote(plain)):
        path = posixpath.normpath(posixpath.join(folder, name))
        if path in archive:
            return path
    return posixpath.normpath(posixpath.join(folder, unquote(plain)))


def _keywords(resource: Element) -> tuple[str, ...]:
    words = [
        text_of(word).strip()
        for metadata in resource
        if local(metadata) == "metadata"
        for word in metadata.iter("{*}keyword")
    ]
    return tuple(dict.fromkeys(word for word in words if word))
