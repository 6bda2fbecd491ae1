using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.ColdPath.Api;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Models;
using Millrace.ColdPath.Runs;
using Millrace.ColdPath.Scheduling;
using Millrace.Delta;
using Millrace.Hosting.Options;
using Millrace.Models;

namespace Millrace.ColdPath;

public static class ColdPathServices
{
    /// <summary>
    /// Jobs and ad-hoc SQL over the archive. Section <c>ColdPath</c>. Needs a batch engine, the stores and the policies
    /// of <see cref="Hosting.Http.ApiScopes"/>.
    /// </summary>
    public static IServiceCollection AddMillraceColdPath(this IServiceCollection services)
    {
        services.AddValidatedOptions<ColdPathOptions>("ColdPath");
        services.AddSingleton<IValidateOptions<ColdPathOptions>, ColdPathOptionsValidator>();
        services.AddSingleton<JobCatalog>();
        services.AddSingleton<ColdJobs>();
        services.AddSingleton<ColdEndpoints>();
        services.AddMetrics();
        services.AddSingleton<ColdPathMetrics>();
        services.AddModels();
        services.AddSingleton<ModelMetrics>();
        services.AddSingleton<ModelRetention>();
        services.AddSingleton<ModelJobs>();
        services.AddSingleton<ModelUploads>();
        services.AddSingleton<ModelEndpoints>();
        services.AddDeltaOptions();
        services.AddSingleton<ResultTable>();
        services.AddSingleton<ResultUpkeep>();
        services.AddSingleton<ResultRetention>();
        services.AddHostedService(provider => provider.GetRequiredService<ResultRetention>());
        services.AddSingleton<JobLeases>();
        services.AddSingleton<JobRunner>();
        services.AddSingleton<RunHistory>();
        services.AddSingleton<ArchiveReach>();
        services.AddSingleton<PartRuns>();
        services.AddHostedService(provider => provider.GetRequiredService<PartRuns>());
        services.AddSingleton<PartEndpoints>();
        services.AddSingleton<JobScheduler>();
        services.AddHostedService(provider => provider.GetRequiredService<JobScheduler>());
        return services;
    }

    /// <summary>
    /// The endpoints below /api/v1/cold and /api/v1/models. Reads the catalogue, so that a job that cannot be read is
    /// told at start.
    /// </summary>
    public static IEndpointRouteBuilder MapMillraceColdPath(this IEndpointRouteBuilder endpoints)
    {
        endpoints.ServiceProvider.GetRequiredService<JobCatalog>();
        ColdEndpoints.Map(endpoints);
        PartEndpoints.Map(endpoints);
        ModelEndpoints.Map(endpoints);
        return endpoints;
    }
}
