namespace Millrace.TestKit.Servers;

/// <summary>Real servers of one kind, started for tests and ended with them. Nodes count from 1.</summary>
public interface IServerSet : IAsyncDisposable
{
    /// <summary>How they are reached: what users set to name servers of theirs, such as CASSANDRA_PORT.</summary>
    IReadOnlyDictionary<string, string> Variables { get; }

    /// <summary>A server of another kind beside these, which they know of. Nothing happens when it is there.</summary>
    Task AddAsync(string engine);

    /// <summary>
    /// One more node of Cassandra joins the ring, with its share of the data. Returns its number when it takes
    /// requests.
    /// </summary>
    Task<int> JoinAsync();

    /// <summary>SIGKILL: its data stays. Returns when it is gone.</summary>
    Task KillAsync(int node);

    /// <summary>Starts one that was killed, and returns when it takes requests.</summary>
    Task StartAsync(int node);

    /// <summary>It stands still, with its connections open.</summary>
    Task PauseAsync(int node);

    Task ResumeAsync(int node);
}
