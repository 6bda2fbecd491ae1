using System.Diagnostics;
using System.Text;
using Millrace.Contracts;
using Millrace.Contracts.Tracing;

namespace Millrace.Gateway.Publishing;

/// <summary>
/// The spans of one batch's traced records. A record's begins before it is encoded to the end, so that the record
/// carries it on; it ends when the log has the batch. While nobody exports spans there is none.
/// </summary>
internal sealed class PublishSpans
{
    private readonly List<(Activity Span, int Index)> _spans = [];
    private readonly RecordBatchBuilder _records;
    private readonly Action _begin;
    private DateTimeOffset _appendedAt;

    public PublishSpans(RecordBatchBuilder records) => (_records, _begin) = (records, Begin);

    private static ReadOnlySpan<byte> NotSampled => "00"u8;

    /// <summary>Whether to look at the records that are encoded from now on.</summary>
    public void Watch(bool isOn) => _records.Ending = isOn ? _begin : null;

    /// <summary>The log is being given the batch.</summary>
    public void Append(TimeProvider time)
    {
        if (_spans.Count > 0) _appendedAt = time.GetUtcNow();
    }

    public void Durable(TopicPartition partition, long firstOffset)
    {
        foreach (var (span, index) in _spans)
        {
            MessageSpans.Place(span, partition, firstOffset + index);
            var append = MessageSpans.Start("append telemetry", ActivityKind.Producer, span.Context, _appendedAt);
            if (append is not null) MessageSpans.End(append);
            MessageSpans.End(span);
        }

        _spans.Clear();
    }

    /// <summary>The batch is dropped, and nothing of it acknowledged.</summary>
    public void Fail()
    {
        foreach (var (span, _) in _spans)
        {
            span.SetStatus(ActivityStatusCode.Error, GatewayErrors.LogUnavailable.Code);
            MessageSpans.End(span);
        }

        _spans.Clear();
    }

    public void Clear() => _spans.Clear();

    /// <summary>Of a header that is there twice the last counts; what a device sent names the parent.</summary>
    private void Begin()
    {
        ActivityContext parent = default;
        var isSent = _records.TryGetHeader(TelemetryHeaders.TraceParent, out var sent)
            && MessageSpans.TryParse(sent, out parent);
        Span<byte> header = stackalloc byte[MessageSpans.ParentBytes];
        if (MessageSpans.Start("publish telemetry", ActivityKind.Server, parent) is { } span)
        {
            Encoding.ASCII.GetBytes(span.Id, header);
            _spans.Add((span, _records.Count));
        }
        else if (isSent && parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded))
        {
            // More than may be traced: nobody behind may take it for one that is.
            sent[..^NotSampled.Length].CopyTo(header);
            NotSampled.CopyTo(header[^NotSampled.Length..]);
        }
        else
        {
            return;
        }

        _records.AddHeader(TelemetryHeaders.TraceParent, header);
    }
}
