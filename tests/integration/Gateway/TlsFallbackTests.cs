using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Gateway;
using Millrace.Mqtt;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Who serves TLS, and that it is served, with event loops and without.</summary>
[Platform("Linux")]
public class TlsFallbackTests
{
    private const int OpenSslIsMissing = 4007;
    private const int Messages = 300;

    [SetUp]
    public void ComeOverTls() => (GatewayHost.EventLoops, GatewayHost.IsRawTls) = (2, true);

    [TearDown]
    public void LeaveTls() => GatewayHost.IsRawTls = false;

    [TestCase(2, true, true, false)]
    [TestCase(0, true, false, false)]
    [TestCase(2, false, false, true)]
    [TestCase(0, false, false, false)]
    public async Task Messages_over_tls_are_acknowledged_and_it_is_said_when_the_option_has_no_effect(
        int eventLoops, bool hasOpenSsl, bool isOnLoops, bool isSaid)
    {
        using var lines = new LogLines();
        await using var host = await GatewayHost.StartChangedAsync(services =>
        {
            services.AddSingleton<ILoggerProvider>(lines);
            services.PostConfigure<GatewayOptions>(options => options.Mqtts.HasOpenSsl &= hasOpenSsl);
        }, ("Gateway:Mqtts:EventLoops", $"{eventLoops}"));
        Assert.That(host.IsTlsOnLoops, Is.EqualTo(isOnLoops));
        Assert.That(lines.Of(OpenSslIsMissing), Has.Count.EqualTo(isSaid ? 1 : 0));

        await host.AddDeviceAsync("pump-1");
        using var client = await RawClient.LoginAsync(host, "pump-1");
        for (var id = 1; id <= Messages; id++)
        {
            await client.PublishAsync("telemetry", $"{id}", (ushort)id);
            if (id % 3 != 0) continue;
            for (var acked = id - 2; acked <= id; acked++)
                Assert.That(await client.ReadAckAsync(), Is.EqualTo((acked, ReasonCode.Success)));
        }

        var bodies = (await host.TelemetryAsync(Messages)).Select(record => record.Body);
        Assert.That(bodies, Is.EqualTo(Enumerable.Range(1, Messages).Select(id => $"{id}")));
    }
}
