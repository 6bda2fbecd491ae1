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
        TelemetrySchema.Telemetry,
        PositionSchema.Positions,
    ];
}
