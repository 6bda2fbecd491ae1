using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Tests of a gateway that may stop and go on in its folder; it has the device pump-1.</summary>
public abstract class KeptGatewayTests(params (string Key, string Value)[] settings)
{
    private TemporaryFolder _folder = null!;

    private protected GatewayHost Host { get; private set; } = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        Host = await GatewayHost.StartInAsync(_folder.Path, settings);
        await Host.AddDeviceAsync("pump-1");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await Host.DisposeAsync();
        _folder.Dispose();
    }

    /// <param name="others">The settings from now on; without any, those from before.</param>
    protected Task RestartAsync(params (string Key, string Value)[] others) =>
        RestartAsync(() => Task.CompletedTask, others);

    /// <param name="meanwhile">While the gateway is away.</param>
    protected async Task RestartAsync(Func<Task> meanwhile, params (string Key, string Value)[] others)
    {
        await Host.DisposeAsync();
        await meanwhile();
        Host = await GatewayHost.StartInAsync(_folder.Path, others.Length > 0 ? others : settings);
    }
}
