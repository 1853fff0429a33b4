"""The Compose files and Dockerfiles as data, read without Docker."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILES = sorted(ROOT.glob("compose*.yaml")) + sorted((ROOT / "tests/compose").glob("compose*.yaml"))
SERVICE_FOLDERS = sorted(path.parent for path in ROOT.glob("services/*/Dockerfile"))
_RESET = object()


class _ComposeLoader(yaml.SafeLoader):
    """YAML with Compose's own tags: `!reset` takes a key away, `!override` replaces instead of merging."""


def _override(loader: _ComposeLoader, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


_ComposeLoader.add_constructor("!reset", lambda _loader, _node: _RESET)
_ComposeLoader.add_constructor("!override", _override)


def load(path: Path) -> dict[str, Any]:
    """One file's own content: keys that it resets are left out, variables are not replaced."""
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=_ComposeLoader)  # noqa: S506 - a SafeLoader
    kept = _without_resets(content)
    assert isinstance(kept, dict)
    return kept


def _without_resets(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_resets(item) for key, item in value.items() if item is not _RESET}
    if isinstance(value, list):
        return [_without_resets(item) for item in value]
    return value


def stages(dockerfile: Path) -> dict[str, str]:
    """The text of each named stage, from its FROM line on; the last stage is named ''."""
    found: dict[str, str] = {}
    for part in dockerfile.read_text(encoding="utf-8").split("\nFROM ")[1:]:
        first = part.splitlines()[0].split()
        name = first[2] if len(first) == 3 else ""
        # Up to the next stage's own comment.
        found[name] = "FROM " + part.strip()
    return found
