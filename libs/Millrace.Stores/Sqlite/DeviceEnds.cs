namespace Millrace.Stores.Sqlite;

/// <summary>
/// The devices that were deleted, by their numbers. They are looked at in the transaction that writes, so that what
/// comes late finds that its device is gone, whichever of the two is first.
/// </summary>
internal static class DeviceEnds
{
    private const string Upsert =
        "INSERT INTO device_ends SELECT id, ?2, ?3 FROM devices WHERE name = ?1 " +
        "ON CONFLICT(device) DO UPDATE SET generation = excluded.generation, at = excluded.at " +
        "WHERE excluded.at >= device_ends.at";

    /// <summary>Whether a message was sent by a device of this number that was not deleted since.</summary>
    public static string IsNone(string device, string enqueuedAt, string generation) =>
        $"NOT EXISTS (SELECT 1 FROM device_ends e WHERE e.device = {device} " +
        $"AND ({enqueuedAt} <= e.at OR {generation} = e.generation))";

    public static void Keep(SqliteSession session, DeviceEnd end)
    {
        session.Run("INSERT INTO devices(name) VALUES(?1) ON CONFLICT DO NOTHING", end.DeviceId);
        session.Run(Upsert, end.DeviceId, GenerationOf(end), end.AtMs);
    }

    public static string? GenerationOf(DeviceEnd end) => end.GenerationId is { Length: > 0 } ? end.GenerationId : null;
}
