using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Millrace.Models.Registry;
using Millrace.Models.Scoring;

namespace Millrace.Models;

public static class ModelServices
{
    /// <summary>The registry and its scorers, over the object store.</summary>
    public static IServiceCollection AddModels(this IServiceCollection services)
    {
        services.TryAddSingleton<ModelRegistry>();
        services.TryAddSingleton<ModelScorers>();
        return services;
    }
}
