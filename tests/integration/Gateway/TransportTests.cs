namespace Millrace.Integration.Tests.Gateway;

/// <summary>What holds on Kestrel's transport, and on event loops of our own.</summary>
[TestFixture(0)]
[TestFixture(2)]
public abstract class TransportTests(int eventLoops)
{
    [SetUp]
    public void ChooseTransport()
    {
        if (eventLoops > 0 && !OperatingSystem.IsLinux()) Assert.Ignore("Event loops need Linux.");
        GatewayHost.EventLoops = eventLoops;
    }
}
