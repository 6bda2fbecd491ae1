using Millrace.Cql.Tests.Server;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Requests;

/// <summary>
/// A write in the steady state makes no garbage: not in the session, the pools, the connection or the loops.
/// </summary>
[NonParallelizable]
public class AllocationTests
{
    private const int Workers = 64;

    // Starting the workers, timers and the runtime make a little, whatever is written. The least object has 24 bytes.
    private const long NoiseBytes = 200 * 1024;

    private static readonly byte[] Device = "device-1"u8.ToArray();
    private static readonly byte[] Body = new byte[120];

    [Test]
    public Task Single_writes_allocate_nothing() => Measure(2_000, (session, insert, i) => session.ExecuteAsync(
        insert.Bind().Add(Device.AsSpan()).Add(1_700_000_000_000L + i).Add(Body.AsSpan()).Add(20.5)));

    [Test]
    public Task Batches_allocate_nothing() => Measure(200, (session, insert, i) =>
    {
        var batch = BatchStatement.Rent();
        for (var row = 0; row < 32; row++) batch.Add(insert.Bind("device-1", (long)i, Body, 20.5));
        return session.ExecuteAsync(batch);
    });

    private static async Task Measure(
        int writesEach, Func<CqlSession, PreparedStatement, int, ValueTask<RowSet>> write)
    {
        await using var server = new FakeServer((connection, request) =>
        {
            if (request.Opcode == Opcode.Prepare)
                return connection.ReplyAsync(request, Opcode.Result, RingRows.Prepared([1, 2, 3, 4],
                    ("device", new CqlType(CqlTypeCode.Text)), ("ts", new CqlType(CqlTypeCode.Timestamp)),
                    ("body", new CqlType(CqlTypeCode.Blob)), ("temperature", new CqlType(CqlTypeCode.Double))));
            connection.AnswerAllWithVoid(request);
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
        });
        await using var session = await server.ConnectAsync();
        var insert = await session.PrepareAsync("INSERT INTO ks.t (device, ts, body, temperature) VALUES (?, ?, ?, ?)");
        await write(session, insert, 0);
        await RunAsync(2);

        // A buffer that has met its peak only now grows once.
        var allocated = long.MaxValue;
        for (var round = 0; round < 5 && allocated >= NoiseBytes; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await RunAsync(1);
            allocated = Math.Min(allocated, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.That(allocated, Is.LessThan(NoiseBytes), $"{Workers * writesEach} writes");

        async Task RunAsync(int rounds)
        {
            await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
            {
                for (var i = 0; i < rounds * writesEach; i++) await write(session, insert, i).ConfigureAwait(false);
            })));
        }
    }
}
