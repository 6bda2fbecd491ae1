using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.TestKit;

namespace Millrace.EventLog.Tests.Kill;

/// <summary>
/// kill -9 of a process that appends, again and again on the same log. The page cache outlives the process, so that
/// this says nothing about power: PowerLossTests do.
/// </summary>
public class KillTests
{
    /// <summary>The one that runs us, which need not be on the PATH.</summary>
    private static readonly string Dotnet = Path.GetFullPath(
        Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    private readonly Dictionary<(int Partition, long Offset), string> _acknowledged = [];
    private readonly HashSet<int> _committed = [];

    [TestCase(60)]
    [TestCase(1_000, Category = "Torture")]
    public async Task Every_acknowledged_record_is_there_once_and_in_order_after_each_kill(int kills)
    {
        var random = new Random(kills);
        using var folder = new TemporaryFolder();
        _acknowledged.Clear();
        _committed.Clear();
        var checkedTo = new long[KilledWriter.Partitions];
        for (var life = 0; life < kills; life++)
        {
            var before = _acknowledged.Count;
            await RunAndKillAsync(folder.Path, life, TimeSpan.FromMilliseconds(random.Next(40)));
            Assert.That(_acknowledged, Has.Count.GreaterThan(before), "it was killed while it worked");
            await VerifyAsync(folder.Path, checkedTo, life);
        }

        Array.Clear(checkedTo);
        await VerifyAsync(folder.Path, checkedTo, kills);
        TestContext.Out.WriteLine($"{kills} kills, {_acknowledged.Count} acknowledged records");
    }

    private async Task RunAndKillAsync(string folder, int life, TimeSpan work)
    {
        var start = new ProcessStartInfo(Dotnet)
        {
            RedirectStandardOutput = true,
            ArgumentList = { "exec", typeof(KillTests).Assembly.Location, folder, $"{life}" },
        };
        using var process = Process.Start(start)!;
        var lines = new List<string>();
        try
        {
            lines.Add(await process.StandardOutput.ReadLineAsync() ?? throw new AssertionException("It said nothing."));
            var reading = ReadLinesAsync(process.StandardOutput, lines);
            await Task.Delay(work, TimeProvider.System);
            process.Kill();
            await reading;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        lines.ForEach(Note);
    }

    /// <summary>What is behind the last end of line was cut off by the kill.</summary>
    private static async Task ReadLinesAsync(StreamReader output, List<string> lines)
    {
        var rest = await output.ReadToEndAsync();
        var end = rest.LastIndexOf('\n');
        if (end > 0) lines.AddRange(rest[..end].Split('\n'));
    }

    private void Note(string line)
    {
        var words = line.Split(' ');
        var partition = int.Parse(words[1], CultureInfo.InvariantCulture);
        var offset = long.Parse(words[2], CultureInfo.InvariantCulture);
        if (words[0] == "commit")
        {
            _committed.Add(partition);
            return;
        }

        var count = int.Parse(words[3], CultureInfo.InvariantCulture);
        for (var i = 0; i < count; i++) _acknowledged.Add((partition, offset + i), $"{words[0]}.{i}");
    }

    private async Task VerifyAsync(string folder, long[] checkedTo, int life)
    {
        await using var log = LocalLog.Open(folder, KilledWriter.Options());
        var seen = new HashSet<string>();
        for (var partition = 0; partition < KilledWriter.Partitions; partition++)
        {
            var id = new TopicPartition(KilledWriter.Topic, partition);
            var from = checkedTo[partition];
            var range = await log.RangeAsync(id);
            await using var reader = log.OpenReader(id, from);
            var found = new Dictionary<long, string>();
            while (await reader.TryReadAsync() is { } batch)
            {
                foreach (var record in batch)
                    found.Add(record.Offset, Encoding.ASCII.GetString(record.Value).TrimEnd('x'));
            }

            Assert.That(found.Count, Is.EqualTo(range.Next - from));
            Assert.That(found.Values.All(seen.Add), Is.True, "no value twice");
            foreach (var ((_, offset), value) in _acknowledged.Where(pair => pair.Key.Partition == partition))
            {
                if (offset >= from)
                    Assert.That(found.GetValueOrDefault(offset), Is.EqualTo(value), $"life {life}, {id} at {offset}");
            }

            checkedTo[partition] = range.Next;
            if (_committed.Contains(partition))
                Assert.That((await log.CommittedAsync("group", id))?.NextOffset, Is.LessThan(range.Next));
        }
    }
}
