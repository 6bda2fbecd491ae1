using Akka.Actor;
using Microsoft.Extensions.Logging;
using Millrace.Hosting.Node;

namespace Millrace.Cluster;

/// <summary>Lives in one member of the cluster: that one does the housekeeping.</summary>
internal sealed class HousekeeperActor(Housekeeping housekeeping, ILogger<HousekeeperActor> logger) : ReceiveActor
{
    protected override void PreStart()
    {
        housekeeping.IsHere = true;
        logger.HousekeepingHere();
    }

    protected override void PostStop()
    {
        housekeeping.IsHere = false;
        logger.HousekeepingGone();
    }
}
