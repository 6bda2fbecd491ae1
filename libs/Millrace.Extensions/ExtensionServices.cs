using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Options;
using Millrace.Primitives;
using Millrace.Saql;
using Millrace.Saql.Extensions;

namespace Millrace.Extensions;

public static class ExtensionServices
{
    /// <summary><see cref="QueryExtensions"/> by configuration, loaded and checked when the host starts.</summary>
    public static IServiceCollection AddQueryExtensions(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(QueryExtensions))) return services;
        services.AddValidatedOptions<QueryExtensionOptions>("Queries:Extensions");
        services.AddValidatedOptions<QueryPlanOptions>("Queries:Plans");
        services.AddSingleton<IValidateOptions<QueryExtensionOptions>, LoadsWhole>();
        services.AddMetrics();
        services.TryAddSingleton<ExtensionMetrics>();
        services.AddSingleton(Load);
        return services;
    }

    private static QueryExtensions Load(IServiceProvider provider)
    {
        var plans = provider.GetRequiredService<IOptions<QueryPlanOptions>>().Value;
        return ExtensionLoader.Load(provider.GetRequiredService<IOptions<QueryExtensionOptions>>().Value,
            provider.GetRequiredService<ExtensionMetrics>(), new PlanLimits(plans.SizeMax, plans.DepthMax));
    }

    /// <summary>The same of a file, for verbs that run without a host.</summary>
    public static QueryExtensions Load(IConfiguration configuration)
    {
        var services = new ServiceCollection();
        services.AddSingleton(configuration);
        using var provider = services.AddQueryExtensions().BuildServiceProvider();
        return provider.GetRequiredService<QueryExtensions>();
    }

    private sealed class LoadsWhole(IMeterFactory meters) : IValidateOptions<QueryExtensionOptions>
    {
        public ValidateOptionsResult Validate(string? name, QueryExtensionOptions options)
        {
            try
            {
                ExtensionLoader.Load(options, new ExtensionMetrics(meters));
                return ValidateOptionsResult.Success;
            }
            catch (MillraceException wrong)
            {
                return ValidateOptionsResult.Fail($"Queries:Extensions: {wrong.Message}");
            }
        }
    }
}
