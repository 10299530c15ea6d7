"""The document as a page to read: plain HTML that needs no script and loads nothing."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

Json = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --dim: #888; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
code, pre { font: 14px/1.4 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .1em .3em; } pre { padding: .7rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid var(--line); }
td:first-child { white-space: nowrap; }
.dim { color: var(--dim); }
"""


def docs_page(document: Json, address: str) -> str:
    """The page. `address` is where the API is, as its examples should say it."""
    info = document["info"]
    schemas = document["components"]["schemas"]
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} API</h1>",
        f"<p class='dim'>Version {escape(info['version'])} ",
        "&middot; <a href='/docs/openapi.json'>OpenAPI document</a></p>",
        f"<p>{escape(info['description'])}</p>",
        *_contents(document),
    ]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            parts += _operation(path, method, operation, address)
    parts.append("<h2>Messages</h2>")
    for name, schema in schemas.items():
        parts += _message(name, schema)
    parts.append("</body></html>\n")
    return "".join(parts)


def _contents(document: Json) -> Iterator[str]:
    yield "<table><tbody>"
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield (
                f"<tr><td><a href='#{escape(operation['operationId'])}'>"
                f"<code>{method.upper()} {escape(path)}</code></a></td>"
                f"<td>{escape(operation['summary'])}</td></tr>"
            )
    yield "</tbody></table>"


def _operation(path: str, method: str, operation: Json, address: str) -> Iterator[str]:
    yield f"<h2 id='{escape(operation['operationId'])}'>{escape(operation['summary'])}</h2>"
    yield f"<p><code>{method.upper()} {escape(path)}</code></p>"
    rows = [
        (
            f"<code>{escape(parameter['name'])}</code>",
            f"{escape(parameter.get('description', ''))} {_kind(parameter['schema'])}",
        )
        for parameter in operation.get("parameters", ())
    ]
    yield from _table(rows)
    if "requestBody" in operation:
        ((_, content),) = operation["requestBody"]["content"].items()
        yield f"<p>Body: {_kind(content['schema'])}</p>"
        for example in content.get("examples", {}).values():
            body = json.dumps(example["value"])
            yield (
                f"<pre>curl {escape(address + path.replace('{order_id}', '1'))}"
                f"{'' if method == 'post' else f' -X {method.upper()}'} \\\n"
                f"  -H 'Content-Type: application/json' \\\n  -d '{escape(body)}'</pre>"
            )
    yield from _table(
        [
            (status, f"{escape(response['description'])} {_content(response)}")
            for status, response in operation["responses"].items()
        ]
    )


def _content(response: Json) -> str:
    kinds = [_kind(content.get("schema", {})) for content in response.get("content", {}).values()]
    headers = [f"<code>{escape(name)}</code>" for name in response.get("headers", ())]
    return " ".join([*kinds, *headers])


def _message(name: str, schema: Json) -> Iterator[str]:
    yield f"<h3 id='schema-{escape(name)}'>{escape(name)}</h3>"
    yield f"<p>{escape(schema.get('description', ''))}</p>"
    for shape in schema.get("oneOf", [schema]):
        if "oneOf" in schema:
            yield f"<h4>{escape(shape['title'])}</h4>"
        if "enum" in shape:
            yield f"<p>{_kind(shape)}</p>"
        required = shape.get("required", ())
        yield from _table(
            [
                (
                    f"<code>{escape(field)}</code>{'' if field in required else ' (optional)'}",
                    f"{escape(kind.get('description', ''))} {_kind(kind)}",
                )
                for field, kind in shape.get("properties", {}).items()
            ]
        )


def _kind(schema: Json) -> str:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#schema-{name}'>{name}</a>{_default(schema)}"
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"])
    if schema.get("type") == "array":
        return f"array of {_kind(schema.get('items', {}))}"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    words = str(schema.get("type", ""))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        words += f", {low} to {high}"
    if "multipleOf" in schema:
        words += f", a multiple of {schema['multipleOf']}"
    if "maxLength" in schema:
        words += f", {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return f"<span class='dim'>{escape(words)}{_default(schema)}</span>"


def _default(schema: Json) -> str:
    if "default" not in schema:
        return ""
    return f" <span class='dim'>(default {escape(json.dumps(schema['default']))})</span>"


def _table(rows: list[tuple[str, str]]) -> Iterator[str]:
    if not rows:
        return
    yield "<table><tbody>"
    for left, right in rows:
        yield f"<tr><td>{left}</td><td>{right}</td></tr>"
    yield "</tbody></table>"
