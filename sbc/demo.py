"""The demo's node: one for the Lab region, with a token in a file that the node process reads."""

from pathlib import Path
from typing import Any

from portal.core.audit import Actor
from portal.db import contexts
from sbc import services
from sbc.models import Node

NODE = "sbc-lab-1"


def seed(cast: Any) -> None:
    """Add the node once; where its token file is gone, give it another token."""
    if cast.directory is None:
        return
    by, file = Actor.system("demo"), Path(cast.directory) / "node.token"
    with contexts.public():
        node = Node.objects.filter(name=NODE).first()
        if node is not None and file.exists():
            return
        if node is None:
            token = services.add_node(Node(region=cast.region, name=NODE), by=by)[1]
        else:
            token = services.rotate_token(node, by=by)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(token + "\n")
    file.with_name("node.name").write_text(NODE + "\n")
