using Millrace.Stores.Cassandra.Alerts;
using Millrace.Stores.Cassandra.Audit;
using Millrace.Stores.Cassandra.DeadLetters;
using Millrace.Stores.Cassandra.Identities;
using Millrace.Stores.Cassandra.Jobs;
using Millrace.Stores.Cassandra.Lists;
using Millrace.Stores.Cassandra.Outputs;
using Millrace.Stores.Cassandra.Positions;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Schema;

/// <summary>The numbered steps of the schema. One that was released is never changed.</summary>
internal static class Migrations
{
    public static readonly Migration[] All =
    [
        new("positions", """
        CREATE TABLE IF NOT EXISTS positions(sink text, topic text, part int, next_offset bigint, metadata text,
          PRIMARY KEY((sink, topic, part)))
        """),
        new("alerts", [.. TimeLists.Tables(CassandraAlertStore.Table, window: 7),
            RowPlaces.Table(CassandraAlertStore.Table)]),
        new("outputs", [.. TimeLists.Tables(CassandraOutputStore.Table, window: 1),
            RowPlaces.Table(CassandraOutputStore.Table)]),
        new("audit", TimeLists.Tables(CassandraAuditStore.Table, window: 30)),
        new("dead letters", [.. TimeLists.Tables(CassandraDeadLetterStore.Table, window: 30), """
        CREATE TABLE IF NOT EXISTS dead_letters(id text PRIMARY KEY, letter text, failed_at bigint,
          written_at timestamp, state int, replays int, state_at timestamp)
        """]),
        new("device states", """
        CREATE TABLE IF NOT EXISTS device_states(device text PRIMARY KEY, connection text, connected boolean,
          connected_at timestamp, disconnected_at timestamp, reason text, last_seen_at timestamp)
        """, "CREATE TABLE IF NOT EXISTS connected_devices(shard int, device text, PRIMARY KEY(shard, device))"),
        new("tokens", """
        CREATE TABLE IF NOT EXISTS tokens(hub text, id text, name text, sha256 text, scopes text,
          created_at timestamp, expires_at timestamp, PRIMARY KEY(hub, id))
        """, "CREATE TABLE IF NOT EXISTS tokens_by_hash(sha256 text PRIMARY KEY, id text)"),
        new("bridges", """
        CREATE TABLE IF NOT EXISTS bridge_sessions(name text, client text, session text, PRIMARY KEY((name, client)))
        """, """
        CREATE TABLE IF NOT EXISTS bridge_statuses(hub text, name text, client text, status text,
          PRIMARY KEY(hub, name, client))
        """),
        new("queries", """
        CREATE TABLE IF NOT EXISTS queries(hub text, name text, version int, last_version int, state int, config text,
          PRIMARY KEY(hub, name))
        """, """
        CREATE TABLE IF NOT EXISTS query_starts(name text, version int, offsets text, PRIMARY KEY(name, version))
        """, """
        CREATE TABLE IF NOT EXISTS query_statuses(name text, node text, status text, PRIMARY KEY(name, node))
        """),
        new("checkpoints", """
        CREATE TABLE IF NOT EXISTS checkpoints(query text, version int, part int, epoch bigint static,
          mark_sequence bigint static, saved_epoch bigint static, slot int static, chunks int static,
          stamp uuid static, offsets text static, saved_at timestamp static, id bigint, topic text, input_part int,
          log_offset bigint, arrival bigint, number int, letter_id text, letter blob, covered boolean,
          PRIMARY KEY((query, version, part), id))
        """, """
        CREATE TABLE IF NOT EXISTS checkpoint_states(query text, version int, part int, epoch bigint, slot int,
          chunk int, stamp uuid, bytes blob, PRIMARY KEY((query, version, part, epoch, slot), chunk))
        """, """
        CREATE TABLE IF NOT EXISTS checkpoint_parts(query text, version int, part int,
          PRIMARY KEY((query, version), part))
        """),
        new("identities", """
        CREATE TABLE IF NOT EXISTS identities(shard int, device text, generation text, status int, status_reason text,
          authentication int, primary_key blob, secondary_key blob, primary_thumbprint text,
          secondary_thumbprint text, tags text, created_at timestamp, updated_at timestamp, version bigint,
          PRIMARY KEY(shard, device))
        """, "CREATE TABLE IF NOT EXISTS device_keys(hub text PRIMARY KEY, fingerprint text)"),
        new("retained messages", """
        CREATE TABLE IF NOT EXISTS retained(space text, topic blob, version bigint static, messages bigint static,
          total_bytes bigint static, qos int, bytes bigint, retained_at timestamp, expires_at timestamp,
          properties blob, payload blob, PRIMARY KEY(space, topic))
        """, "CREATE TABLE IF NOT EXISTS retained_spaces(hub text, space text, PRIMARY KEY(hub, space))"),
        new("sessions", """
        CREATE TABLE IF NOT EXISTS sessions(device text, version uuid static, last_epoch bigint static, kind int,
          client text, number bigint, data text, topic text, qos int, retain boolean, subscription_ids text,
          properties blob, payload blob, expires_at timestamp, bytes int, received boolean,
          PRIMARY KEY(device, kind, client, number))
        """, """
        CREATE TABLE IF NOT EXISTS session_devices(shard int, device text, PRIMARY KEY(shard, device))
        """, """
        CREATE TABLE IF NOT EXISTS session_due(kind int, shard int, due_at bigint, device text, client text,
          epoch bigint, PRIMARY KEY((kind, shard), due_at, device, client, epoch)) WITH gc_grace_seconds = 600
        """, """
        CREATE TABLE IF NOT EXISTS session_connections(node text, device text, epoch bigint,
          PRIMARY KEY(node, device, epoch)) WITH gc_grace_seconds = 600
        """, """
        CREATE TABLE IF NOT EXISTS session_nodes(hub text, node text, heard_at timestamp, PRIMARY KEY(hub, node))
        """, "CREATE TABLE IF NOT EXISTS session_epoch(hub text PRIMARY KEY, epoch bigint)"),
        TelemetrySchema.Telemetry,
        PositionSchema.Positions,
        CassandraJobStore.Tables,
        new("runs of nodes",
            "CREATE TABLE IF NOT EXISTS node_runs(hub text, run text, node text, PRIMARY KEY(hub, run))"),
        new("connections that are open", "ALTER TABLE connected_devices ADD IF NOT EXISTS connection text"),
        TelemetrySchema.Ends,
        // The tables stay: what is new stands in topics, and is written when no older version reads them any more.
        new("rows by several keys"),
        new("where due sessions begin", "CREATE TABLE IF NOT EXISTS session_due_from(kind int, shard int, "
            + "due_at bigint, PRIMARY KEY(kind, shard))"),
        CassandraIdentityStore.EndsDue,
        new("letters that are to be replayed", AskedLetters.Table),
        PositionSchema.Moves,
        PositionSchema.Tombstones,
        TelemetrySchema.Generations,
        PositionSchema.Generations,
        new("what sessions leave to others", "ALTER TABLE sessions ADD IF NOT EXISTS share text"),
    ];

    public static int NumberOf(Migration step) => Array.IndexOf(All, step) + 1;
}
