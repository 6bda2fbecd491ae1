using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>Says why no sink takes a record, before anything of it counts.</summary>
internal static class RecordRefusal
{
    /// <param name="latestMs">The latest time that is believed.</param>
    public static Error? Of(RecordView record, long latestMs) => RecordDefects.Find(record, latestMs) switch
    {
        RecordDefect.Time => OfTime(record.TimestampMs),
        RecordDefect.HeadersCut => StreamProcessorErrors.HeadersCut.With(null),
        _ => null,
    };

    /// <summary>The same of telemetry, which is of a device.</summary>
    public static Error? OfTelemetry(RecordView record, long latestMs) =>
        record.HasKey ? Of(record, latestMs) : StreamProcessorErrors.NoDevice.With(null);

    /// <summary>The same of a query's row, which has a time of its own.</summary>
    public static Error? OfRow(RecordView record, long latestMs)
    {
        if (Of(record, latestMs) is { } refusal) return refusal;
        var atMs = OutputRecord.Of(record).AtMs;
        return RecordDefects.IsTime(atMs) && atMs <= latestMs ? null : OfTime(atMs);
    }

    public static DeadLetter Letter(TopicPartition partition, RecordView record, Error error, DateTimeOffset at) =>
        DeadLetter.Of(record, partition, DeadLetterStages.WarmWriter, error.Code, error.ToString(), at);

    private static Error OfTime(long timestampMs) =>
        StreamProcessorErrors.TimeRefused.With($"{timestampMs} ms after 1970");
}
