using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Stores.Queries;
using Millrace.Stores.Upgrades;
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
    private readonly IUpgradeStore _upgrades;
    private readonly ConcurrentDictionary<string, RunningQuery> _running = new();

    /// <summary>Those whose stop is under way: nothing else of their names begins.</summary>
    private readonly Dictionary<string, Task> _stopping = [];

    /// <summary>Those that were left to older programs.</summary>
    private HashSet<(string Name, int Version)> _left = [];

    public QueryHost(
        QueryServices services, QueryPlaces places, IQueryStore store, StoredQueriesWatch watch,
        QueryExtensions extensions, IUpgradeStore upgrades, IMeterFactory meters)
    {
        (_services, _places, _store, _watch) = (services, places, store, watch);
        (_extensions, _upgrades) = (extensions, upgrades);
        meters.Create("Millrace.StreamProcessor.Queries")
            .CreateObservableGauge("millrace.query.unsaved.age", Ages, "s");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await _watch.RunAsync(ReconcileAsync, stoppingToken);
        await Task.WhenAll([.. _running.Values.Select(query => query.StopAsync()), .. _stopping.Values]);
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
            _stopping[name] = EndAsync(query);
            _ = _stopping[name].ContinueWith(_ => _watch.LookAgain(), TaskScheduler.Default);
        }

        var left = new HashSet<(string Name, int Version)>();
        foreach (var config in wanted.Values)
        {
            if (_running.ContainsKey(config.Name) || IsStopping(config.Name)) continue;
            try
            {
                if (!await TryBeginAsync(config, stop)) left.Add((config.Name, config.Version));
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                _services.Logger.QueryNotBegun(config.Name, config.Version, e);
            }
        }

        _left = left;
        StreamProcessorMetrics.StandFailed(
            [.. stored.Where(q => q.State == QueryState.Failed).Select(q => q.Name), .. left.Select(one => one.Name)]);
        await ForgetDroppedAsync([.. stored.Select(q => q.Name)], stop);
    }

    /// <summary>A log or a store that does not answer holds up one query's stop, and no other query.</summary>
    private async Task EndAsync(RunningQuery query)
    {
        var (name, version) = (query.Config.Name, query.Config.Version);
        try
        {
            await query.StopAsync();
            if ((await _store.FindAsync(name))?.Version == version) await query.WriteStatusAsync();
        }
        catch (Exception e)
        {
            _services.Logger.StatusFailed(name, version, e);
        }
    }

    private bool IsStopping(string name)
    {
        if (!_stopping.TryGetValue(name, out var end)) return false;
        if (end.IsCompleted) _stopping.Remove(name);
        return !end.IsCompleted;
    }

    /// <summary>False when the text is left to an older program; one that fails for good is done with.</summary>
    private async Task<bool> TryBeginAsync(QueryConfig config, CancellationToken stop)
    {
        var compiled = SaqlCompiler.Compile(config.Text, CompileOptions.Hub(_extensions));
        if (compiled.Plan is not { } plan) return await TryFailAsync(config, compiled.Diagnostics, stop);
        foreach (var found in compiled.Diagnostics)
            _services.Logger.QueryWarned(config.Name, config.Version, found.ToString());
        var query = new RunningQuery(_services, _places, _store, config, plan, stop);
        _running[config.Name] = query;
        query.Start();
        return true;
    }

    /// <summary>
    /// Fails a query whose text does not compile; what it keeps stays, and a text that compiles goes on from there.
    /// False while an older program may take the text: the query is that one's, and this process says why it does not
    /// run it.
    /// </summary>
    private async Task<bool> TryFailAsync(
        QueryConfig config, IReadOnlyList<SaqlDiagnostic> found, CancellationToken stop)
    {
        var reason = StreamProcessorErrors.QueryText.With(config.Name, string.Join(' ', found)).ToString();
        var fails = (await _upgrades.ReadAsync(stop)).IsFinalised;
        if (fails) _services.Logger.QueryFailed(config.Name, config.Version, reason);
        else if (!_left.Contains((config.Name, config.Version)))
            _services.Logger.QueryLeft(config.Name, config.Version, reason);

        // Whoever sees the state finds the reason.
        var status = new QueryProgress(config, _services.Time).Status(
            fails ? QueryState.Failed : QueryState.Running, reason, lag: 0);
        await _store.WriteStatusAsync(status with { Node = _services.Node }, stop);
        if (fails) await _store.SetStateAsync(config.Name, QueryState.Failed, config.Version, stop);
        return fails;
    }

    /// <summary>
    /// What a query that is gone has not read must not hold retention; nor what only versions before read or wrote.
    /// One of those that still runs elsewhere may commit once more as it stops: that goes at the next look.
    /// </summary>
    private async Task ForgetDroppedAsync(HashSet<string> stored, CancellationToken stop)
    {
        foreach (var held in await _services.Log.GroupTopicsAsync(stop))
        {
            if (ConsumerGroups.QueryOf(held.Group) is not { } name || IsStopping(name)) continue;
            var running = _running.GetValueOrDefault(name);
            if (stored.Contains(name) && running?.HasDropped(held) != true) continue;

            // It may have been applied meanwhile, and be running elsewhere.
            if ((await _store.FindAsync(name, stop))?.Version == running?.Config.Version)
                await _services.Log.ForgetTopicAsync(held.Group, held.Topic, stop);
        }
    }

    private IEnumerable<Measurement<double>> Ages() => _running.Select(one => new Measurement<double>(
        one.Value.UnsavedFor.TotalSeconds, StreamProcessorMetrics.Query(one.Key)));
}
