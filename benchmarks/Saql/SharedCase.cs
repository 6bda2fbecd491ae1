using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Saql.Decoding;

namespace Millrace.Benchmarks.Saql;

/// <summary>Queries of one rule each over the same input, as of several authors: all answer each event.</summary>
internal sealed class SharedCase
{
    private readonly Telemetry _telemetry = new();
    private readonly CountingSink _sink = new();
    private readonly List<QueryEngine> _engines = [];

    /// <param name="shares">Bodies are decoded once for all of them.</param>
    public SharedCase(bool shares)
    {
        var partition = new TopicPartition("telemetry", 0);
        var bodies = new SharedBodies(4 << 20);
        foreach (var rule in RuleCase.Rules)
        {
            var engine = new QueryEngine(SaqlCompiler.Compile(rule).Plan!, new QueryEngineOptions("rule", 1),
                [new QuerySource("telemetry", partition, 0)], _sink);
            if (shares) engine.Share(partition, bodies);
            _engines.Add(engine);
        }
    }

    public long Rows => _sink.Rows;

    public int Run()
    {
        var batch = _telemetry.Next();
        foreach (var engine in _engines) engine.Process(batch);
        return batch.Count;
    }
}
