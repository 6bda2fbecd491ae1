using System.Collections.Concurrent;
using Millrace.Cql.Cluster;
using Millrace.Cql.Connections;
using Millrace.Cql.Protocol;
using Millrace.Cql.Requests;

namespace Millrace.Cql;

/// <summary>Prepared statements: asked for once each, and again where a node has forgotten them.</summary>
public sealed partial class CqlSession
{
    // By text. A program has few; texts that are made up with values in them do not belong here.
    private readonly ConcurrentDictionary<string, Lazy<Task<PreparedStatement>>> _prepared = new();

    // Many requests may learn at the same time that a node has forgotten a statement; one of them asks.
    private readonly ConcurrentDictionary<(Connection, PreparedStatement), Lazy<Task>> _preparingAgain = new();

    /// <summary>Has a node parse <paramref name="text"/>. The same text gives the same statement.</summary>
    public async Task<PreparedStatement> PrepareAsync(string text, CancellationToken ct = default)
    {
        if (_prepared.TryGetValue(text, out var have) && have.IsValueCreated && IsOfNoUse(have.Value))
            _prepared.TryRemove(KeyValuePair.Create(text, have));
        var preparing = _prepared.GetOrAdd(text, key => new Lazy<Task<PreparedStatement>>(() => PrepareNewAsync(key)));
        try
        {
            return await preparing.Value.WaitAsync(ct).ConfigureAwait(false);
        }
        catch when (preparing.Value.IsFaulted)
        {
            _prepared.TryRemove(KeyValuePair.Create(text, preparing));
            throw;
        }
    }

    /// <summary>Prepares on this connection what its node does not know, which must give the same id.</summary>
    internal async Task PrepareAgainAsync(PreparedStatement prepared, Connection connection)
    {
        var key = (connection, prepared);
        var preparing = _preparingAgain.GetOrAdd(key, _ => new Lazy<Task>(() => PrepareOnAsync(prepared, connection)));
        try
        {
            await preparing.Value.ConfigureAwait(false);
        }
        finally
        {
            _preparingAgain.TryRemove(KeyValuePair.Create(key, preparing));
        }
    }

    private static bool IsOfNoUse(Task<PreparedStatement> asked) =>
        asked.IsFaulted || (asked.IsCompletedSuccessfully && asked.Result.IsOutdated);

    private async Task<PreparedStatement> PrepareNewAsync(string text)
    {
        var plan = new QueryPlan(_monitor.View, Replicas.None, Interlocked.Increment(ref _turn));
        CqlException failure = NoNode();
        while (plan.Next() is { } node)
        {
            if (node.Pool.Pick() is not { } connection) continue;
            try
            {
                var reply = await connection.CallAsync(Message.Prepare(text), Options.RequestTimeout)
                    .ConfigureAwait(false);
                return new PreparedStatement(text, ResultReader.ReadPrepared(reply.Header, reply.Body));
            }
            catch (CqlException e) when (!IsRefusal(e))
            {
                failure = e;
            }
        }

        throw failure;
    }

    /// <summary>The text itself is wrong, on whatever node.</summary>
    internal static bool IsRefusal(CqlException failure) => failure is CqlServerException
    {
        ServerCode: >= ServerErrorCode.SyntaxError and < ServerErrorCode.Unprepared,
    };

    private async Task PrepareOnAsync(PreparedStatement prepared, Connection connection)
    {
        var reply = await connection.CallAsync(Message.Prepare(prepared.Text), Options.RequestTimeout)
            .ConfigureAwait(false);
        var again = ResultReader.ReadPrepared(reply.Header, reply.Body);
        if (!again.Id.AsSpan().SequenceEqual(prepared.Id))
        {
            prepared.IsOutdated = true;
            throw CqlErrors.PreparedChanged.With(prepared.Text).AsCql();
        }

        // A node that is just starting may speak v4 for a while, which has no id for the columns.
        if (again.Result.Id.Length > 0) prepared.Result = again.Result;
    }
}
