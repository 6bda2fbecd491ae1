using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Options;

namespace Millrace.Delta;

public static class DeltaServices
{
    /// <summary>The options in section Delta, which all who write tables share.</summary>
    public static IServiceCollection AddDeltaOptions(this IServiceCollection services)
    {
        if (services.Any(one => one.ImplementationType == typeof(DeltaTableOptionsValidator))) return services;
        services.AddValidatedOptions<DeltaTableOptions>("Delta");
        return services.AddSingleton<IValidateOptions<DeltaTableOptions>, DeltaTableOptionsValidator>();
    }
}
