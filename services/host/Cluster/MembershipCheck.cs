using Akka.Actor;
using Akka.Cluster;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Millrace.Cluster;

/// <summary>
/// Whether this process is a member of the cluster, and which members do not answer. Its roles work without: it is no
/// reason to take no work.
/// </summary>
internal sealed class MembershipCheck(ActorSystem system) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken ct = default)
    {
        var cluster = Akka.Cluster.Cluster.Get(system);
        var state = cluster.State;
        if (cluster.SelfMember.Status != MemberStatus.Up)
            return Task.FromResult(HealthCheckResult.Degraded($"This process is {cluster.SelfMember.Status}, not Up."));
        if (state.Unreachable.IsEmpty) return Task.FromResult(HealthCheckResult.Healthy());
        var away = string.Join(", ", state.Unreachable.Select(member => member.Address));
        return Task.FromResult(HealthCheckResult.Degraded($"Not reachable: {away}."));
    }
}
