using Microsoft.Extensions.Logging;
using Millrace.Primitives;

namespace Millrace.StreamProcessor.References;

/// <summary>
/// Reference data as this process read it last, for all queries that join with it. It is read again in the background
/// when somebody asks after the interval; what cannot be read leaves what was read before.
/// </summary>
internal sealed class SharedReference(
    string name, IReferenceSource source, TimeSpan interval, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan UnusedAfter = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private Task<IReadOnlyList<byte[]>>? _reading;
    private IReadOnlyList<byte[]>? _entries;
    private long _lookedAt;
    private long _readAt = time.GetTimestamp();
    private long _askedAt;
    private int _failures;

    public string Name => name;

    /// <summary>How old what queries are given is: since it was last found to be as it is.</summary>
    public TimeSpan Age => time.GetElapsedTime(Volatile.Read(ref _readAt));

    /// <summary>Whether some query joins with it.</summary>
    public bool IsUsed => _reading is not null && time.GetElapsedTime(Volatile.Read(ref _askedAt)) < UnusedAfter;

    /// <summary>
    /// What was read last; the same list as long as it has not changed. Null before the first time.
    /// </summary>
    public IReadOnlyList<byte[]>? Current
    {
        get
        {
            lock (_lock)
            {
                LookAgain();
                return _entries;
            }
        }
    }

    /// <summary>The same, once it was read at all; a source that cannot be read is an error SP-0010.</summary>
    public async Task<IReadOnlyList<byte[]>> FirstAsync(CancellationToken ct)
    {
        Task<IReadOnlyList<byte[]>> reading;
        lock (_lock)
        {
            if (_reading is { IsFaulted: true }) _reading = null;
            LookAgain();
            if (_entries is not null) return _entries;
            reading = _reading!;
        }

        return await reading.WaitAsync(ct);
    }

    private void LookAgain()
    {
        Volatile.Write(ref _askedAt, time.GetTimestamp());
        var isDue = _reading is null || (_reading.IsCompleted && time.GetElapsedTime(_lookedAt) >= interval);
        if (!isDue) return;
        _lookedAt = time.GetTimestamp();
        _reading = Task.Run(ReadAsync);
        // Whoever waits for it sees the error; without anybody it is in the log and counted.
        _ = _reading.ContinueWith(failed => failed.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    private async Task<IReadOnlyList<byte[]>> ReadAsync()
    {
        try
        {
            var read = await source.ReadAsync(CancellationToken.None);
            lock (_lock)
            {
                if (_entries is null || !IsSame(_entries, read)) _entries = read;
                Volatile.Write(ref _readAt, _lookedAt);
                if (_failures > 0) log.ReferenceReadAgain(name, _failures);
                _failures = 0;
                return _entries;
            }
        }
        catch (Exception e)
        {
            var cause = (e as MillraceException)?.Error.ToString() ?? e.Message;
            var error = StreamProcessorErrors.ReferenceUnreadable.With(name, cause);
            StreamProcessorMetrics.ReferencesFailed.Add(1, StreamProcessorMetrics.Reference(name));
            if (_failures++ == 0) log.ReferenceNotRead(name, error.ToString());
            if (_entries is { } before) return before;
            throw error.AsException(e);
        }
    }

    private static bool IsSame(IReadOnlyList<byte[]> a, IReadOnlyList<byte[]> b) => ReferenceEquals(a, b)
        || (a.Count == b.Count && a.Zip(b).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)));
}
