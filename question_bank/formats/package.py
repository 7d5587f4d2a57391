"""Read and write packages: zip files with a manifest, and the files beside an item."""

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from urllib.parse import unquote

from lxml import etree

from examapp.documents.archives import MAX_PACKAGE_ENTRIES, Archive, UnreadableFileError, open_archive
from examapp.documents.safe_xml import Element, children, clean, parse_xml, root_name, text_of


@dataclass(frozen=True, slots=True)
class Files:
    """Files as one item sees them: paths are relative to its own."""

    archive: Archive | None = None
    name: str = ""
    """The item's own path in the archive; empty for a file that came alone."""

    def resolve(self, source: str) -> str | None:
        """Return the archive's name for a relative source; None when the archive has it not."""
        if self.archive is None or "://" in source or source.startswith("/"):
            return None
        path = _resolve(self.archive, posixpath.dirname(self.name), source)
        return path if path in self.archive else None

    def fetch(self, source: str) -> tuple[str, bytes] | None:
        """Return name and bytes of a file, or None."""
        path = self.resolve(source)
        return None if path is None or self.archive is None else (posixpath.basename(path), self.archive.read(path))

    def parse(self, source: str) -> "tuple[Element, Files] | None":
        """Return the root of an XML file and the files beside it, or None."""
        path = self.resolve(source)
        if path is None or self.archive is None:
            return None
        return parse_xml(self.archive.read(path), what=f"压缩包里的“{path}”"), Files(self.archive, path)


NO_FILES = Files()


MANIFEST = "imsmanifest.xml"
MANY = 50
"""Files of a package without a useful manifest that are looked into."""


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
        """Return the root of one of its XML files."""
        return parse_xml(self.archive.read(path), what=f"压缩包里的“{path}”")


def is_zip(content: bytes, name: str = "") -> bool:
    """Return whether the bytes are a zip, or were one before they were damaged."""
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")) or name.lower().endswith((".zip", ".imscc")):
        return True
    return b"PK\x05\x06" in content[-66000:] and b"PK\x01\x02" in content


def looks_like_package(content: bytes, *types: str) -> bool:
    """Return whether the zip has a manifest with resources of such types; a broken zip counts by its manifest's name."""
    try:
        package = open_package(content)
    except UnreadableFileError:
        return MANIFEST.encode() in content and b"word/" not in content
    return any(resource.type.startswith(types) for resource in package.resources)


def holds_roots(content: bytes, roots: re.Pattern[str]) -> bool:
    """Return whether a zip whose manifest names no questions (or that has none) holds XML files that begin with such a root."""
    try:
        package = open_package(content)
        if any(resource.type.startswith("imsqti") for resource in package.resources):
            return False
        names = [name for name in package.archive.names if name.endswith((".xml", ".qti"))][:MANY]
        return any(
            roots.fullmatch(root_name(package.archive.read(name))) for name in names if not name.endswith(MANIFEST)
        )
    except UnreadableFileError:
        return False


def open_package(content: bytes) -> Package:
    """Return the package; without a manifest its resources are empty."""
    archive = open_archive(content, max_entries=MAX_PACKAGE_ENTRIES)
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

        hrefs = [child.get("href", "") for child in children(element, "file")]
        found.append(
            Resource(
                identifier=element.get("identifier", ""),
                type=element.get("type", ""),
                href=_resolve(archive, base, element.get("href", "")) if element.get("href") else "",
                files=tuple(_resolve(archive, base, href) for href in hrefs if href),
                depends_on=tuple(child.get("identifierref", "") for child in children(element, "dependency")),
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
    found = (word for metadata in children(resource, "metadata") for word in metadata.iter("{*}keyword"))
    return tuple(dict.fromkeys(word for word in (text_of(one).strip() for one in found) if word))


_LOM = "http://ltsc.ieee.org/xsd/LOM"
_DATE = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One resource: its file, what it needs beside, and its keywords."""

    path: str
    type: str
    content: bytes
    beside: dict[str, bytes] = field(default_factory=dict)
    keywords: list[str] = field(default_factory=list)


def write_zip(files: list[PackageFile], *, namespace: str, schema: str) -> bytes:
    """Return the package's bytes; the same questions give the same bytes."""
    manifest = _manifest(files, namespace, schema)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        content = etree.tostring(manifest, xml_declaration=True, encoding="UTF-8", pretty_print=True)
        archive.writestr(_entry("imsmanifest.xml"), content)
        for file in files:
            archive.writestr(_entry(file.path), file.content)
            for path, beside in file.beside.items():
                archive.writestr(_entry(path), beside)
    return target.getvalue()


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _manifest(files: list[PackageFile], namespace: str, schema: str) -> Element:
    def name(tag: str) -> str:
        return f"{{{namespace}}}{tag}"

    root = etree.Element(name("manifest"), {"identifier": "MANIFEST"}, nsmap={"cp": namespace, "lom": _LOM})
    metadata = etree.SubElement(root, name("metadata"))
    etree.SubElement(metadata, name("schema")).text = schema
    etree.SubElement(metadata, name("schemaversion")).text = "1.0.0"
    etree.SubElement(root, name("organizations"))
    resources = etree.SubElement(root, name("resources"))
    for number, file in enumerate(files, start=1):
        facts = {"identifier": f"RES-{number:04d}", "type": file.type, "href": file.path}
        resource = etree.SubElement(resources, name("resource"), facts)
        if file.keywords:
            _keyword_elements(etree.SubElement(resource, name("metadata")), file.keywords)
        for path in [file.path, *file.beside]:
            etree.SubElement(resource, name("file"), href=path)
    return root


def _keyword_elements(metadata: Element, keywords: list[str]) -> None:
    general = etree.SubElement(etree.SubElement(metadata, f"{{{_LOM}}}lom"), f"{{{_LOM}}}general")
    for keyword in keywords:
        string = etree.SubElement(etree.SubElement(general, f"{{{_LOM}}}keyword"), f"{{{_LOM}}}string")
        string.text = clean(keyword)
