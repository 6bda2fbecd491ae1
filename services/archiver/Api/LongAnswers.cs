using Microsoft.Extensions.Hosting;

namespace Millrace.Archiver.Api;

/// <summary>
/// Work that takes longer than a request should: it goes on, and who asks again for the same operation waits for it
/// again and gets what came of it. A process that knows nothing of the operation begins anew, so the work must be such
/// that may be done twice.
/// </summary>
internal sealed class LongAnswers : IHostedService, IDisposable
{
    /// <summary>When there are more, those that nobody fetched are forgotten.</summary>
    private const int KeptMax = 100;

    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<string, Task<object>> _works = [];
    private readonly Lock _one = new();

    /// <summary>What came of the work; null when it goes on.</summary>
    /// <param name="operation">A name that no other operation has.</param>
    public async Task<object?> AskAsync(
        string operation, TimeSpan wait, TimeProvider time, Func<CancellationToken, Task<object>> work,
        CancellationToken ct)
    {
        var doing = Get(operation, work);
        await Task.WhenAny(doing, Task.Delay(wait, time, ct)).ConfigureAwait(false);
        ct.ThrowIfCancellationRequested();
        if (!doing.IsCompleted) return null;
        lock (_one) _works.Remove(operation);
        return await doing.ConfigureAwait(false);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        Task[] all;
        lock (_one) all = [.. _works.Values];
        await Task.WhenAll(all).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _stopping.Dispose();

    private Task<object> Get(string operation, Func<CancellationToken, Task<object>> work)
    {
        lock (_one)
        {
            if (_works.TryGetValue(operation, out var known)) return known;
            var doing = _works[operation] = Task.Run(() => work(_stopping.Token), _stopping.Token);
            if (_works.Count <= KeptMax) return doing;
            foreach (var (other, one) in _works.ToList())
            {
                if (one.IsCompleted) _works.Remove(other);
            }

            return doing;
        }
    }
}
