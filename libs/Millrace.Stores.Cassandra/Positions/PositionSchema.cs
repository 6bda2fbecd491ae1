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

    /// <summary>
    /// A device that moves leaves a tombstone, which searches of the area read until it goes. An entry that comes back
    /// because a node missed its removal does no harm, for it leads to the device's own row: so a tombstone need not
    /// wait for a repair, and files with some of them are compacted for that alone.
    /// </summary>
    public static readonly Migration Tombstones = new("tombstones of entries",
        """
        ALTER TABLE positions_by_area WITH gc_grace_seconds = 600 AND compaction = {
          'class': 'LeveledCompactionStrategy', 'unchecked_tombstone_compaction': 'true',
          'tombstone_threshold': '0.05', 'tombstone_compaction_interval': '600'}
        """)
    {
        AtFinalise = true,
    };

    public static readonly Migration Generations = new("positions of generations",
        "ALTER TABLE positions_of_devices ADD IF NOT EXISTS by_generation map<text, frozen<tuple<blob, timestamp>>>",
        "ALTER TABLE positions_by_area ADD IF NOT EXISTS by_generation map<text, blob>");
}
