using Millrace.Cql;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

public class BoundedWritesTests
{
    private const int Max = 4;

    private readonly List<TaskCompletionSource<RowSet>> _begun = [];

    [Test]
    public async Task No_more_than_its_number_are_under_way_and_all_are_done()
    {
        var writes = new BoundedWrites(BeginAsync, Max);

        var done = Task.Run(() => writes.ExecuteAsync(Statements(10), default));
        for (var i = 0; i < 10; i++)
        {
            var least = Math.Min(i + Max, 10);
            await Until(least);
            Assert.That(Begun, Is.EqualTo(least));
            Assert.That(done.IsCompleted, Is.False);
            Finish(i);
        }

        await done;
    }

    [Test]
    public async Task After_a_failure_no_more_are_begun_those_under_way_are_waited_for_and_the_next_call_works()
    {
        const int many = 50_000;
        var writes = new BoundedWrites(BeginAsync, Max);

        var done = Task.Run(() => writes.ExecuteAsync(Statements(many), default));
        await Until(Max);
        Fail(2);
        for (var i = 0; !done.IsCompleted; await Task.Yield())
        {
            // Some may begin before the failure is seen.
            if (i == 2) i++;
            else if (i < Begun) Finish(i++);
        }

        Assert.ThrowsAsync<TimeoutException>(() => done);
        var begun = Begun;
        Assert.That(begun, Is.LessThan(many));
        var next = Task.Run(() => writes.ExecuteAsync(Statements(Max), default));
        await Until(begun + Max);
        for (var i = begun; i < begun + Max; i++) Finish(i);
        await next;
    }

    private int Begun
    {
        get
        {
            lock (_begun) return _begun.Count;
        }
    }

    [SetUp]
    public void Forget() => _begun.Clear();

    private static CqlStatement[] Statements(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new SimpleStatement("UPDATE t"))];

    private ValueTask<RowSet> BeginAsync(CqlStatement statement, CancellationToken ct)
    {
        var answer = new TaskCompletionSource<RowSet>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_begun) _begun.Add(answer);
        return new ValueTask<RowSet>(answer.Task);
    }

    private void Finish(int i)
    {
        lock (_begun) _begun[i].SetResult(null!);
    }

    private void Fail(int i)
    {
        lock (_begun) _begun[i].SetException(new TimeoutException());
    }

    private async Task Until(int count)
    {
        while (Begun < count) await Task.Yield();
    }
}
