"""Writing an IMS content package: the manifest, the items, the pictures."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field

from lxml import etree

from question_bank.formats.xml_safety import Element
from question_bank.formats.xml_text import clean

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
    """The package's bytes; the same questions give the same bytes."""
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
            _keywords(etree.SubElement(resource, name("metadata")), file.keywords)
        for path in [file.path, *file.beside]:
            etree.SubElement(resource, name("file"), href=path)
    return root


def _keywords(metadata: Element, keywords: list[str]) -> None:
    general = etree.SubElement(etree.SubElement(metadata, f"{{{_LOM}}}lom"), f"{{{_LOM}}}general")
    for keyword in keywords:
        string = etree.SubElement(etree.SubElement(general, f"{{{_LOM}}}keyword"), f"{{{_LOM}}}string")
        string.text = clean(keyword)
