using System.Collections.Concurrent;
using System.Diagnostics;
using Millrace.Cql;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Cql;

/// <summary>Single rows of many partitions, from writers that each wait for the answer.</summary>
public partial class CassandraFaultTests
{
    private const int Writers = 8;
    private static readonly TimeSpan WritePause = TimeSpan.FromMilliseconds(4);

    // No node, connection lost, timed out; unavailable, overloaded, starting, write timeout.
    private static readonly string[] Excusable =
        ["CQ-9001", "CQ-9003", "CQ-9004", "CQ-1000", "CQ-1001", "CQ-1002", "CQ-1100", "CQ-1500"];

    /// <summary>
    /// Writes while something happens, each row until it is acknowledged or refused for good, and then reads all back.
    /// </summary>
    private Task UnderLoadAsync(string table, Func<Task> happen) => UnderLoadAsync(table, _ => happen());

    /// <summary>What happens can ask how many writes have been acknowledged.</summary>
    private async Task UnderLoadAsync(string table, Func<Func<int>, Task> happen)
    {
        await _session.ExecuteAsync($"CREATE TABLE faults.{table} (k int, n int, PRIMARY KEY (k, n))");
        var insert = await _session.PrepareAsync($"INSERT INTO faults.{table} (k, n) VALUES (?, ?)");
        insert.Idempotent = true;
        var acknowledged = new ConcurrentBag<(int, int)>();
        var failures = new ConcurrentDictionary<string, int>();
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, Writers).Select(k => Task.Run(async () =>
        {
            for (var n = 0; !stop.IsCancellationRequested; n++)
            {
                try
                {
                    await _session.ExecuteAsync(insert.Bind(k, n));
                    acknowledged.Add((k, n));

                    // The nodes need some of the processor to come back.
                    await Task.Delay(WritePause, TimeProvider.System);
                }
                catch (CqlException e)
                {
                    failures.AddOrUpdate(e.Code, 1, (_, count) => count + 1);
                    if (!Excusable.Contains(e.Code)) TestContext.Out.WriteLine(e.Message);
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                }
            }
        })).ToList();

        var watch = Stopwatch.StartNew();
        await Eventually.TrueAsync(() => acknowledged.Count > 500, "writes go on");
        await happen(() => acknowledged.Count);
        var before = acknowledged.Count;
        await Eventually.TrueAsync(() => acknowledged.Count > before + 500, "writes go on by themselves", Patience);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        var stored = new HashSet<(int, int)>();
        var all = new SimpleStatement($"SELECT k, n FROM faults.{table}");
        await foreach (var row in _session.QueryAsync(all)) stored.Add((row.Get<int>(0), row.Get<int>(1)));
        var refused = string.Join(", ", failures.Select(f => $"{f.Key} {f.Value} times"));
        TestContext.Out.WriteLine(
            $"{table}: {acknowledged.Count} acked, {stored.Count} stored in {watch.Elapsed}; refused: {refused}");
        Assert.That(acknowledged.Where(row => !stored.Contains(row)), Is.Empty, "acknowledged and not there");
        Assert.That(failures.Keys, Is.SubsetOf(Excusable), "what a client may see of nodes that die");
    }
}
