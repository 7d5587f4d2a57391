"""Pages of the person studying: events, one's own record and certificates; and the public check of a certificate."""

from examapp.records.routes import certificates, events, record
from examapp.records.routes.frame import blueprint

__all__ = ["blueprint", "certificates", "events", "record"]
