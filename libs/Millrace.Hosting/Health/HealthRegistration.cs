using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Millrace.Hosting.Health;

/// <summary>
/// /healthz: the process answers. /readyz: it is started, not stopping, and what it needs is there; else it names what
/// is missing.
/// </summary>
public static class HealthRegistration
{
    private const string Ready = "ready";

    /// <summary>So long may a check take to answer; then what it looks at counts as missing.</summary>
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(3);

    public static IServiceCollection AddMillraceHealth(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<StartedCheck>("started", tags: [Ready]);
        return services;
    }

    /// <summary>Adds what must hold for the process to take work.</summary>
    public static IServiceCollection AddReadiness(
        this IServiceCollection services, string name, Func<IServiceProvider, CancellationToken, ValueTask> check)
    {
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            name, provider => new ReadinessCheck(provider, check), HealthStatus.Unhealthy, [Ready], CheckTimeout));
        return services;
    }

    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks("/healthz", new HealthCheckOptions { Predicate = _ => false });
        endpoints.MapHealthChecks("/readyz", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(Ready),
            ResponseWriter = (context, report) => context.Response.WriteAsJsonAsync(HealthAnswer.Of(report)),
        });
    }

    private sealed class StartedCheck(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken ct = default)
        {
            var (started, stopping) = (lifetime.ApplicationStarted, lifetime.ApplicationStopping);
            return Task.FromResult(started.IsCancellationRequested && !stopping.IsCancellationRequested
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy(stopping.IsCancellationRequested ? "stopping" : "starting"));
        }
    }

    private sealed class ReadinessCheck(
        IServiceProvider services, Func<IServiceProvider, CancellationToken, ValueTask> check) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context,
            CancellationToken ct = default)
        {
            // One that does not look at the token must not hold up the answer.
            await check(services, ct).AsTask().WaitAsync(ct);
            return HealthCheckResult.Healthy();
        }
    }
}
