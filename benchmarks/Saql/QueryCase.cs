using Millrace.Contracts;
using Millrace.Models.Registry;
using Millrace.Models.Scoring;
using Millrace.Saql;
using Millrace.Saql.Models;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Saql;

/// <summary>A query over bytes, and the loop that answers the same.</summary>
internal sealed class QueryCase
{
    private readonly Telemetry _telemetry = new();
    private readonly Telemetry _same = new();
    private readonly CountingSink _sink = new();
    private readonly QueryEngine _engine;
    private readonly HandLoop _loop;

    public QueryCase(string query, HandLoop loop)
    {
        _loop = loop;
        var plan = SaqlCompiler.Compile(query).Plan ?? throw new InvalidOperationException(query);
        _engine = new QueryEngine(plan, new QueryEngineOptions("one", 1),
            [new QuerySource("telemetry", new TopicPartition("telemetry", 0), 0)], _sink);
        foreach (var name in plan.Models) _engine.SetModel(name, Model(name));
    }

    public long Rows => _sink.Rows;

    public int RunEngine()
    {
        var batch = _telemetry.Next();
        _engine.Process(batch);
        return batch.Count;
    }

    public int RunByHand()
    {
        var batch = _same.Next();
        foreach (var record in batch) _loop(record);
        return batch.Count;
    }

    private static IModelScorer Model(string name)
    {
        var content = TinyOnnx.WeightedSum(HandLoops.TemperatureWeight, HandLoops.HumidityWeight);
        return LoadedModel.Of(new ModelManifest(name, 1, ModelKind.Score, ModelFormat.Onnx,
            [new ModelFeature("temperature"), new ModelFeature("humidity")], new Dictionary<string, double>(),
            "benchmark", "benchmark", null, default, new ModelContent("", content.Length, "")), content).CreateScorer();
    }
}

/// <summary>Answers for one record.</summary>
internal delegate void HandLoop(RecordView record);
