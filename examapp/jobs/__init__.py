"""Background work: the Celery application, the publisher, the job engine."""
