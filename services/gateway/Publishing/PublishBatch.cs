using Millrace.Contracts;

namespace Millrace.Gateway.Publishing;

/// <summary>Records of one partition that are appended together, and the connections that they came from.</summary>
internal sealed class PublishBatch
{
    private const int FirstBytes = 16 << 10;

    public PublishBatch() => Spans = new PublishSpans(Records);

    public RecordBatchBuilder Records { get; } = new(FirstBytes);

    /// <summary>The reads that brought them.</summary>
    public List<Participation> Participations { get; } = [];

    /// <summary>Whether any of these waits to hear that it is durable.</summary>
    public bool IsWaitedFor { get; private set; }

    public PublishSpans Spans { get; }

    public void Add(Participation participation)
    {
        Participations.Add(participation);
        IsWaitedFor |= participation.LastNumber >= 0;
    }

    public void Clear()
    {
        IsWaitedFor = false;
        Records.Clear();
        Participations.Clear();
        Spans.Clear();
    }
}

/// <summary>One read of one connection within a batch.</summary>
/// <param name="Owner">Null for what nobody waits for, such as a will.</param>
/// <param name="LastNumber">The number of its last publish that is to be acknowledged; -1 when there is none.</param>
/// <param name="TakenAt">A timestamp of the time provider.</param>
internal readonly record struct Participation(IPublishOwner? Owner, long LastNumber, long TakenAt);
