from sbc.models.certificate import Certificate, NodeCertificate
from sbc.models.counts import HourCount, OrphanEnd
from sbc.models.node import Alarm, Node, Spool
from sbc.models.quarantine import QuarantinedRecord
from sbc.models.rollout import Deployment, Drift, Revision

__all__ = [
    "Alarm",
    "Certificate",
    "Deployment",
    "Drift",
    "HourCount",
    "Node",
    "NodeCertificate",
    "OrphanEnd",
    "QuarantinedRecord",
    "Revision",
    "Spool",
]
