using Millrace.Cql;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Cql;

/// <summary>What befalls the client and not the nodes.</summary>
public partial class CassandraFaultTests
{
    private const int BatchRows = 32;
    private const string SessionClosed = "CQ-9014";

    [Test, Order(OnThree)]
    public async Task The_later_write_of_a_session_wins_while_its_clock_jumps()
    {
        await _session.ExecuteAsync("CREATE TABLE faults.jumps (k int PRIMARY KEY, n int)");
        var clock = new ShiftedTime();
        await using var session = await ConnectAsync(clock);
        var write = await session.PrepareAsync("INSERT INTO faults.jumps (k, n) VALUES (?, ?)");
        for (var n = 0; n < 60; n++)
        {
            clock.Move(TimeSpan.FromHours(n % 2 == 0 ? 2 : -3));
            var writes = Enumerable.Range(0, Writers).Select(k => session.ExecuteAsync(write.Bind(k, n)).AsTask());
            await Task.WhenAll(writes);
        }

        // By now it is more than a day slow: the last write came at the earliest time of all.
        for (var k = 0; k < Writers; k++) Assert.That(await ClockValueAsync(k), Is.EqualTo(59));
    }

    [Test, Order(OnThree)]
    public async Task Of_two_sessions_whose_clocks_differ_the_write_with_the_higher_timestamp_of_its_own_wins()
    {
        await _session.ExecuteAsync("CREATE TABLE faults.clocks (k int PRIMARY KEY, n int)");
        var (fast, slow) = (new ShiftedTime(), new ShiftedTime());
        fast.Move(TimeSpan.FromHours(3));
        slow.Move(TimeSpan.FromHours(-3));
        await using var ahead = await ConnectAsync(fast);
        await using var behind = await ConnectAsync(slow);
        foreach (var session in new[] { behind, ahead })
        {
            var write = await session.PrepareAsync("INSERT INTO faults.clocks (k, n) VALUES (?, ?)");

            // The one that is behind has the even numbers, and the highest.
            var first = session == behind ? 2 : 1;
            await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            {
                var n = first + (2 * i);
                var bound = write.Bind(0, n);
                bound.Timestamp = n;
                return session.ExecuteAsync(bound).AsTask();
            }));
        }

        var row = (await _session.ExecuteAsync("SELECT n FROM faults.clocks WHERE k = 0")).Single();
        Assert.That(row.Get<int>(0), Is.EqualTo(100));
    }

    [Test, Order(OnThree)]
    public async Task A_batch_whose_session_is_disposed_is_there_whole_or_not_and_a_replay_settles_it()
    {
        await _session.ExecuteAsync("CREATE TABLE faults.batches (k int, n int, PRIMARY KEY (k, n))");
        var acknowledged = new int[Writers];
        for (var round = 0; round < 4; round++)
        {
            var session = await ConnectAsync();
            var insert = await session.PrepareAsync("INSERT INTO faults.batches (k, n) VALUES (?, ?)");
            insert.Idempotent = true;
            var before = acknowledged.Sum();
            var writers = Enumerable.Range(0, Writers).Select(k => Task.Run(async () =>
            {
                while (true)
                {
                    await session.ExecuteAsync(Batch(insert, k, acknowledged[k]));
                    Interlocked.Increment(ref acknowledged[k]);
                }
            })).ToList();
            await Eventually.TrueAsync(() => acknowledged.Sum() > before + 200, "batches go on");
            await session.DisposeAsync();
            foreach (var writer in writers)
                Assert.That(Assert.ThrowsAsync<CqlException>(() => writer)!.Code, Is.EqualTo(SessionClosed));
            for (var k = 0; k < Writers; k++)
                Assert.That(await BatchRowsAsync(k), Is.EqualTo(acknowledged[k]).Or.EqualTo(acknowledged[k] + 1));
        }

        var again = await _session.PrepareAsync("INSERT INTO faults.batches (k, n) VALUES (?, ?)");
        for (var k = 0; k < Writers; k++)
        {
            await _session.ExecuteAsync(Batch(again, k, acknowledged[k]));
            Assert.That(await BatchRowsAsync(k), Is.EqualTo(acknowledged[k] + 1));
        }

        TestContext.Out.WriteLine($"{acknowledged.Sum()} batches of {BatchRows} acknowledged by four sessions");
    }

    private static BatchStatement Batch(PreparedStatement insert, int k, int number)
    {
        var batch = BatchStatement.Rent();
        for (var i = 0; i < BatchRows; i++) batch.Add(insert.Bind(k, (number * BatchRows) + i));
        return batch;
    }

    /// <summary>How many batches are there, one after the other and without a gap.</summary>
    private async Task<double> BatchRowsAsync(int k)
    {
        var rows = new List<int>();
        var select = new SimpleStatement("SELECT n FROM faults.batches WHERE k = ?", k);
        await foreach (var row in _session.QueryAsync(select)) rows.Add(row.Get<int>(0));
        Assert.That(rows, Is.EqualTo(Enumerable.Range(0, rows.Count)));
        return (double)rows.Count / BatchRows;
    }

    private async Task<int> ClockValueAsync(int k) =>
        (await _session.ExecuteAsync("SELECT n FROM faults.jumps WHERE k = ?", k)).Single().Get<int>(0);
}
