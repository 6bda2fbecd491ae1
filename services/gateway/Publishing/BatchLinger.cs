using Microsoft.Extensions.Options;

namespace Millrace.Gateway.Publishing;

/// <summary>
/// Calls partitions a while after they have asked, all with one timer: batches that nobody waits for stay open so long,
/// and share a write with what comes meanwhile. Where the timer is late, what comes next does not wait for it.
/// </summary>
internal sealed class BatchLinger : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private List<PartitionPublisher> _asked = [];
    private List<PartitionPublisher> _called = [];
    private bool _isSet;

    public BatchLinger(IOptions<GatewayOptions> options, TimeProvider time)
    {
        Most = options.Value.LingerMax;
        BytesMax = Most > TimeSpan.Zero ? options.Value.LingerBytesMax.Bytes : 0;
        _timer = time.CreateTimer(_ => CallAll(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A batch that is older does not stay open.</summary>
    public TimeSpan Most { get; }

    /// <summary>A batch of so many bytes does not stay open.</summary>
    public long BytesMax { get; }

    /// <summary>Calls the partition in a while. It may be locked by who asks.</summary>
    public void Ask(PartitionPublisher partition)
    {
        lock (_gate)
        {
            _asked.Add(partition);
            Set();
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>One call at a time: the timer is set anew when all of this one were called.</summary>
    private void CallAll()
    {
        lock (_gate) (_asked, _called) = (_called, _asked);
        foreach (var partition in _called) partition.OnLingered();
        _called.Clear();
        lock (_gate)
        {
            _isSet = false;
            if (_asked.Count > 0) Set();
        }
    }

    private void Set()
    {
        if (!_isSet) _timer.Change(Most, Timeout.InfiniteTimeSpan);
        _isSet = true;
    }
}
