using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Millrace.Contracts.Tracing;

/// <summary>
/// Spans of single messages on their way through the platform. The header <c>traceparent</c> of a record (W3C Trace
/// Context) says whether it is traced, and names the gateway's span, or that of another producer. While nobody exports
/// spans, <see cref="AreOn"/> is false, and whoever asks it first pays nothing else.
/// </summary>
public static class MessageSpans
{
    /// <summary>The name of the source, for whoever exports.</summary>
    public const string SourceName = "Millrace.Messages";

    /// <summary>Bytes of a traceparent of version 00.</summary>
    public const int ParentBytes = 55;

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Whether anybody exports spans.</summary>
    public static bool AreOn => Source.HasListeners();

    /// <summary>Reads a traceparent header; false when it is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> traceParent, out ActivityContext context)
    {
        context = default;
        return traceParent.Length == ParentBytes
            && ActivityContext.TryParse(Encoding.Latin1.GetString(traceParent), null, isRemote: true, out context);
    }

    /// <summary>Starts a span that is not the current one of this thread; null when it is not sampled.</summary>
    public static Activity? Start(
        string name, ActivityKind kind, ActivityContext parent, DateTimeOffset startedAt = default)
    {
        var current = Activity.Current;
        Activity.Current = null;
        try
        {
            return Source.StartActivity(kind, parent, startTime: startedAt, name: name);
        }
        finally
        {
            Activity.Current = current;
        }
    }

    /// <summary>Ends a span of <see cref="Start"/>, whatever this thread's current one is.</summary>
    public static void End(Activity span)
    {
        var current = Activity.Current;
        span.Dispose();
        Activity.Current = current;
    }

    /// <summary>Tells of a stage that these records went through since <paramref name="startedAt"/>.</summary>
    public static void Passed(string stage, RecordBatch batch, DateTimeOffset startedAt)
    {
        foreach (var record in batch)
        {
            if (TracedRecord.TryRead(batch.Partition, record, out var traced)) Passed(stage, traced, startedAt);
        }
    }

    /// <summary>Tells of a stage that this record went through since <paramref name="startedAt"/>.</summary>
    public static void Passed(string stage, TracedRecord record, DateTimeOffset startedAt)
    {
        if (Start(stage, ActivityKind.Consumer, record.Parent, startedAt) is not { } span) return;
        Place(span, record.Partition, record.Offset);
        End(span);
    }

    /// <summary>Says where in the log the record of a span lies, by OpenTelemetry's names.</summary>
    public static void Place(Activity span, TopicPartition partition, long offset)
    {
        span.SetTag("messaging.destination.name", partition.Topic);
        span.SetTag(
            "messaging.destination.partition.id", partition.Partition.ToString(CultureInfo.InvariantCulture));
        span.SetTag("messaging.kafka.offset", offset);
    }
}
