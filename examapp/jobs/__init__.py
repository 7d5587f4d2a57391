"""Background work: the Celery application, the publisher, columns of job tables."""
