using Microsoft.Extensions.Logging;
using Millrace.Cql;
using Millrace.Hosting.Health;
using Millrace.Primitives;
using Millrace.Stores.Cassandra.Schema;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Connection;

/// <summary>
/// The process's session. It connects in the background, tries again until the cluster answers, and brings the keyspace
/// to the newest schema before anybody gets the session.
/// </summary>
internal sealed class CassandraConnector : IAwaitedServer, IAsyncDisposable
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SaidOnceIn = TimeSpan.FromSeconds(30);

    private readonly CassandraOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task<CqlSession> _session;
    private volatile ErrorDefinition? _failure;
    private long _saidAt;

    public CassandraConnector(CassandraOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        (_options, _time, _loggers) = (options, time, loggers);
        _log = loggers.CreateLogger<CassandraConnector>();
        _session = Task.Run(KeepTryingAsync);
    }

    public string Keyspace => _options.Keyspace;

    /// <summary>When the latest row may expire, in seconds since 1970, as far as it is known.</summary>
    public long ExpiryEnd { get; private set; } = Expiry.EndBeforeVersion5;

    string IAwaitedServer.Name => "stores";

    /// <summary>Not who wants to log in where: that is in the log.</summary>
    string? IAwaitedServer.Trouble =>
        !_session.IsCompletedSuccessfully && _failure is { } failure && failure == StoreErrors.AccessRefused
            ? $"{failure.Code}: {failure.What} {failure.Remedy}"
            : null;

    /// <summary>
    /// Waits until the cluster answers; an error that waiting does not mend, such as ST-0005, ends it.
    /// </summary>
    public ValueTask<CqlSession> SessionAsync(CancellationToken ct) => _session.IsCompletedSuccessfully
        ? new ValueTask<CqlSession>(_session.Result)
        : new ValueTask<CqlSession>(_session.WaitAsync(ct));

    Task IAwaitedServer.AnswersAsync(CancellationToken ct) => _session.WaitAsync(ct);

    public async ValueTask DisposeAsync()
    {
        if (_stopped.IsCancellationRequested) return;
        await _stopped.CancelAsync().ConfigureAwait(false);
        await ((Task)_session).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_session.IsCompletedSuccessfully) await _session.Result.DisposeAsync().ConfigureAwait(false);
        _stopped.Dispose();
    }

    private async Task<CqlSession> KeepTryingAsync()
    {
        var startedAt = _time.GetTimestamp();
        while (true)
        {
            try
            {
                return await OpenAsync(_stopped.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (CassandraFailures.AccessRefused(e, _options.ContactPoints) is { } refused)
            {
                Say(refused.Definition, seconds => _log.AccessRefused(refused.ToString(), seconds), startedAt);
            }
            catch (CqlException e)
            {
                var detail = $"{e.Code}: {e.Error.Detail ?? e.Error.Definition.What}";
                Say(e.Error.Definition,
                    seconds => _log.WaitingForCluster(_options.ContactPoints, detail, seconds), startedAt);
            }

            catch (Exception e) when (e is not MillraceException && !_stopped.IsCancellationRequested)
            {
                // Nobody would ever get a session otherwise.
                Say(StoreErrors.Unavailable,
                    seconds => _log.WaitingForCluster(_options.ContactPoints, e.Message, seconds), startedAt);
            }

            await Task.Delay(TryAgainAfter, _time, _stopped.Token).ConfigureAwait(false);
        }
    }

    /// <summary>At once when it is another failure than before, else now and then.</summary>
    private void Say(ErrorDefinition failure, Action<int> say, long startedAt)
    {
        if (failure == _failure && _time.GetElapsedTime(_saidAt) < SaidOnceIn) return;
        (_failure, _saidAt) = (failure, _time.GetTimestamp());
        say((int)_time.GetElapsedTime(startedAt).TotalSeconds);
    }

    private async Task<CqlSession> OpenAsync(CancellationToken ct)
    {
        var whole = await CqlSession.ConnectAsync(Settings(keyspace: null), ct).ConfigureAwait(false);
        await using (whole.ConfigureAwait(false))
        {
            await new KeyspaceMaker(whole, _options, _log).EnsureAsync(ct).ConfigureAwait(false);
        }

        var session = await CqlSession.ConnectAsync(Settings(Keyspace), ct).ConfigureAwait(false);
        try
        {
            await new Migrator(session, Keyspace, Migrations.All, _time, _log).RunAsync(ct).ConfigureAwait(false);
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        _log.ClusterAnswers(_options.ContactPoints, session.Nodes.Count, session.Datacenter, Keyspace);
        await LookAtCommitLogAsync(session, ct).ConfigureAwait(false);
        await LookAtExpiryAsync(session, ct).ConfigureAwait(false);
        return session;
    }

    /// <summary>
    /// With the commit log synced now and then, a node that dies forgets what it has acknowledged last; when so many
    /// die together as make a quorum, so does the cluster.
    /// </summary>
    private async ValueTask LookAtCommitLogAsync(CqlSession session, CancellationToken ct)
    {
        try
        {
            if (await SettingAsync(session, "commitlog_sync", ct).ConfigureAwait(false) == "periodic")
                _log.CommitLogPeriodic(_options.ContactPoints);
        }
        catch (CqlException e)
        {
            _log.CommitLogUnknown(_options.ContactPoints, e.Error.Detail ?? e.Message);
        }
    }

    private async ValueTask LookAtExpiryAsync(CqlSession session, CancellationToken ct)
    {
        try
        {
            var mode = await SettingAsync(session, "storage_compatibility_mode", ct).ConfigureAwait(false);
            if (mode == "NONE") ExpiryEnd = long.MaxValue;
        }
        catch (CqlException)
        {
            // Then it is as before version 5, which is right for all but rows that are kept for long.
        }
    }

    private static async ValueTask<string?> SettingAsync(CqlSession session, string name, CancellationToken ct)
    {
        var select = new SimpleStatement("SELECT value FROM system_views.settings WHERE name = ?", name);
        var rows = await session.ExecuteAsync(select, ct).ConfigureAwait(false);
        return rows.Count == 1 ? rows[0].Get<string?>(0) : null;
    }

    private CqlOptions Settings(string? keyspace) => new()
    {
        ContactPoints = _options.Points,
        Port = _options.Port,
        LocalDatacenter = _options.LocalDatacenter,
        LocalRack = _options.LocalRack,
        Keyspace = keyspace,
        Consistency = _options.Consistency,
        RequestTimeout = _options.RequestTimeout,
        ConnectionsPerNode = _options.ConnectionsPerNode,
        Username = _options.Security.UserName,
        Password = CassandraTls.Password(_options.Security),
        Tls = CassandraTls.Of(_options.Security),
        TimeProvider = _time,
        LoggerFactory = _loggers,
    };
}
