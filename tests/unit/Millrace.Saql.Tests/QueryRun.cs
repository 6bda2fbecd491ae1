using System.Text;
using Millrace.Contracts;
using Millrace.Saql.Files;
using Millrace.Saql.Models;

namespace Millrace.Saql.Tests;

/// <summary>Runs a query over lines of text and keeps what comes out.</summary>
internal sealed class QueryRun : IQueryRowSink
{
    public const string Topic = "telemetry";

    private readonly QueryPlan _plan;

    public QueryRun(QueryPlan plan) => _plan = plan;

    public List<Row> Rows { get; } = [];

    public List<QueryRowFailure> Failures { get; } = [];

    public List<(TopicPartition Source, long Offset)> Drops { get; } = [];

    public IEnumerable<string> Json => Rows.Select(row => row.Json);

    public static QueryPlan Compile(string query, IReadOnlyCollection<string>? references = null) =>
        Compile(query, new CompileOptions(References: references));

    public static QueryPlan Compile(string query, CompileOptions options)
    {
        var result = SaqlCompiler.Compile(query, options);
        var told = string.Join("\n", result.Diagnostics.Select(found =>
            $"{found.Line}:{found.Column} {found.Code} {found.Message}\n{found.Excerpt}"));
        Assert.That(result.Plan, Is.Not.Null, told);
        return result.Plan!;
    }

    /// <summary>All lines of one input, then the end.</summary>
    public static QueryRun Over(string query, IEnumerable<string> lines, QueryEngineOptions? options = null)
    {
        var plan = Compile(query);
        return Over(plan, plan.Inputs.ToDictionary(input => input, _ => lines), options);
    }

    public static QueryRun Over(
        QueryPlan plan, IReadOnlyDictionary<string, IEnumerable<string>> lines, QueryEngineOptions? options = null,
        IReadOnlyDictionary<string, List<string>>? references = null,
        IReadOnlyDictionary<string, IModelScorer>? models = null)
    {
        var run = new QueryRun(plan);
        var batches = lines.SelectMany(input => Batches(input.Key, input.Value).Select(batch => (input.Key, batch)))
            .ToList();
        var sources = batches.Select(batch =>
            new QuerySource(batch.Key, batch.batch.Partition, 0) { IsFile = true }).ToList();
        var engine = new QueryEngine(plan, options ?? new QueryEngineOptions("q", 1), sources, run);
        foreach (var (name, entries) in references ?? new Dictionary<string, List<string>>())
            engine.SetReference(name, [.. entries.Select(Encoding.UTF8.GetBytes)]);
        foreach (var (name, scorer) in models ?? new Dictionary<string, IModelScorer>()) engine.SetModel(name, scorer);
        foreach (var (_, batch) in batches) engine.Process(batch);
        engine.Complete();
        return run;
    }

    public static List<RecordBatch> Batches(string topic, IEnumerable<string> lines)
    {
        var builders = new SortedDictionary<int, RecordBatchBuilder>();
        foreach (var line in lines)
        {
            if (ExampleBody.TryAppend(line, Builder(0))) continue;
            var error = FileLine.Append(Encoding.UTF8.GetBytes(line), Builder, out _);
            Assert.That(error, Is.Null);
        }

        if (builders.Count == 0) Builder(0);
        return [.. builders.Select(pair => new RecordBatch(
            new TopicPartition(topic, pair.Key), 0, pair.Value.Count, pair.Value.Bytes.ToArray()))];

        RecordBatchBuilder Builder(int partition)
        {
            if (!builders.TryGetValue(partition, out var builder))
                builders[partition] = builder = new RecordBatchBuilder();
            return builder;
        }
    }

    void IQueryRowSink.Row(in QueryRow row) => Rows.Add(new Row(
        _plan.Outputs[row.Output], row.TimestampMs, Encoding.UTF8.GetString(row.RowId),
        row.HasDevice ? Encoding.UTF8.GetString(row.DeviceId) : null, Encoding.UTF8.GetString(row.Json)));

    void IQueryRowSink.Failed(in QueryRowFailure failure) => Failures.Add(failure);

    void IQueryRowSink.Dropped(TopicPartition source, long offset, int element, bool isLate) =>
        Drops.Add((source, offset));

    internal sealed record Row(string Output, long TimestampMs, string RowId, string? DeviceId, string Json);
}
