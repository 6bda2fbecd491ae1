using System.Collections.Concurrent;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>
/// Threads for calls of the library that block until a broker answers: on those of the pool everything else in the
/// process would wait for it too.
/// </summary>
internal sealed class CallThreads : IAsyncDisposable
{
    private readonly BlockingCollection<Action> _calls = [];
    private readonly Thread[] _threads;

    public CallThreads(string name, int count)
    {
        _threads = [.. Enumerable.Range(0, count).Select(_ => new Thread(Run) { IsBackground = true, Name = name })];
        foreach (var thread in _threads) thread.Start();
    }

    /// <summary>Makes the call when those before it are made.</summary>
    public Task<T> RunAsync<T>(Func<T> call)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            _calls.Add(() => Make(call, answer));
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(KafkaLog));
        }

        return answer.Task;
    }

    /// <summary>Returns when every call is made.</summary>
    public async ValueTask DisposeAsync()
    {
        _calls.CompleteAdding();
        await Task.Run(() => Array.ForEach(_threads, thread => thread.Join())).ConfigureAwait(false);
        _calls.Dispose();
    }

    private static void Make<T>(Func<T> call, TaskCompletionSource<T> answer)
    {
        try
        {
            answer.SetResult(call());
        }
        catch (Exception e)
        {
            answer.SetException(e);
        }
    }

    private void Run()
    {
        foreach (var call in _calls.GetConsumingEnumerable()) call();
    }
}
