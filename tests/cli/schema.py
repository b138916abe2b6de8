# SPDX-License-Identifier: LGPL-2.1-or-later
"""As much of JSON Schema as the project's schemas use."""

TYPES = {"object": dict, "array": list, "string": str, "null": type(None), "boolean": bool,
         "integer": int, "number": (int, float)}


def mistakes(value, schema, place="$"):
    """What is wrong with the value, one sentence each."""
    unknown = set(schema) - {"$schema", "title", "description", "type", "enum", "items",
                             "properties", "required", "additionalProperties", "anyOf"}
    if unknown:
        raise ValueError(f"{place}: the schema uses {unknown}")
    if "anyOf" in schema:
        tried = [list(mistakes(value, one, place)) for one in schema["anyOf"]]
        yield from min(tried, key=len)
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(_is(value, name) for name in names):
            yield f"{place}: {value!r} is not {names}"
            return
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from mistakes(entry, schema.get("items", {}), f"{place}[{number}]")
    if isinstance(value, dict):
        yield from _member_mistakes(value, schema, place)


def _is(value, name):
    """A boolean is no number."""
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _member_mistakes(value, schema, place):
    known = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{place}: {name} is missing"
    for name, entry in value.items():
        if name in known:
            yield from mistakes(entry, known[name], f"{place}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{place}: {name} is not known"
