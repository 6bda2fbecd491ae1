using Millrace.Contracts;

namespace Millrace.StreamProcessor.Sinks;

/// <summary>
/// A write to a store behind other work: tried again while the store is away, until it is done or somebody needs it.
/// For one caller at a time.
/// </summary>
internal sealed class PatientWrite(StoreRetry retry, string name, TopicPartition partition) : IAsyncDisposable
{
    private CancellationTokenSource _needed = new();

    /// <summary>Ends when the write is done, or fails as it did.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    public bool IsEnded => Ended.IsCompleted;

    /// <param name="write">Changes nothing when it is done again.</param>
    public void Begin(Func<ValueTask> write)
    {
        _needed.Dispose();
        _needed = new CancellationTokenSource();
        Ended = retry.RunAsync(name, partition, write, _needed.Token).AsTask();
    }

    /// <summary>Who needs it gets it, or what its last try answers.</summary>
    public async Task SettleAsync()
    {
        await _needed.CancelAsync();
        await Ended;
    }

    public async ValueTask DisposeAsync()
    {
        await SettleAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _needed.Dispose();
    }
}
