using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;

namespace Millrace.TestKit.Servers;

/// <summary>Servers in containers, on ports of this machine's loopback.</summary>
internal sealed class DockerSet : IServerSet
{
    private readonly DockerNetwork _network;
    private readonly DockerNodes _nodes;
    private readonly string _engine;
    private readonly Dictionary<string, List<IContainer>> _containers = [];
    private readonly Dictionary<string, string> _variables = [];

    private DockerSet(DockerNetwork network, string engine, DockerNodes nodes) =>
        (_network, _engine, _nodes) = (network, engine, nodes);

    public IReadOnlyDictionary<string, string> Variables => _variables;

    // Asked once a process, by a ping of each place where Docker may listen.
    private static bool Answers => TestcontainersSettings.OS.DockerEndpointAuthConfig is not null;

    /// <summary>Null when no Docker answers.</summary>
    public static async Task<DockerSet?> StartAsync(string engine, int nodes, string heap, string? java)
    {
        if (!Answers) return null;
        if (engine == "spark") await ServerImages.BuildSparkAsync();
        var network = await DockerNetwork.CreateAsync();
        var set = new DockerSet(network, engine, new DockerNodes(network, EngineSet.FreePorts(), nodes, heap, java));
        try
        {
            await set.UpAsync(engine, nodes);
            return set;
        }
        catch
        {
            await set.DisposeAsync();
            throw;
        }
    }

    public Task AddAsync(string engine) => _containers.ContainsKey(engine) ? Task.CompletedTask : UpAsync(engine, 1);

    public async Task<int> JoinAsync()
    {
        var node = _containers[_engine].Count + 1;
        var container = _nodes.Build(_engine, node);
        _containers[_engine].Add(container);
        await container.StartAsync();
        return node;
    }

    public Task KillAsync(int node) => Container(node).StopAsync();

    public Task StartAsync(int node) => Container(node).StartAsync();

    public Task PauseAsync(int node) => Container(node).PauseAsync();

    public Task ResumeAsync(int node) => Container(node).UnpauseAsync();

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_containers.Values.SelectMany(all => all).Select(one => one.DisposeAsync().AsTask()));
        await _network.DisposeAsync();
    }

    private async Task UpAsync(string engine, int nodes)
    {
        var containers = _containers[engine] =
            [.. Enumerable.Range(1, nodes).Select(node => _nodes.Build(engine, node))];

        // Nodes of a ring join one at a time; brokers are ready when they have found each other.
        if (engine == "cassandra") foreach (var one in containers) await one.StartAsync();
        else await Task.WhenAll(containers.Select(one => one.StartAsync()));
        foreach (var (name, value) in _nodes.Variables(engine)) _variables[name] = value;
    }

    private IContainer Container(int node) => _containers[_engine][node - 1];
}
