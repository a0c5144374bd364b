"""The Celery application: tasks run in the database context that they were sent from."""

from celery import Celery

app = Celery("strowger", task_cls="portal.core.task_context:ContextTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()
