using Millrace.Stores.Cassandra.Schema;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>Rows carry their time to live; files of a day that is over go as a whole.</summary>
internal static class TelemetrySchema
{
    public static readonly Migration Telemetry = new("telemetry",
        """
        CREATE TABLE IF NOT EXISTS telemetry(shard int, bucket timestamp, device text, event_at timestamp, part int,
          log_offset bigint, enqueued_at timestamp, module_id text, content_type text, content_encoding text,
          message_id text, correlation_id text, user_id text, generation_id text,
          properties frozen<map<text, text>>, body blob,
          PRIMARY KEY((shard, bucket), device, event_at, part, log_offset))
          WITH CLUSTERING ORDER BY (device ASC, event_at DESC, part DESC, log_offset DESC)
          AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS',
            'compaction_window_size': 1} AND gc_grace_seconds = 86400
        """,
        """
        CREATE TABLE IF NOT EXISTS telemetry_latest(shard int, device text, value blob,
          PRIMARY KEY((shard), device)) WITH compaction = {'class': 'LeveledCompactionStrategy'}
        """,
        """
        CREATE TABLE IF NOT EXISTS telemetry_days(shard int, device text, day timestamp,
          PRIMARY KEY((shard), device, day))
        """,
        """
        CREATE TABLE IF NOT EXISTS telemetry_layouts(id int, from_at timestamp, width_ms bigint, shards int,
          PRIMARY KEY(id, from_at))
        """);

    public static readonly Migration Ends = new("ends of devices",
        "ALTER TABLE telemetry_latest ADD IF NOT EXISTS ended blob",
        "ALTER TABLE positions_of_devices ADD IF NOT EXISTS ended blob");

    public static readonly Migration Generations = new("latest values of generations",
        "ALTER TABLE telemetry_latest ADD IF NOT EXISTS by_generation map<text, blob>");
}
