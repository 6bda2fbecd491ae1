using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Sources;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Keeps what runs equal to what is stored.</summary>
internal sealed class QueryHost : BackgroundService
{
    private readonly QueryServices _services;
    private readonly QueryPlaces _places;
    private readonly IQueryStore _store;
    private readonly StoredQueriesWatch _watch;
    private readonly QueryExtensions _extensions;
    private readonly ConcurrentDictionary<string, RunningQuery> _running = new();

    public QueryHost(
        QueryServices services, QueryPlaces places, IQueryStore store, StoredQueriesWatch watch,
        QueryExtensions extensions, IMeterFactory meters)
    {
        (_services, _places, _store, _watch, _extensions) = (services, places, store, watch, extensions);
        meters.Create("Millrace.StreamProcessor.Queries")
            .CreateObservableGauge("millrace.query.unsaved.age", Ages, "s");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await _watch.RunAsync(ReconcileAsync, stoppingToken);
        await Task.WhenAll(_running.Values.Select(query => query.StopAsync()));
    }

    private async Task ReconcileAsync(CancellationToken stop)
    {
        var stored = await _store.ListAsync(stop);
        var wanted = stored.Where(q => q.State == QueryState.Running).ToDictionary(q => q.Name);
        foreach (var (name, query) in _running.ToList())
        {
            if (wanted.TryGetValue(name, out var config) && config.Version == query.Config.Version &&
                config.CreatedAt == query.Config.CreatedAt &&
                config.Options.StateBytesMax == query.Config.Options.StateBytesMax) continue;
            _running.TryRemove(name, out _);
            await query.StopAsync();
            if (stored.Any(q => q.Name == name && q.Version == query.Config.Version)) await query.WriteStatusAsync();
        }

        foreach (var config in wanted.Values.Where(q => !_running.ContainsKey(q.Name)))
        {
            var compiled = SaqlCompiler.Compile(config.Text, CompileOptions.Hub(_extensions));
            if (compiled.Plan is not { } plan)
            {
                await FailAsync(config, compiled.Diagnostics, stop);
                continue;
            }

            var query = new RunningQuery(_services, _places, _store, config, plan, stop);
            _running[config.Name] = query;
            query.Start();
        }

        StreamProcessorMetrics.StandFailed(stored.Where(q => q.State == QueryState.Failed).Select(q => q.Name));
        await ForgetDeletedAsync([.. stored.Select(q => q.Name)], stop);
    }

    /// <summary>What it keeps stays: a text that compiles goes on from there.</summary>
    private async Task FailAsync(QueryConfig config, IReadOnlyList<SaqlDiagnostic> found, CancellationToken stop)
    {
        var reason = StreamProcessorErrors.QueryText.With(config.Name, string.Join(' ', found)).ToString();
        _services.Logger.QueryFailed(config.Name, config.Version, reason);
        // Whoever sees the state finds the reason.
        var status = new QueryProgress(config, _services.Time).Status(QueryState.Failed, reason, lag: 0);
        await _store.WriteStatusAsync(status with { Node = _services.Node }, stop);
        await _store.SetStateAsync(config.Name, QueryState.Failed, stop);
    }

    /// <summary>What a query that is gone has not read must not hold retention.</summary>
    private async Task ForgetDeletedAsync(HashSet<string> stored, CancellationToken stop)
    {
        foreach (var group in await _services.Log.GroupsAsync(stop))
        {
            if (ConsumerGroups.QueryOf(group) is not { } name || stored.Contains(name)) continue;

            // It may have been applied meanwhile, and be running elsewhere.
            if (await _store.FindAsync(name, stop) is null) await _services.Log.ForgetGroupAsync(group, stop);
        }
    }

    private IEnumerable<Measurement<double>> Ages() => _running.Select(one => new Measurement<double>(
        one.Value.UnsavedFor.TotalSeconds, StreamProcessorMetrics.Query(one.Key)));
}
