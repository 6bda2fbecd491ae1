namespace Millrace.Integration.Tests.Gateway;

/// <summary>What holds on Kestrel's transport, and on event loops of our own, with TLS and without.</summary>
[TestFixture(0, false)]
[TestFixture(2, false)]
[TestFixture(2, true)]
public abstract class TransportTests(int eventLoops, bool tls)
{
    [SetUp]
    public void ChooseTransport()
    {
        if (eventLoops > 0 && !OperatingSystem.IsLinux()) Assert.Ignore("Event loops need Linux.");
        (GatewayHost.EventLoops, GatewayHost.IsRawTls) = (eventLoops, tls);
    }

    [TearDown]
    public void LeaveTls() => GatewayHost.IsRawTls = false;
}
