"""Function tools as the model was trained to see them: JSON Schema written as TypeScript in a namespace.

Follows openai/harmony 0.0.8 to the letter, since the model has seen nothing else. Knows no tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gptoss_tui.harmony.messages import Tool

_NAMES = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean"}


def functions(tools: Sequence[Tool]) -> str:
    """The `# Tools` section of the developer message; `tools` must not be empty."""
    blocks = ["namespace functions {\n"]
    for tool in tools:
        blocks += [f"// {line}" for line in _lines(tool.description)]
        arguments = "" if tool.parameters is None else f"_: {_type(tool.parameters, '')}"
        blocks.append(f"type {tool.name} = ({arguments}) => any;\n")
    blocks.append("} // namespace functions")
    return "# Tools\n\n## functions\n\n" + "\n".join(blocks)


def _type(value: object, indent: str) -> str:
    """A schema's type; what it has no name for is `any`."""
    schema = _object(value)
    variants = schema.get("oneOf")
    if isinstance(variants, list):
        return "".join(f"\n{indent} | {_variant(variant, indent)}" for variant in variants)
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = ["number" if each == "integer" else each for each in kind if isinstance(each, str)]
        return " | ".join(kinds) or "any"
    if kind == "object":
        return _object_type(schema, indent)
    if kind == "array":
        return f"{_type(schema['items'], indent)}[]" if "items" in schema else "Array<any>"
    if kind == "string":
        choices = schema.get("enum")
        quoted = [f'"{each}"' for each in choices if isinstance(each, str)] if isinstance(choices, list) else []
        return " | ".join(quoted) or "string"
    return _NAMES.get(kind, "any") if isinstance(kind, str) else "any"


def _variant(value: object, indent: str) -> str:
    """One choice of a `oneOf` that is a type by itself, with its comment."""
    schema = _object(value)
    # Here, unlike at a property, an enum's default is quoted too.
    default = [f"default: {_default(schema, bare_choice=False)}"] if "default" in schema else []
    return _nullable(schema, indent + "   ") + _comment([*_text(schema, "description"), *default])


def _object_type(schema: Mapping[str, object], indent: str) -> str:
    lines = [f"{indent}// {text}" for text in _text(schema, "description")] + ["{"]
    required = schema.get("required")
    for name, value in _object(schema.get("properties")).items():
        mark = "" if isinstance(required, list) and name in required else "?"
        lines += _property(name + mark, _object(value), indent)
    return "\n".join([*lines, f"{indent}}}"])


def _property(name: str, schema: Mapping[str, object], indent: str) -> list[str]:
    """The lines of one property: comments above it, then its type."""
    lines = [line for title in _text(schema, "title") for line in (f"{indent}// {title}", f"{indent}//")]
    if "oneOf" not in schema:
        lines += [f"{indent}// {text}" for text in _text(schema, "description")]
    examples = schema.get("examples")
    if isinstance(examples, list) and examples:
        lines += [f"{indent}// Examples:", *(f'{indent}// - "{each}"' for each in examples if isinstance(each, str))]
    variants = schema.get("oneOf")
    if isinstance(variants, list):
        return lines + _choices(name, schema, variants, indent)
    default = [f"default: {_default(schema)}"] if "default" in schema and "oneOf" not in schema else []
    return [*lines, f"{indent}{name}: {_nullable(schema, indent + '    ')},{_comment(default)}"]


def _choices(name: str, schema: Mapping[str, object], variants: list[object], indent: str) -> list[str]:
    """A property with a `oneOf`: one line a choice; a description that is said above is not said again."""
    described = _text(schema, "description")
    above = described if not variants or _text(_object(variants[0]), "description") != described else []
    default = [f"default: {_default(schema)}"] if "default" in schema else []
    lines = [*(f"{indent}// {text}" for text in above + default), f"{indent}{name}:"]
    for place, value in enumerate(variants):
        variant = _object(value)
        own = _text(variant, "description")
        comment = [] if own == described or (place == 0 and above) else own
        if "default" in variant:
            comment = [*comment, f"default: {_default(variant)}"]
        lines.append(f"{indent} | {_nullable(variant, indent + '   ')}{_comment(comment)}")
    return [*lines, f"{indent},"]


def _nullable(schema: Mapping[str, object], indent: str) -> str:
    name = _type(schema, indent)
    return f"{name} | null" if schema.get("nullable") is True and "null" not in name else name


def _default(schema: Mapping[str, object], *, bare_choice: bool = True) -> str:
    default, choices = schema["default"], schema.get("enum")
    is_choice = isinstance(choices, list) and bool(choices)
    if isinstance(default, str) and not is_choice:
        return f'"{default}"'
    if isinstance(default, str) and bare_choice:
        return default
    return json.dumps(default, ensure_ascii=False, separators=(",", ":"))


def _comment(parts: Sequence[str]) -> str:
    return f" // {' '.join(parts)}" if parts else ""


def _text(schema: Mapping[str, object], key: str) -> list[str]:
    """The string under `key`, as a list of one or none."""
    value = schema.get(key)
    return [value] if isinstance(value, str) else []


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _lines(text: str) -> list[str]:
    """Lines ended by LF or CRLF only: `str.splitlines` knows more kinds than harmony does."""
    lines = text.split("\n")
    ended = [line.removesuffix("\r") for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended
