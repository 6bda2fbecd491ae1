using System.Buffers;
using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>How much an engine says that it keeps.</summary>
public class StateBytesTests
{
    private const int Rows = 50;
    private const int TextBytes = 10_000;

    private static readonly TopicPartition Zero = new("telemetry", 0);

    [TestCase("SELECT LAG(x, 4) OVER (LIMIT DURATION(hour, 1)) AS l FROM telemetry", 4 * TextBytes)]
    [TestCase("SELECT LAST(x) OVER (PARTITION BY y LIMIT DURATION(hour, 1)) AS l FROM telemetry", Rows * TextBytes)]
    [TestCase("SELECT MAX(y) OVER (PARTITION BY x LIMIT DURATION(hour, 1)) AS l FROM telemetry", Rows * TextBytes)]
    [TestCase("SELECT y FROM telemetry TIMESTAMP BY t OVER y", Rows * 100)]
    [TestCase("SELECT Collect(y) AS c FROM telemetry GROUP BY TumblingWindow(hour, 1)", Rows * 16)]
    public void What_is_kept_is_counted_with_its_values(string query, int least)
    {
        var plan = QueryRun.Compile(query);
        var engine = Engine(plan);
        engine.Process(Batch());
        Assert.That(engine.StateBytes, Is.InRange(least, (2 * least) + (Rows * 250)));
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        var restored = Engine(plan);
        restored.Restore(state.WrittenSpan);
        Assert.That(restored.StateBytes, Is.EqualTo(engine.StateBytes));
    }

    private static QueryEngine Engine(QueryPlan plan) => new(
        plan, new QueryEngineOptions("q", 1), [new QuerySource("telemetry", Zero, 0)], new QueryRun(plan));

    /// <summary>The last comes when all before it have left the input, and fails.</summary>
    private static RecordBatch Batch()
    {
        using var builder = new RecordBatchBuilder();
        var text = new string('x', TextBytes);
        for (var i = 0; i <= Rows; i++)
        {
            builder.Begin(i < Rows ? 1_000 : 60_000, "d"u8);
            builder.End(Encoding.UTF8.GetBytes(i == Rows
                ? "no JSON"
                : $$"""{"x":"{{text}}","y":{{i}},"t":"1970-01-01T00:00:01Z"}"""));
        }

        return new RecordBatch(Zero, 0, builder.Count, builder.Bytes.ToArray());
    }
}
