using Millrace.Stores.Cassandra.Schema;

namespace Millrace.Stores.Cassandra.Positions;

internal static class PositionSchema
{
    public static readonly Migration Positions = new("positions of devices",
        """
        CREATE TABLE IF NOT EXISTS positions_of_devices(shard int, device text, value blob,
          PRIMARY KEY((shard), device)) WITH compaction = {'class': 'LeveledCompactionStrategy'}
        """,
        """
        CREATE TABLE IF NOT EXISTS positions_by_area(area int, cell bigint, device text, value blob,
          PRIMARY KEY((area), cell, device)) WITH compaction = {'class': 'LeveledCompactionStrategy'}
          AND gc_grace_seconds = 86400
        """,
        "CREATE TABLE IF NOT EXISTS position_areas(id int, area int, PRIMARY KEY(id, area))");

    public static readonly Migration Moves = new("when devices moved",
        "ALTER TABLE positions_of_devices ADD IF NOT EXISTS moved_at timestamp");
}
