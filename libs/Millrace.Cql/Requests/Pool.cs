using System.Collections.Concurrent;

namespace Millrace.Cql.Requests;

/// <summary>Objects that are used again and again: one a thread at hand, the rest in a bounded queue.</summary>
internal static class Pool<T>
    where T : class, new()
{
    private const int KeptMax = 32_768;

    private static readonly ConcurrentQueue<T> Shared = new();
    private static int _kept;

    [ThreadStatic]
    private static T? _atHand;

    public static T Rent()
    {
        if (_atHand is { } one)
        {
            _atHand = null;
            return one;
        }

        if (!Shared.TryDequeue(out var shared)) return new T();
        Interlocked.Decrement(ref _kept);
        return shared;
    }

    public static void Return(T item)
    {
        if (_atHand is null)
        {
            _atHand = item;
            return;
        }

        if (Interlocked.Increment(ref _kept) <= KeptMax) Shared.Enqueue(item);
        else Interlocked.Decrement(ref _kept);
    }
}
