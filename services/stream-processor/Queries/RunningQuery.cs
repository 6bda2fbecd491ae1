using Millrace.EventLog;
using Millrace.Primitives;
using Millrace.Saql;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Sources;

namespace Millrace.StreamProcessor.Queries;

/// <summary>One version of a query at work, until it is stopped or a row stops it.</summary>
internal sealed class RunningQuery
{
    private readonly QueryServices _services;
    private readonly QueryPlaces _places;
    private readonly IQueryStore _store;
    private readonly QueryPlan _plan;
    private readonly CancellationTokenSource _stop;
    private readonly QueryProgress _progress;
    private Task _work = Task.CompletedTask;
    private volatile HashSet<GroupTopic>? _commits;
    private string? _error;

    public RunningQuery(
        QueryServices services, QueryPlaces places, IQueryStore store, QueryConfig config, QueryPlan plan,
        CancellationToken stop)
    {
        (_services, _places, _store, Config, _plan) = (services, places, store, config, plan);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _progress = new QueryProgress(config, services.Time);
    }

    public QueryConfig Config { get; }

    /// <inheritdoc cref="QueryProgress.UnsavedFor"/>
    public TimeSpan UnsavedFor => _progress.UnsavedFor;

    /// <summary>
    /// Whether only versions before have committed so; false while it is not known yet where this one begins.
    /// </summary>
    public bool HasDropped(GroupTopic held) => _commits is { Count: > 0 } commits && !commits.Contains(held);

    public void Start() => _work = Task.WhenAll(RunAsync(), ReportAsync());

    /// <summary>Drains, saves its checkpoints, and returns when nothing of it runs any more.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _work;
        _stop.Dispose();
        _services.Logger.QueryStopped(Config.Name, Config.Version);
    }

    private async Task RunAsync()
    {
        var streams = new SupervisedStreams(_services.Log, _services.Options, _services.Time, _services.Logger);
        _services.Logger.QueryStarted(Config.Name, Config.Version, _plan.Scope.ToString());
        await streams.RunAsync($"query {Config.Name}", async stop =>
        {
            var places = await ResolveAsync(stop);
            if (places is not { Count: > 0 }) return;

            // Where it begins is decided: whoever sees the status may count on what comes from now on.
            await WriteStatusAsync();
            // Whoever has the first partition answers a query that has one place.
            await Task.WhenAll(places.GroupBy(place => place.InputGroup).Select(stage =>
            {
                var its = stage.ToList();
                return streams.RunAssignedAsync(stage.Key, its[0].Sources[0].Partition.Topic, (partition, ct) =>
                    partition.Partition < its.Count ? RunPlaceAsync(its[partition.Partition], ct)
                        : Task.CompletedTask, stop, partition =>
                        {
                            if (partition.Partition < its.Count) _progress.Left(its[partition.Partition]);
                        });
            }));
        }, _stop.Token);
    }

    private async Task<IReadOnlyList<QueryPlace>?> ResolveAsync(CancellationToken stop)
    {
        try
        {
            var places = await _places.ResolveAsync(Config, _plan, stop);
            _commits = [.. places.SelectMany(place => place.Commits)];
            _progress.Began();
            return places;
        }
        catch (MillraceException e) when (IsQuerysOwn(e.Error))
        {
            await FailAsync(e.Error);
            return null;
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            _progress.StumbledAtStart(Told(e));
            throw;
        }
    }

    private async Task RunPlaceAsync(QueryPlace place, CancellationToken stop)
    {
        try
        {
            await QueryStream.RunAsync(_services, place, _progress, stop);
        }
        catch (Exception e) when (Cause(e) is { } own && IsQuerysOwn(own.Error))
        {
            await FailAsync(own.Error);
        }
        catch (Exception e) when (Cause(e)?.Error.Definition == StreamProcessorErrors.OwnerStale)
        {
            // Whoever took it over has it, or had it for a moment only: it is asked for again as long as it is ours.
            _progress.Left(place);
            await Task.Delay(_services.Options.StalePause, _services.Time, stop);
            throw;
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            _progress.Stumbled(place, Told(e));
            throw;
        }
    }

    /// <summary>An error that a restart would only meet again: the author has to look.</summary>
    private async Task FailAsync(Error error)
    {
        _error = error.ToString();
        _services.Logger.QueryFailed(Config.Name, Config.Version, _error);
        // Whoever sees the state finds the reason.
        await WriteStatusAsync();
        await _store.SetStateAsync(Config.Name, QueryState.Failed, Config.Version, CancellationToken.None);
        await _stop.CancelAsync();
    }

    private static string Told(Exception e) => Cause(e)?.Error.ToString() ?? $"{e.GetType().Name}: {e.Message}";

    private static MillraceException? Cause(Exception e) => e switch
    {
        MillraceException own => own,
        AggregateException many => many.Flatten().InnerExceptions.OfType<MillraceException>().FirstOrDefault(),
        _ => e.InnerException as MillraceException,
    };

    private static bool IsQuerysOwn(Error error) =>
        error.Definition == StreamProcessorErrors.InputUnknown ||
        error.Definition == StreamProcessorErrors.RowFailed ||
        error.Definition == StreamProcessorErrors.StateIncompatible ||
        error.Definition == StreamProcessorErrors.RowsTooLarge ||
        error.Definition == SaqlErrors.ForeignState ||
        error.Definition == SaqlErrors.StateTooLarge ||
        error.Definition == EventLogErrors.Trimmed;

    private async Task ReportAsync()
    {
        using var timer = new PeriodicTimer(_services.Options.StatusInterval, _services.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token)) await ReportOnceAsync();
        }
        catch (OperationCanceledException)
        {
            // The query stops; its last status stays.
        }
    }

    private async Task ReportOnceAsync()
    {
        try
        {
            await WriteStatusAsync();
        }
        catch (Exception e)
        {
            // The log or the store is away for a while: the next time tells of all.
            if (!_stop.IsCancellationRequested) _services.Logger.StatusFailed(Config.Name, Config.Version, e);
        }
    }

    /// <summary>Writes the figures of now.</summary>
    public async Task WriteStatusAsync()
    {
        var lags = await Task.WhenAll(_progress.Positions.Select(async position =>
            (await _services.Log.RangeAsync(position.Partition)).Next - position.Offset));
        var state = _error is null ? QueryState.Running : QueryState.Failed;
        var status = _progress.Status(state, _error ?? _progress.Obstacle, lags.Sum()) with { Node = _services.Node };
        await _store.WriteStatusAsync(status, CancellationToken.None);
    }
}
