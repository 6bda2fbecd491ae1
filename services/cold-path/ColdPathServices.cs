using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Millrace.ColdPath.Api;
using Millrace.ColdPath.Catalog;
using Millrace.Hosting.Options;

namespace Millrace.ColdPath;

public static class ColdPathServices
{
    /// <summary>
    /// Jobs and ad-hoc SQL over the archive. Section <c>ColdPath</c>. Needs a batch engine and the policies of
    /// <see cref="Hosting.Http.ApiScopes"/>.
    /// </summary>
    public static IServiceCollection AddMillraceColdPath(this IServiceCollection services)
    {
        services.AddValidatedOptions<ColdPathOptions>("ColdPath");
        services.AddSingleton<JobCatalog>();
        services.AddSingleton<ColdJobs>();
        services.AddSingleton<ColdEndpoints>();
        return services;
    }

    /// <summary>
    /// The endpoints below /api/v1/cold. Reads the catalogue, so that a job that cannot be read is told at start.
    /// </summary>
    public static IEndpointRouteBuilder MapMillraceColdPath(this IEndpointRouteBuilder endpoints)
    {
        endpoints.ServiceProvider.GetRequiredService<JobCatalog>();
        ColdEndpoints.Map(endpoints);
        return endpoints;
    }
}
