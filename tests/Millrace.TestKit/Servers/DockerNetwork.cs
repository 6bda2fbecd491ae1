using Docker.DotNet;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Networks;
using Microsoft.Extensions.Logging.Abstractions;

namespace Millrace.TestKit.Servers;

/// <summary>
/// A network of containers whose addresses are chosen: one that was killed comes back under its own, as machines do.
/// </summary>
internal sealed class DockerNetwork : IAsyncDisposable
{
    // Of what RFC 2544 keeps for tests, so that it is no network that this machine is in.
    private const string Range = "198.19.";
    private const int Subnets = 256, Attempts = 10;

    private readonly int _subnet;

    private DockerNetwork(INetwork network, int subnet) => (Network, _subnet) = (network, subnet);

    public INetwork Network { get; }

    public static async Task<DockerNetwork> CreateAsync()
    {
        var random = new Random(Environment.ProcessId);
        for (var attempt = 1; ; attempt++)
        {
            var subnet = random.Next(Subnets);
            var addresses = new IPAM { Config = [new IPAMConfig { Subnet = $"{Range}{subnet}.0/24" }] };
            var network = new NetworkBuilder()
                .WithLogger(NullLogger.Instance)
                .WithCreateParameterModifier(create => create.IPAM = addresses)
                .Build();
            try
            {
                await network.CreateAsync();
                return new DockerNetwork(network, subnet);
            }
            catch (DockerApiException) when (attempt < Attempts)
            {
                // Other tests have that one.
            }
        }
    }

    public string Address(int host) => $"{Range}{_subnet}.{host}";

    public ValueTask DisposeAsync() => Network.DisposeAsync();
}
