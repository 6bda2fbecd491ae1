using System.Net;
using Akka;
using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Cluster.Hosting.SBR;
using Akka.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Cluster.Transport;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.Stores.Upgrades;

namespace Millrace.Cluster;

internal static class ClusterRegistration
{
    private const string Name = "millrace";

    /// <summary>
    /// A member is connected with again soon after an attempt that failed, and before it is missed: one that was
    /// started elsewhere has a new address, and what the others knew of the old one holds them up.
    /// </summary>
    private const string Settings = """
        akka {
          loglevel = WARNING
          stdout-loglevel = OFF
          log-dead-letters = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
          cluster.failure-detector.acceptable-heartbeat-pause = 5s
          remote {
            retry-gate-closed-for = 1s
            enabled-transports = [ "akka.remote.member" ]
            member.applied-adapters = []
            member.transport-protocol = tcp
          }
        }

        """;

    /// <summary>
    /// The cluster of the hub's processes, where one is configured. One member of it does the housekeeping; a member
    /// that the others went on without ends its process.
    /// </summary>
    public static IServiceCollection AddMillraceCluster(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddValidatedOptions<ClusterOptions>("Cluster");
        services.AddSingleton<IValidateOptions<ClusterOptions>, ClusterOptionsValidator>();
        services.AddSingleton<Housekeeping>();
        services.AddSingleton<Membership>();
        services.AddSingleton<IMembers>(provider => new ClusterMembers(provider.GetService<ActorSystem>()));
        if (!configuration.GetSection("Cluster:Seeds").GetChildren().Any()) return services;
        services.AddHealthChecks().AddCheck<MembershipCheck>("cluster", HealthStatus.Degraded, ["ready"]);
        return services.AddAkka(Name, (akka, provider) => Configure(akka, provider));
    }

    private static void Configure(AkkaConfigurationBuilder akka, IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<ClusterOptions>>().Value;
        var membership = provider.GetRequiredService<Membership>();
        var housekeeping = provider.GetRequiredService<Housekeeping>();
        housekeeping.IsHere = false;
        var version = ClusterMembers.VersionOf(provider.GetRequiredService<IUpgradeStore>().Known);
        var own = $"""
            akka.cluster.split-brain-resolver.stable-after = {options.StableAfter.TotalMilliseconds}ms
            akka.cluster.app-version = "{version}"
            akka.remote.member.transport-class = "{MemberTransport.TypeName}"
            """;
        akka.AddSetup(new MemberTransportSetup
        {
            Endpoint = new IPEndPoint(IPAddress.Parse(options.Address), options.Port),
            Host = options.Host,
            Certificate = options.Tls.IsEnabled ? new MemberCertificate(options.Tls) : null,
            ConnectTimeMax = options.ConnectTimeMax,
        });
        var scheme = $"akka.{MemberTransport.SchemeOf(options.Tls.IsEnabled)}";
        akka.AddHocon(Settings + own, HoconAddMode.Prepend)
            .ConfigureLoggers(loggers =>
            {
                loggers.ClearLoggers();
                loggers.AddLoggerFactory();
            })
            .WithClustering(new Akka.Cluster.Hosting.ClusterOptions
            {
                SeedNodes = [.. options.Seeds.Select(seed => $"{scheme}://{Name}@{seed}")],
                SplitBrainResolver = new KeepMajorityOption(),
            })
            .WithSingleton<HousekeeperActor>("housekeeper", (_, _, _) => Props.Create(() => new HousekeeperActor(
                housekeeping, provider.GetRequiredService<ILogger<HousekeeperActor>>())), createProxyToo: false)
            .AddStartup((system, _) => Watch(CoordinatedShutdown.Get(system), membership));
    }

    private static void Watch(CoordinatedShutdown shutdown, Membership membership) =>
        shutdown.AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "membership", () =>
        {
            if (shutdown.ShutdownReason is not CoordinatedShutdown.ClrExitReason) membership.Lose();
            return Task.FromResult(Done.Instance);
        });
}
