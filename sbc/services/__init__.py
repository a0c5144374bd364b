from sbc.services.compiling import compile_revision, compile_revisions, recompile
from sbc.services.nodes import add_node, disable_node, enable_node, expire_nodes, rotate_token
from sbc.services.receipts import acked, approve, held_back, refused, try_again
from sbc.services.sending import revisions_for

__all__ = [
    "acked",
    "add_node",
    "approve",
    "compile_revision",
    "compile_revisions",
    "disable_node",
    "enable_node",
    "expire_nodes",
    "held_back",
    "recompile",
    "refused",
    "revisions_for",
    "rotate_token",
    "try_again",
]
