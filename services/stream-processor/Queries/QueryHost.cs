using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Sources;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Keeps what runs equal to what is stored: on notice, and on a timer in case a notice was lost.</summary>
internal sealed class QueryHost(
    QueryServices services, QueryPlaces places, IQueryStore store, ControlWatch control,
    IOptions<StreamProcessorOptions> options, TimeProvider time, ILogger<QueryHost> logger) : BackgroundService
{
    private readonly Dictionary<string, RunningQuery> _running = [];
    private readonly Wake _wake = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        control.Noticed += Notice;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ReconcileAsync(stoppingToken);
                await _wake.WaitAsync(options.Value.ReconcileInterval, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                logger.ReconcileFailed(e);
                await Task.Delay(options.Value.RestartDelayMin, time, CancellationToken.None);
            }
        }

        control.Noticed -= Notice;
        await Task.WhenAll(_running.Values.Select(query => query.StopAsync()));
    }

    private async Task ReconcileAsync(CancellationToken stop)
    {
        var wanted = (await store.ListAsync(stop)).Where(q => q.State == QueryState.Running).ToDictionary(q => q.Name);
        foreach (var (name, query) in _running.ToList())
        {
            if (wanted.TryGetValue(name, out var config) && config.Version == query.Config.Version &&
                config.CreatedAt == query.Config.CreatedAt) continue;
            _running.Remove(name);
            await query.StopAsync();
        }

        foreach (var config in wanted.Values.Where(q => !_running.ContainsKey(q.Name)))
        {
            if (SaqlCompiler.Compile(config.Text).Plan is not { } plan)
            {
                await store.SetStateAsync(config.Name, QueryState.Failed, stop);
                logger.QueryFailed(config.Name, config.Version, StreamProcessorErrors.QueryText.With(null).ToString());
                continue;
            }

            var query = new RunningQuery(services, places, store, config, plan, stop);
            _running.Add(config.Name, query);
            query.Start();
        }
    }

    private void Notice(ControlNotice notice)
    {
        if (notice.Kind == ControlKinds.Query) _wake.Set();
    }
}
