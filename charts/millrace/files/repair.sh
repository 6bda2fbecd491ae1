# Repairs this node's own part of KEYSPACE every REPAIR_DAYS, or again in an hour when that fails. Nodes begin at different
# times of the first of them (HOSTNAME ends in the node's number, of REPLICAS), so that they come one after the other. STAMP
# outlives the pod.
trap 'exit 0' TERM
every=$((REPAIR_DAYS * 86400))
[ -f "$STAMP" ] || echo $(($(date +%s) - every + every * (${HOSTNAME##*-} + 1) / REPLICAS)) > "$STAMP"
while true; do
  now=$(date +%s)
  if [ "$now" -ge $(($(cat "$STAMP") + every)) ]; then
    nodetool repair -full -pr "$KEYSPACE" &
    if wait $!; then
      date +%s > "$STAMP"
      echo "Repaired $KEYSPACE in $(($(date +%s) - now)) s; again in $REPAIR_DAYS days"
    else
      echo $((now - every + 3600)) > "$STAMP"
      echo "The repair of $KEYSPACE failed; again in an hour" >&2
    fi
  fi
  sleep "${PAUSE:-60}" &
  wait $!
done
