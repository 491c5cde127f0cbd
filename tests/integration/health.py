"""Every JSON answer is held to the schema that is shipped, closed.

Shipped it is open, for clients that validate with it: later versions may add members."""

import functools
import json
from pathlib import Path

import jsonschema

SCHEMA = Path(__file__).parents[2] / "src/server/report/health.schema.json"


def closed(schema):
    """It, with no members beyond those that it names."""
    if isinstance(schema, list):
        return [closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: closed(inner) for key, inner in schema.items()}
    return {"additionalProperties": False, **told} if "required" in schema else told


@functools.cache
def _validator():
    schema = closed(json.loads(SCHEMA.read_text()))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def parse_document(text):
    """The JSON document, which must be as the schema has it: no member twice, and none but its."""
    document = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    errors = sorted(_validator().iter_errors(document), key=lambda error: list(error.path))
    assert not errors, "\n".join(f"{error.json_path}: {error.message}" for error in errors[:5])
    return document


def _unique(pairs):
    members = dict(pairs)
    assert len(members) == len(pairs), f"a member twice among {[key for key, _ in pairs]}"
    return members


def _refuse(constant):
    raise AssertionError(f"{constant} is no JSON")
