using System.Collections.Concurrent;
using Millrace.Primitives;

namespace Millrace.Extensions.Assemblies;

/// <summary>
/// Calls code that nobody vouches for: on threads of its own, so that a call that does not return costs its row and a
/// thread, and no query waits for it.
/// </summary>
internal sealed class BoundedCalls(TimeSpan timeout, ByteSize bytesMax, int lostMax, ExtensionMetrics metrics)
{
    private readonly ConcurrentStack<CallThread> _idle = [];

    /// <param name="lost">The calls of this function that did not return.</param>
    public object? Call(string name, LostCalls lost, Func<object?[], object?> function, object?[] arguments)
    {
        if (lost.Count >= lostMax) throw ExtensionErrors.FunctionStopped.With(name).AsException();
        if (!_idle.TryPop(out var thread)) thread = new CallThread();
        if (!thread.TryRun(function, arguments, timeout))
        {
            lost.Add();
            metrics.Lost(name);
            throw ExtensionErrors.CallTimedOut.With(name, $"The most is {DurationText.Format(timeout)}.").AsException();
        }

        var (result, failure, bytes) = thread.Take();
        _idle.Push(thread);
        if (failure is not null) throw new InvalidOperationException(failure.Message, failure);
        return bytes <= bytesMax.Bytes
            ? result
            : throw ExtensionErrors.CallTooLarge.With(name, $"It took {bytes} bytes.").AsException();
    }
}

/// <summary>How many calls of one function were left behind.</summary>
internal sealed class LostCalls
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Add() => Interlocked.Increment(ref _count);
}
