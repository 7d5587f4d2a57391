#!/bin/sh
# Write a base backup into FOLDER/base and drop what is older than KEEP_DAYS; together with the archived WAL in FOLDER/wal
# it can be restored to any minute since (docs/operations.md, 第五节).
# Docker: docker compose -f docker/compose.yml exec -T -u postgres postgres sh -s /backup < docker/backup.sh
set -eu
folder=${1:?usage: backup.sh FOLDER}
keep_days=${KEEP_DAYS:-14}
user=${PGUSER:-${POSTGRES_USER:-postgres}}
name=$(date +%Y%m%d-%H%M%S)
mkdir -p "$folder/base" "$folder/wal"
# The checklist shows a backup that failed.
trap '[ $? -eq 0 ] || touch "$folder/failed"' EXIT
pg_basebackup --username "$user" --pgdata "$folder/base/$name.part" --format tar --gzip --wal-method stream --checkpoint fast
mv "$folder/base/$name.part" "$folder/base/$name"
find "$folder/base" -mindepth 1 -maxdepth 1 -mtime "+$keep_days" -exec rm -rf {} +
find "$folder/wal" -type f -mtime "+$((keep_days + 1))" -delete
echo "备份完成：$folder/base/$name"
