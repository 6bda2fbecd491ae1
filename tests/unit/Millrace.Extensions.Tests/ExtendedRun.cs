using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Contracts;
using Millrace.Saql;

namespace Millrace.Extensions.Tests;

/// <summary>Runs a query with extensions over bodies, and keeps its rows and failures as text.</summary>
internal sealed class ExtendedRun : IQueryRowSink
{
    public List<string> Rows { get; } = [];

    public List<QueryRowFailure> Failures { get; } = [];

    public static string Method(string name) => $"{typeof(Fleet).Assembly.Location}::{typeof(Fleet).FullName}.{name}";

    public static ExtendedRun Over(
        QueryExtensionOptions options, string query, params (string ContentType, byte[] Body)[] bodies)
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new ExtensionMetrics(services.GetRequiredService<IMeterFactory>());
        var result = SaqlCompiler.Compile(query, CompileOptions.Hub(ExtensionLoader.Load(options, metrics)));
        Assert.That(result.Plan, Is.Not.Null, string.Join("\n", result.Diagnostics));
        var run = new ExtendedRun();
        var source = new TopicPartition("telemetry", 0);
        var engine = new QueryEngine(
            result.Plan!, new QueryEngineOptions("q", 1), [new QuerySource("telemetry", source, 0)], run);
        using var records = new RecordBatchBuilder();
        foreach (var (contentType, body) in bodies)
        {
            records.Begin(1_000, "d"u8, hasKey: true);
            if (contentType.Length > 0)
                records.AddHeader(TelemetryHeaders.ContentType, Encoding.UTF8.GetBytes(contentType));
            records.End(body);
        }

        engine.Process(new RecordBatch(source, 0, records.Count, records.Bytes.ToArray()));
        engine.Complete();
        return run;
    }

    public static ExtendedRun OverJson(QueryExtensionOptions options, string query, params string[] bodies) =>
        Over(options, query, [.. bodies.Select(body => ("", Encoding.UTF8.GetBytes(body)))]);

    void IQueryRowSink.Row(in QueryRow row) => Rows.Add(Encoding.UTF8.GetString(row.Json));

    void IQueryRowSink.Failed(in QueryRowFailure failure) => Failures.Add(failure);

    void IQueryRowSink.Dropped(TopicPartition source, long offset, int element, bool isLate)
    {
    }
}
