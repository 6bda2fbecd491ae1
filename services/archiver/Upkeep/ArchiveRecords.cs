using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Millrace.Contracts;
using Millrace.Delta;

namespace Millrace.Archiver.Upkeep;

/// <summary>
/// What the table itself records of rows that were taken out: positions (<c>txn</c> actions), which move in the same
/// commit as the rows go, and which checkpoints keep.
/// </summary>
internal static class ArchiveRecords
{
    private const string BegunPrefix = "erasing/";
    private const string DonePrefix = "erased/";

    /// <summary>A device as records name it: one who knows the id finds it, and nobody else learns it.</summary>
    public static string HashOf(ReadOnlySpan<byte> deviceId) => Convert.ToHexStringLower(SHA256.HashData(deviceId));

    public static string HashOf(string deviceId) => HashOf(Encoding.UTF8.GetBytes(deviceId));

    /// <summary>Rows of the device in this log partition may be gone up to its position.</summary>
    public static string Begun(string hash, int partition) =>
        string.Create(CultureInfo.InvariantCulture, $"{BegunPrefix}{hash}/{partition}");

    /// <summary>Rows of the device in this log partition are gone up to its position.</summary>
    public static string Done(string hash, int partition) =>
        string.Create(CultureInfo.InvariantCulture, $"{DonePrefix}{hash}/{partition}");

    /// <summary>How far the table has come, by partition of its topic.</summary>
    public static Dictionary<int, long> PositionsIn(DeltaSnapshot snapshot)
    {
        var positions = new Dictionary<int, long>();
        foreach (var (appId, at) in snapshot.Transactions)
        {
            var slash = appId.LastIndexOf('/');
            if (slash < 0 || !IsTopic(appId[..slash])) continue;
            if (int.TryParse(appId.AsSpan(slash + 1), CultureInfo.InvariantCulture, out var partition))
                positions[partition] = at.Version;
        }

        return positions;

        static bool IsTopic(string name) => name == Topics.Telemetry
            || (name.StartsWith(Topics.OutputPrefix, StringComparison.Ordinal) && !name.Contains('/'));
    }

    /// <summary>The devices of which rows of the partition were erased, and up to which offset.</summary>
    public static Dictionary<string, (long Begun, long Done)> ErasedIn(DeltaSnapshot snapshot, int partition)
    {
        var suffix = string.Create(CultureInfo.InvariantCulture, $"/{partition}");
        var erased = new Dictionary<string, (long Begun, long Done)>();
        foreach (var (appId, at) in snapshot.Transactions)
        {
            if (!appId.EndsWith(suffix, StringComparison.Ordinal)) continue;
            if (appId.StartsWith(BegunPrefix, StringComparison.Ordinal))
            {
                var hash = appId[BegunPrefix.Length..^suffix.Length];
                erased[hash] = (Math.Max(at.Version, erased.GetValueOrDefault(hash).Begun),
                    erased.GetValueOrDefault(hash).Done);
            }
            else if (appId.StartsWith(DonePrefix, StringComparison.Ordinal))
            {
                var hash = appId[DonePrefix.Length..^suffix.Length];
                erased[hash] = (Math.Max(at.Version, erased.GetValueOrDefault(hash).Begun), at.Version);
            }
        }

        return erased;
    }

    /// <summary>Up to where rows of the device may be gone, and are gone, in one partition.</summary>
    public static IReadOnlyList<PositionSeen> OfDevice(DeltaSnapshot snapshot, ReadOnlySpan<byte> device, int partition)
    {
        var hash = HashOf(device);
        string[] names = [Begun(hash, partition), Done(hash, partition)];
        return [.. names.Select(name => new PositionSeen(name, snapshot.PositionOf(name)))];
    }

    /// <summary>The records of one device's erasure, by log partition: how far it began, and is done.</summary>
    public static List<ErasureRecord> ErasuresOf(DeltaSnapshot snapshot, string hash)
    {
        var found = new SortedDictionary<int, ErasureRecord>();
        foreach (var (appId, at) in snapshot.Transactions)
        {
            var isDone = appId.StartsWith($"{DonePrefix}{hash}/", StringComparison.Ordinal);
            if (!isDone && !appId.StartsWith($"{BegunPrefix}{hash}/", StringComparison.Ordinal)) continue;
            var partition = int.Parse(appId.AsSpan(appId.LastIndexOf('/') + 1), CultureInfo.InvariantCulture);
            var known = found.GetValueOrDefault(partition, new ErasureRecord(partition, null, null, default));
            var movedAt = DateTimeOffset.FromUnixTimeMilliseconds(at.LastUpdatedMs);
            known = known with { At = movedAt > known.At ? movedAt : known.At };
            found[partition] = isDone ? known with { Done = at.Version } : known with { Begun = at.Version };
        }

        return [.. found.Values];
    }

    /// <summary>When the last erasure was done, of those that were by then; null when none was.</summary>
    public static DateTimeOffset? LastErasedAt(DeltaSnapshot snapshot, DateTimeOffset byThen)
    {
        var done = snapshot.Transactions
            .Where(pair => pair.Key.StartsWith(DonePrefix, StringComparison.Ordinal))
            .Select(pair => DateTimeOffset.FromUnixTimeMilliseconds(pair.Value.LastUpdatedMs))
            .Where(at => at <= byThen).ToList();
        return done.Count == 0 ? null : done.Max();
    }

    /// <summary>The commit of a step of an erasure.</summary>
    /// <param name="state">begun or done.</param>
    /// <param name="rows">That are gone with it.</param>
    public static DeltaCommit ErasureCommit(
        string hash, string state, long rows, IReadOnlyList<PositionMove> moves, DateTimeOffset at) => new()
        {
            Id = Guid.NewGuid().ToString(),
            Operation = "DELETE",
            Details = new Dictionary<string, string>
            {
                ["reason"] = "erasure",
                ["state"] = state,
                ["device"] = hash,
                ["rows"] = rows.ToString(CultureInfo.InvariantCulture),
            },
            Moves = moves,
            FilesWrittenAt = at,
        };
}

/// <summary>What a table says of the erasure of a device's rows of one log partition.</summary>
/// <param name="Begun">Rows before this offset may be gone; null when it does not say so.</param>
/// <param name="Done">Rows before this offset are gone; null when it does not say so.</param>
/// <param name="At">When it last said something of it.</param>
internal sealed record ErasureRecord(int LogPartition, long? Begun, long? Done, DateTimeOffset At);
