"""Pages of the frame by path: home, set-up, health, and the pages of messages for everybody."""

from examapp.admin.routes.health import blueprint as health_blueprint
from examapp.admin.routes.home import blueprint
from examapp.admin.routes.messages import blueprint as messages_blueprint
from examapp.admin.routes.reporting import blueprint as reporting_blueprint
from examapp.admin.routes.setup import blueprint as setup_blueprint

__all__ = ["blueprint", "health_blueprint", "messages_blueprint", "reporting_blueprint", "setup_blueprint"]
