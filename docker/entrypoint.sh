#!/bin/sh
# Become one part of the platform: migrate | web | worker QUEUE | beat | sweeper | flask COMMAND… | owner COMMAND…
# Used by the image and, with the same words, by the systemd units.
set -eu
part=${1:-web}
[ $# -eq 0 ] || shift
[ ! -d .venv/bin ] || PATH="$PWD/.venv/bin:$PATH"
# A part that hangs is ended, so that whoever runs this starts it anew; the file is also what compose looks at.
watched="python -m examapp.ops.child_processes /tmp/examapp-$part.alive 120"
celery="celery --app examapp.celery_app:celery"

case "$part" in
  migrate)
    # With OWNER_DATABASE_URL the tables belong to another account than the program's, which then cannot change the audit log.
    [ -n "${OWNER_DATABASE_URL:-}" ] || exec flask --app wsgi db upgrade
    PROGRAM_DATABASE_URL=$DATABASE_URL
    DATABASE_URL=$OWNER_DATABASE_URL
    export DATABASE_URL PROGRAM_DATABASE_URL
    flask --app wsgi db upgrade
    exec flask --app wsgi audit restrict
    ;;
  web)
    flask --app wsgi check-start
    exec python -m examapp.ops.web_server wsgi:app
    ;;
  worker)
    flask --app wsgi check-start
    exec $watched $celery worker --loglevel WARNING --without-gossip --without-mingle --without-heartbeat \
      --queues "$1" --concurrency "${WORKER_CONCURRENCY:-1}" --hostname "$1@%h"
    ;;
  beat)
    flask --app wsgi check-start
    exec $watched $celery beat --loglevel WARNING --schedule "${DATA_DIR:-.data}/beat-schedule" --pidfile=
    ;;
  sweeper)
    flask --app wsgi check-start
    exec $watched flask --app wsgi sweep
    ;;
  owner)
    # What the program's own account may not do: audit archive --drop, backup, restore.
    DATABASE_URL=${OWNER_DATABASE_URL:?请在有 OWNER_DATABASE_URL 的环境中执行（Docker：migrate 服务）}
    export DATABASE_URL
    exec flask --app wsgi "$@"
    ;;
  flask)
    exec flask --app wsgi "$@"
    ;;
  *)
    echo "未知的部分：$part。可用：migrate、web、worker 队列名、beat、sweeper、flask 命令、owner 命令。" >&2
    exit 64
    ;;
esac
