using System.Globalization;
using System.Text;

namespace Millrace.Contracts;

/// <summary>A telemetry record with its headers read: what the warm store, the archive and the live tail
/// keep.</summary>
public sealed record TelemetryMessage
{
    /// <summary>
    /// What a stored row has beside its device's id, its properties and its body, about: times, place and framing.
    /// </summary>
    public const int RowBytes = 80;

    /// <summary>How long before its enqueued time the time may lie that a message gives itself.</summary>
    public static readonly TimeSpan CreationPast = TimeSpan.FromDays(30);

    private static readonly TimeSpan CreationFuture = TimeSpan.FromMinutes(5);

    public required string DeviceId { get; init; }
    public required int Partition { get; init; }
    public required long Offset { get; init; }
    public required long EnqueuedAtMs { get; init; }

    /// <summary>
    /// The message's creation-time when it lies between enqueued - 30 days and enqueued + 5 minutes, else the
    /// enqueued time. Milliseconds since 1970 UTC.
    /// </summary>
    public required long EventAtMs { get; init; }
    public string? ModuleId { get; init; }
    public string? ContentType { get; init; }
    public string? ContentEncoding { get; init; }
    public string? MessageId { get; init; }
    public string? CorrelationId { get; init; }
    public string? UserId { get; init; }
    public string? GenerationId { get; init; }

    /// <summary>Application properties, without their prefix, in the order of the record.</summary>
    public required IReadOnlyDictionary<string, string> Properties { get; init; }
    public required byte[] Body { get; init; }

    /// <summary>
    /// Reads a record of the telemetry topic. False when it has no key, and so no device, or a time that cannot be.
    /// </summary>
    public static bool TryRead(int partition, RecordView record, out TelemetryMessage? message)
    {
        message = null;
        if (!record.HasKey || !RecordDefects.IsTime(record.TimestampMs)) return false;
        var properties = new Dictionary<string, string>();
        var known = new Dictionary<string, string>();
        foreach (var header in record.Headers)
        {
            if (header.Name.StartsWith(TelemetryHeaders.ApplicationPrefix))
            {
                var name = Text(header.Name[TelemetryHeaders.ApplicationPrefix.Length..]);
                properties[name] = Text(header.Value);
            }
            else known[Text(header.Name)] = Text(header.Value);
        }

        message = new TelemetryMessage
        {
            DeviceId = Text(record.Key),
            Partition = partition,
            Offset = record.Offset,
            EnqueuedAtMs = record.TimestampMs,
            EventAtMs = EventAt(record.TimestampMs, known.GetValueOrDefault("creation-time")),
            ModuleId = known.GetValueOrDefault("module-id"),
            ContentType = known.GetValueOrDefault("content-type"),
            ContentEncoding = known.GetValueOrDefault("content-encoding"),
            MessageId = known.GetValueOrDefault("message-id"),
            CorrelationId = known.GetValueOrDefault("correlation-id"),
            UserId = known.GetValueOrDefault("user-id"),
            GenerationId = known.GetValueOrDefault("generation-id"),
            Properties = properties,
            Body = record.Value.ToArray(),
        };
        return true;
    }

    /// <summary>The rule by which a message's event time is chosen; text that is no time counts as absent.</summary>
    public static long EventAt(long enqueuedAtMs, string? creationTime)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (!DateTimeOffset.TryParse(creationTime, CultureInfo.InvariantCulture, utc, out var created))
            return enqueuedAtMs;
        return PlausibleOrEnqueued(enqueuedAtMs, created.ToUnixTimeMilliseconds());
    }

    internal static long PlausibleOrEnqueued(long enqueuedAtMs, long createdMs)
    {
        var aheadMs = createdMs - enqueuedAtMs;
        var plausible = aheadMs >= -CreationPast.TotalMilliseconds && aheadMs <= CreationFuture.TotalMilliseconds;
        return plausible ? createdMs : enqueuedAtMs;
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);
}
