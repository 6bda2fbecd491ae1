using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;

namespace Millrace.Contract.Tests.Stores;

/// <summary>The stores of one adapter, on data of their own.</summary>
public interface IStoreAdapter : IDisposable
{
    T Get<T>() where T : notnull;

    /// <summary>Closes all stores and opens them again on the same data.</summary>
    void Reopen();
}

/// <summary>What every adapter of a store port does. It derives from each suite and says how it is opened.</summary>
public abstract class StoreContract<TStore>
    where TStore : notnull
{
    protected static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The port under test.</summary>
    protected TStore Store { get; private set; } = default!;

    protected IStoreAdapter Adapter { get; private set; } = null!;

    protected abstract IStoreAdapter OpenEmpty();

    [SetUp]
    public void Open()
    {
        Adapter = OpenEmpty();
        Store = Adapter.Get<TStore>();
    }

    [TearDown]
    public void Close() => Adapter?.Dispose();

    protected void Reopen()
    {
        Adapter.Reopen();
        Store = Adapter.Get<TStore>();
    }

    /// <summary>All items of a list, page by page; each page says when it ends.</summary>
    protected static async Task<List<T>> AllAsync<T>(int limit, Func<string?, ValueTask<Page<T>>> list)
    {
        var all = new List<T>();
        string? token = null;
        do
        {
            var page = await list(token);
            Assert.That(page.Items, Has.Count.LessThanOrEqualTo(limit));
            if (page.Continuation is not null) Assert.That(page.Items, Has.Count.EqualTo(limit));
            all.AddRange(page.Items);
            token = page.Continuation;
        }
        while (token is not null);

        return all;
    }

    protected static string? CodeOf(Func<Task> action) =>
        Assert.ThrowsAsync<MillraceException>(action)!.Error.Code;

    protected static void InterlockedMax(ref long target, long value)
    {
        for (var seen = Interlocked.Read(ref target); seen < value;)
        {
            var was = Interlocked.CompareExchange(ref target, value, seen);
            if (was == seen) return;
            seen = was;
        }
    }

    protected static TopicPartition Partition(int number) => new("any", number);
}
