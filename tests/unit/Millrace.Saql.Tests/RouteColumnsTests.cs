using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>On each route goes what is read at its end, and nothing else of the row.</summary>
public class RouteColumnsTests
{
    private const string Body = """
        {"room":"ROOM","site":"SITE","v":7,"at":"2026-01-01T00:00:01Z","note":"NOTE","tag":"TAG"}
        """;

    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry TIMESTAMP BY at GROUP BY " +
        "room, TumblingWindow(second, 3)",
        "ROOM")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry WHERE v > 3 AND tag LIKE 'T%' GROUP BY room, " +
        "TumblingWindow(second, 3)", "ROOM v TAG")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry GROUP BY room, TumblingWindow(second, 3); " +
        "SELECT site, MAX(v) AS m INTO p FROM telemetry WHERE note = 'NOTE' GROUP BY site, TumblingWindow(second, " +
        "3); SELECT tag INTO q FROM telemetry", "ROOM TAG|SITE v NOTE")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry GROUP BY room, TumblingWindow(second, 3); " +
        "SELECT * INTO p FROM telemetry WHERE LAG(v) OVER (PARTITION BY site LIMIT DURATION(second, 3) WHEN tag = " +
        "'x') > 2", "ROOM SITE v at NOTE TAG|ROOM")]
    [TestCase("SELECT a.note AS x, b.tag AS y INTO o FROM telemetry a JOIN telemetry b ON a.room = b.room AND " +
        "DATEDIFF(second, a, b) BETWEEN 0 AND 1; SELECT site, SUM(v) AS s INTO p FROM telemetry GROUP BY site, " +
        "TumblingWindow(second, 3)", "ROOM NOTE TAG|SITE v")]
    [TestCase("SELECT room, MAX(v) AS m INTO o FROM telemetry WHERE tag = 'TAG' GROUP BY room, " +
        "TumblingWindow(second, 3); SELECT site, SUM(note) AS s INTO p FROM telemetry GROUP BY site, " +
        "TumblingWindow(second, 3)", "ROOM v TAG|SITE v NOTE TAG", Description = "What fails first where it is told.")]
    public void Only_columns_that_are_read_there_are_sent(string query, string expected)
    {
        var sent = Sent(query);
        Assert.That(sent.Select(row => string.Join(' ', Columns(row))), Is.EqualTo(expected.Split('|')));
    }

    [Test]
    public void What_is_not_read_costs_a_byte()
    {
        const string Query =
            "SELECT room, COUNT(*) AS n INTO o FROM telemetry TIMESTAMP BY at GROUP BY room, TumblingWindow(second, 3)";
        const int Head = 24;
        var device = 5 + "dev".Length;
        var room = 5 + "ROOM".Length;
        const int Unread = 1;
        Assert.That(Sent(Query).Single(), Has.Length.EqualTo(Head + device + room + Unread));
    }

    private static IEnumerable<string> Columns(byte[] row)
    {
        var text = Encoding.Latin1.GetString(row);
        string[] names = ["ROOM", "SITE", "v", "2026-01-01", "NOTE", "TAG"];
        foreach (var name in names)
        {
            // 7, as a bigint or within the body.
            var isThere = name == "v"
                ? text.Contains("\u0002\a\0\0\0\0\0\0\0", StringComparison.Ordinal) || text.Contains("\"v\":7")
                : text.Contains(name);
            if (isThere) yield return name == "2026-01-01" ? "at" : name;
        }
    }

    /// <summary>The row as it goes on each route.</summary>
    private static List<byte[]> Sent(string query)
    {
        var source = new QuerySource("telemetry", new TopicPartition("telemetry", 0), 0, NeedsKey: true);
        var plan = QueryRun.Compile(query);
        var dealer = new Dealer();
        var engine = QueryEngine.ForDealer(
            plan, new QueryEngineOptions("q", 1), [source], 0, dealer, new RepartitionAnswers(plan));
        using var record = new RecordBatchBuilder();
        record.Begin(1_767_225_601_000, "dev"u8, hasKey: true);
        record.End(Encoding.UTF8.GetBytes(Body));
        engine.Process(new RecordBatch(source.Partition, 0, 1, record.Bytes.ToArray()));
        return dealer.Rows;
    }

    [Test]
    public void What_nobody_takes_tells_once_a_batch_how_far_it_has_brought_its_substream()
    {
        var plan = QueryRun.Compile("SELECT room, COUNT(*) AS n FROM telemetry TIMESTAMP BY at OVER room " +
            "WHERE v > 5 GROUP BY room, TumblingWindow(second, 5)");
        var source = new QuerySource("telemetry", new TopicPartition("telemetry", 0), 0);
        var dealer = new Dealer();
        var engine = QueryEngine.ForDealer(plan, new QueryEngineOptions("q", 1) { HasTimelinesByKey = true }, [source],
            0, dealer, new RepartitionAnswers(plan));
        Process(0, ("a", 1), ("b", 2), ("a", 3), ("b", 9));
        Assert.That(dealer.Passed, Is.EqualTo((long[])[2, 3]), "seconds of b and of a");
        Process(4, ("c", 9));
        Assert.That((dealer.Passed.Count, dealer.Rows.Count), Is.EqualTo((2, 2)));

        void Process(long offset, params (string Room, int V)[] events)
        {
            using var records = new RecordBatchBuilder();
            foreach (var (room, v) in events)
            {
                records.Begin(1_767_225_600_000, "dev"u8, hasKey: true);
                records.End(Encoding.UTF8.GetBytes(
                    $$"""{"room":"{{room}}","v":{{v}},"at":"2026-01-01T00:00:0{{v}}Z"}"""));
            }

            engine.Process(new RecordBatch(source.Partition, offset, events.Length, records.Bytes.ToArray()));
        }
    }

    private sealed class Dealer : IRowDealer
    {
        public List<byte[]> Rows { get; } = [];

        /// <summary>The seconds of the times that substreams were brought to.</summary>
        public List<long> Passed { get; } = [];

        public void Row(int source, long offset, int ordinal, uint? hash, ReadOnlySpan<byte> row, bool isLate) =>
            Rows.Add(row.ToArray());

        void IRowDealer.Passed(
            int source, int feed, long offset, uint? hash, ReadOnlySpan<byte> substream, long ticks) =>
            Passed.Add(new DateTime(ticks).Second);

        public void Watermark(int source, int feed, long offset, long ticks)
        {
        }
    }
}
