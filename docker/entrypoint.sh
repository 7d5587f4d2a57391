#!/bin/sh
# Become one part of the platform: migrate | web | worker QUEUE | beat | sweeper | flask COMMAND…
# Used by the image and, with the same words, by the systemd units.
set -eu
part=${1:-web}
[ $# -eq 0 ] || shift
[ ! -d .venv/bin ] || PATH="$PWD/.venv/bin:$PATH"
celery="celery --app examapp.celery_app:celery"

case "$part" in
  migrate)
    exec flask --app wsgi db upgrade
    ;;
  web)
    flask --app wsgi check-start
    exec granian --interface wsgi --host "${HOST:-127.0.0.1}" --port "${PORT:-8000}" --workers "${WEB_WORKERS:-2}" \
      --blocking-threads "${WEB_THREADS:-64}" --backpressure 512 --no-ws --respawn-failed-workers --respawn-interval 15 \
      --workers-kill-timeout 10 --log-level warning wsgi:app
    ;;
  worker)
    flask --app wsgi check-start
    exec $celery worker --loglevel WARNING --without-gossip --without-mingle --without-heartbeat \
      --queues "$1" --concurrency "${WORKER_CONCURRENCY:-1}" --hostname "$1@%h"
    ;;
  beat)
    flask --app wsgi check-start
    exec $celery beat --loglevel WARNING --schedule "${DATA_DIR:-.data}/beat-schedule" --pidfile=
    ;;
  sweeper)
    flask --app wsgi check-start
    exec flask --app wsgi sweep
    ;;
  flask)
    exec flask --app wsgi "$@"
    ;;
  *)
    echo "未知的部分：$part。可用：migrate、web、worker 队列名、beat、sweeper、flask 命令。" >&2
    exit 64
    ;;
esac
