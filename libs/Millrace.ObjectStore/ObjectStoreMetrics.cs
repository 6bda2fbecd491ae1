using System.Diagnostics.Metrics;

namespace Millrace.ObjectStore;

/// <summary>What object stores count.</summary>
internal sealed class ObjectStoreMetrics
{
    private readonly Counter<long> _writes;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _reads;
    private readonly Counter<long> _readBytes;
    private readonly Counter<long> _taken;
    private readonly Counter<long> _failures;

    public ObjectStoreMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Millrace.ObjectStore");
        _writes = meter.CreateCounter<long>("millrace.objectstore.writes");
        _bytes = meter.CreateCounter<long>("millrace.objectstore.written", "By");
        _reads = meter.CreateCounter<long>("millrace.objectstore.reads");
        _readBytes = meter.CreateCounter<long>("millrace.objectstore.read", "By");
        _taken = meter.CreateCounter<long>("millrace.objectstore.puts.taken");
        _failures = meter.CreateCounter<long>("millrace.objectstore.failures");
    }

    public void Written(long bytes)
    {
        _writes.Add(1);
        _bytes.Add(bytes);
    }

    /// <summary>An object or a range of one, from a store that is not in this machine's files.</summary>
    public void Read(long bytes)
    {
        _reads.Add(1);
        _readBytes.Add(bytes);
    }

    /// <summary>A put-if-absent whose key was taken.</summary>
    public void Taken() => _taken.Add(1);

    public void Failed() => _failures.Add(1, new KeyValuePair<string, object?>("reason", "io"));
}
